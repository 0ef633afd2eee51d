"""Weights, ignored samples and smoothed labels by hand; what is refused; second derivatives."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, ShapeError
from smolml_utils import cross_entropy
from smolml_value import check_grads
from tests.utils.helpers import assert_close, random_array, softmax_rows

WEIGHT = [0.5, 2.0, 1.5]
X = random_array((4, 3), 1)
LABELS = [0, 2, 1, 1]


def _terms(weight: Any = (1.0, 1.0, 1.0), smoothing: float = 0.0) -> Any:
    """The loss of each sample, in exact sums of logarithms of softmax."""
    logs = np.log(softmax_rows(X))
    target = (1.0 - smoothing) * np.eye(3)[LABELS] + smoothing / 3.0
    return -(target * logs * np.asarray(weight)).sum(axis=1)


def test_weights_by_hand(backend: str) -> None:
    each = _terms(WEIGHT)
    assert_close(cross_entropy(MLArray(X), LABELS, "none", weight=WEIGHT), each)
    mean = each.sum() / sum(WEIGHT[label] for label in LABELS)
    for weight in (WEIGHT, np.array(WEIGHT), np.array(WEIGHT, "float32"), MLArray(WEIGHT)):
        assert_close(cross_entropy(MLArray(X), LABELS, weight=weight), mean)


def test_ignored_samples_are_as_if_not_there(backend: str) -> None:
    x, rest = MLArray(X), MLArray(X[[0, 2, 3]])
    cross_entropy(x, [0, -1, 1, 1], ignore_index=-1).backward()
    found = cross_entropy(rest, [0, 1, 1])
    found.backward()
    assert_close(cross_entropy(x, [0, -1, 1, 1], ignore_index=-1), found)
    assert_close(x.grad()[[0, 2, 3]], rest.grad())
    assert x.grad()[1].to_list() == [0.0, 0.0, 0.0]
    assert cross_entropy(x, [0, -1, 1, 1], "none", ignore_index=-1)[1].item() == 0.0


def test_what_is_ignored_may_hold_anything(backend: str) -> None:
    x = MLArray([[0.0, 0.0], [1e300, -math.inf]])
    loss = cross_entropy(x, [0, 9], "sum", ignore_index=9)
    loss.backward()
    assert loss.item() == math.log(2.0)
    assert x.grad().to_list() == [[-0.5, 0.5], [0.0, 0.0]]


def test_smoothing_by_hand(backend: str) -> None:
    found = cross_entropy(MLArray(X), LABELS, "none", label_smoothing=0.3, weight=WEIGHT)
    assert_close(found, _terms(WEIGHT, 0.3))
    by_rows = cross_entropy(MLArray(X), np.eye(3)[LABELS] * 0.7 + 0.1)
    assert_close(cross_entropy(MLArray(X), LABELS, label_smoothing=0.3), by_rows)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "kind",
    [
        {"weight": WEIGHT},
        {"ignore_index": 1},
        {"label_smoothing": 0.2},
        {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.2},
    ],
    ids=lambda kind: ", ".join(kind),
)
def test_derivatives_of_both_orders(kind: Any, reduction: Any, backend: str) -> None:
    x = MLArray(X)
    check_grads(lambda x: cross_entropy(x, LABELS, reduction, **kind), (x,), order=2)
    if "ignore_index" not in kind:
        rows = MLArray(0.5 * softmax_rows(random_array((4, 3), 2)) + 0.2)
        check_grads(lambda x, t: cross_entropy(x, t, reduction, **kind), (x, rows), order=2)
    if "weight" in kind:
        loss = {**kind}
        weight = MLArray(loss.pop("weight"))
        check_grads(lambda w: cross_entropy(x, LABELS, weight=w, **loss), (weight,), order=2)


def test_float32_stays_float32() -> None:
    x = MLArray(X, dtype="float32", backend="numpy")
    kind: dict[str, Any] = {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.1}
    loss = cross_entropy(x, LABELS, **kind)
    assert loss.dtype == np.float32
    assert_close(loss, cross_entropy(MLArray(X), LABELS, **kind), rel=1e-6)


@pytest.mark.parametrize("weight", [[1.0, 2.0], 1.0, [[1.0, 1.0, 1.0]]])
def test_weights_that_do_not_fit(weight: Any, backend: str) -> None:
    shape = np.shape(weight)
    message = f"cross_entropy: weight has shape {shape}, expected (3,)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        cross_entropy(MLArray(X), LABELS, weight=weight)


def test_what_is_refused(backend: str) -> None:
    x = MLArray(X)
    with pytest.raises(ValueError, match=r"^cross_entropy: ignore_index goes with class indices"):
        cross_entropy(x, np.eye(3)[LABELS], ignore_index=0)
    with pytest.raises(ValueError, match=r"^cross_entropy: y_true holds -100 \(element 1"):
        cross_entropy(x, [0, -100, 1, 1], ignore_index=-1)
    for bad in (-0.1, 1.5):
        with pytest.raises(
            ValueError, match=r"^cross_entropy: label_smoothing must lie in \[0, 1\]"
        ):
            cross_entropy(x, LABELS, label_smoothing=bad)
    with pytest.raises(TypeError, match=r"^cross_entropy: weight: expected numbers"):
        cross_entropy(x, LABELS, weight="balanced")
    with pytest.raises(TypeError, match=r"^cross_entropy: .*expected a number"):
        cross_entropy(x, LABELS, label_smoothing="much")  # type: ignore[arg-type]  # that is the point
