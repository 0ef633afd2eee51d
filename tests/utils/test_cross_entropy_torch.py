"""The options of cross_entropy against PyTorch's, in all combinations: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from smolml_array import MLArray
from smolml_utils import cross_entropy
from tests.utils.helpers import Floats, assert_close, random_array, softmax_rows

CLASSES = 4
WEIGHT = [0.5, 2.0, 0.0, 1.25]
combinations = [
    pytest.mark.parametrize("reduction", ["mean", "sum", "none"]),
    pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"]),
    pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0]),
]


def every(test: Any) -> Any:
    for mark in combinations:
        test = mark(test)
    return test


def _check(x: Floats, ours: Any, theirs: Any, axis: int, weighted: bool, kind: Any) -> None:
    """Equal losses and gradients; `axis` is where the classes are for us, for PyTorch 1 or 0."""
    leaf, tensor = MLArray(x), torch.tensor(x, requires_grad=True)
    weight = torch.tensor(WEIGHT, dtype=torch.float64) if weighted else None
    expected = functional.cross_entropy(tensor, theirs, weight=weight, **kind)
    found = cross_entropy(leaf, ours, axis=axis, weight=WEIGHT if weighted else None, **kind)
    assert_close(found, expected.detach().numpy(), rel=1e-12)
    upstream = random_array(tuple(expected.shape), 5)
    (expected * torch.tensor(upstream)).sum().backward()
    (found * MLArray(upstream, requires_grad=False)).sum().backward()
    assert tensor.grad is not None
    assert_close(leaf.grad(), tensor.grad.numpy(), rel=1e-12, floor=1e-14)


@every
@pytest.mark.parametrize("ignored", [None, -100, 1, 2])
@pytest.mark.parametrize("shape", [(7, CLASSES), (CLASSES,), (3, CLASSES, 5)], ids=str)
def test_class_indices(
    shape: tuple[int, ...],
    ignored: int | None,
    smoothing: float,
    weighted: bool,
    reduction: str,
    backend: str,
) -> None:
    axis = min(1, len(shape) - 1)
    labels = np.random.default_rng(3).integers(0, CLASSES, shape[:axis] + shape[axis + 1 :])
    if ignored == -100 and shape != (CLASSES,):
        labels = np.where(np.random.default_rng(4).random(labels.shape) < 0.3, -100, labels)
    kind: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    if ignored is not None:
        kind["ignore_index"] = ignored
    x = random_array(shape, 6)
    _check(x, labels, torch.tensor(labels), axis, weighted, kind)


@every
@pytest.mark.parametrize("shape", [(7, CLASSES), (CLASSES,), (3, CLASSES, 5)], ids=str)
def test_rows(
    shape: tuple[int, ...], smoothing: float, weighted: bool, reduction: str, backend: str
) -> None:
    axis = min(1, len(shape) - 1)
    rows = softmax_rows(random_array(shape, 8), axis)
    kind: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    _check(random_array(shape, 9), rows, torch.tensor(rows), axis, weighted, kind)


@every
def test_nothing_counts(smoothing: float, weighted: bool, reduction: str, backend: str) -> None:
    kind: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    labels = np.full(3, -100)
    kind["ignore_index"] = -100
    _check(random_array((3, CLASSES), 1), labels, torch.tensor(labels), 1, weighted, kind)
