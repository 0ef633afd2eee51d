"""Losses and activations against PyTorch in float64: values and gradients on random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import smolml_utils as ours
from smolml_array import MLArray
from tests.utils.helpers import (
    Floats,
    assert_close,
    random_array,
    random_probabilities,
    softmax_rows,
)

REDUCTIONS = ("mean", "sum", "none")


def _both(
    f: Callable[[MLArray], MLArray], theirs: Callable[[torch.Tensor], torch.Tensor], x: Floats
) -> None:
    """Equal results, and equal gradients of their sums."""
    leaf, tensor = MLArray(x.tolist()), torch.tensor(x, requires_grad=True)
    out, expected = f(leaf), theirs(tensor)
    assert_close(out, expected.detach().numpy())
    out.backward()
    expected.sum().backward()
    assert tensor.grad is not None
    assert_close(leaf.grad(), tensor.grad.numpy(), floor=1e-13)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 2)])
def test_losses_of_differences(shape: tuple[int, ...], reduction: str, backend: str) -> None:
    p, t = random_array(shape, 1), random_array(shape, 2)
    y: Any = torch.tensor(t)
    kind: dict[str, Any] = {"reduction": reduction}
    _both(lambda x: ours.mse_loss(x, t, **kind), lambda x: functional.mse_loss(x, y, **kind), p)
    _both(lambda x: ours.mae_loss(x, t, **kind), lambda x: functional.l1_loss(x, y, **kind), p)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_huber(delta: float, reduction: str, backend: str) -> None:
    p, t = random_array((3, 4), 1), random_array((3, 4), 2)
    kind: dict[str, Any] = {"reduction": reduction, "delta": delta}
    _both(
        lambda x: ours.huber_loss(x, t, **kind),
        lambda x: functional.huber_loss(x, torch.tensor(t), **kind),
        p,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("hard", [True, False])
def test_binary_losses(reduction: str, hard: bool, backend: str) -> None:
    x, p, t = (
        random_array((4, 5), 3, scale=5.0),
        random_probabilities((4, 5), 4),
        random_probabilities((4, 5), 5),
    )
    t = np.round(t) if hard else t
    y = torch.tensor(t)
    kind: dict[str, Any] = {"reduction": reduction}
    _both(
        lambda x: ours.bce_with_logits(x, t, **kind),
        lambda x: functional.binary_cross_entropy_with_logits(x, y, **kind),
        x,
    )
    _both(
        lambda x: ours.binary_cross_entropy(x, t, **kind),
        lambda x: functional.binary_cross_entropy(x, y, **kind),
        p,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy(reduction: str, backend: str) -> None:
    x = random_array((6, 4), 6, scale=5.0)
    labels = np.random.default_rng(7).integers(0, 4, 6)
    rows = softmax_rows(random_array((6, 4), 8))
    kind: dict[str, Any] = {"reduction": reduction}
    _both(
        lambda x: ours.cross_entropy(x, labels, **kind),
        lambda x: functional.cross_entropy(x, torch.tensor(labels), **kind),
        x,
    )
    _both(
        lambda x: ours.cross_entropy(x, rows, **kind),
        lambda x: functional.cross_entropy(x, torch.tensor(rows), **kind),
        x,
    )


def test_cross_entropy_along_another_axis(backend: str) -> None:
    x = random_array((3, 4, 2), 9)
    labels = np.random.default_rng(10).integers(0, 4, (3, 2))
    _both(
        lambda x: ours.cross_entropy(x, labels, axis=1),
        lambda x: functional.cross_entropy(x, torch.tensor(labels)),
        x,
    )


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax(axis: int, backend: str) -> None:
    x, w = random_array((3, 4, 5), 11, scale=10.0), random_array((3, 4, 5), 12)
    weights = MLArray(w.tolist(), requires_grad=False)
    _both(
        lambda x: ours.softmax(x, axis) * weights,
        lambda x: functional.softmax(x, dim=axis) * torch.tensor(w),
        x,
    )
    _both(
        lambda x: ours.log_softmax(x, axis) * weights,
        lambda x: functional.log_softmax(x, dim=axis) * torch.tensor(w),
        x,
    )


@pytest.mark.parametrize(
    ("f", "theirs"),
    [
        (ours.relu, functional.relu),
        (ours.leaky_relu, functional.leaky_relu),
        (lambda x: ours.leaky_relu(x, 0.2), lambda x: functional.leaky_relu(x, 0.2)),
        (ours.elu, functional.elu),
        (lambda x: ours.elu(x, alpha=0.5), lambda x: functional.elu(x, alpha=0.5)),
        (ours.sigmoid, torch.sigmoid),
        (ours.tanh, torch.tanh),
        (ours.softplus, functional.softplus),
        (ours.gelu, functional.gelu),
        (ours.silu, functional.silu),
    ],
)
def test_activations(f: Any, theirs: Any, backend: str) -> None:
    _both(f, theirs, np.append(random_array((50,), 13, scale=3.0), [0.0, -15.0, 15.0]))


@pytest.mark.parametrize(("axis", "last"), [(-1, 1), ((1, 2), 2), (None, 3)])
def test_layer_norm(axis: Any, last: int, backend: str) -> None:
    x, weights = random_array((3, 4, 5), 1), random_array((3, 4, 5), 2)
    constant = MLArray(weights.tolist(), requires_grad=False)
    _both(
        lambda x: ours.layer_norm(x, axis, epsilon=1e-3) * constant,
        lambda x: functional.layer_norm(x, list(x.shape[-last:]), eps=1e-3) * torch.tensor(weights),
        x,
    )
