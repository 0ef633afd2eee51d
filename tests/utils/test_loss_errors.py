"""What losses refuse, and whether the message says who, what and how to put it right."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any

import numpy as np
import pytest

from smolml_array import AxisError, MLArray, ShapeError
from smolml_utils import (
    bce_with_logits,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber_loss,
    log_cosh_loss,
    mae_loss,
    mse_loss,
)
from smolml_value import Value

ELEMENTWISE = [
    mse_loss,
    mae_loss,
    huber_loss,
    log_cosh_loss,
    binary_cross_entropy,
    bce_with_logits,
]
EVERY = [*ELEMENTWISE, categorical_cross_entropy, cross_entropy]


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize(
    ("left", "right"),
    [((3,), (3, 1)), ((3, 1), (3,)), ((2, 3), (3,)), ((3,), ()), ((), (1,)), ((2, 3), (3, 2))],
)
def test_nothing_is_broadcast(
    loss: Any, left: tuple[int, ...], right: tuple[int, ...], backend: str
) -> None:
    x, y = MLArray(np.full(left, 0.5).tolist()), MLArray(np.full(right, 0.5).tolist())
    message = (
        f"{loss.__name__}: y_pred has shape {left}, y_true has shape {right}: "
        f"they must be equal; reshape one"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        loss(x, y)
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        loss(x, np.full(right, 0.5))


def test_a_value_is_not_spread_over_an_array(backend: str) -> None:
    with pytest.raises(ShapeError, match=r"y_pred has shape \(2,\), y_true has shape \(\)"):
        mse_loss(MLArray([1.0, 2.0]), 1.0)
    with pytest.raises(ShapeError, match=r"y_pred has shape \(\), y_true has shape \(2,\)"):
        mse_loss(Value(1.0), MLArray([1.0, 2.0]))


@pytest.mark.parametrize(
    "loss", [*EVERY, pytest.param(partial(cross_entropy, weight=[1.0, 2.0]), id="weighted")]
)
def test_unknown_reduction(loss: Any) -> None:
    name = getattr(loss, "func", loss).__name__
    message = f"{name}: reduction must be 'mean', 'sum' or 'none', got 'avg'"
    targets = [0.0, 1.0] if loss in EVERY else 1
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        loss(MLArray([0.5, 0.5]), targets, reduction="avg")


@pytest.mark.parametrize("loss", EVERY)
def test_two_backends(loss: Any) -> None:
    x, y = MLArray([0.5, 0.5], backend="numpy"), MLArray([0.0, 1.0], backend="pure")
    message = (
        f"{loss.__name__}: y_pred lives on the backend 'numpy', y_true on 'pure'; "
        f"move one with y_true.to_backend('numpy')"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        loss(x, y)
    # what is no array yet follows the one that is
    assert loss(y, [0.5, 0.5]).backend == "pure"
    assert loss([0.5, 0.5], y).backend == "pure"


@pytest.mark.parametrize("loss", EVERY)
@pytest.mark.parametrize(
    ("bad", "shown"),
    [
        ("cat", "str 'cat'"),
        (None, "NoneType"),
        (1j, "complex"),
        ({"a": 1}, "dict"),
        ([1.0, "x"], r"\[1\].*'x'|'x'.*\[1\]"),
    ],
)
def test_things_that_are_no_numbers(loss: Any, bad: Any, shown: str) -> None:
    with pytest.raises(TypeError, match=rf"^{loss.__name__}: y_true: .*({shown})"):
        loss(MLArray([0.5, 0.5]), bad)
    with pytest.raises(TypeError, match=rf"^{loss.__name__}: y_pred: .*({shown})"):
        loss(bad, MLArray([0.5, 0.5]))


def test_ragged_targets() -> None:
    with pytest.raises(ShapeError, match=r"^mse_loss: y_true: ragged"):
        mse_loss(MLArray([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan])
def test_huber_delta_must_be_positive(delta: float) -> None:
    with pytest.raises(ValueError, match=rf"^huber_loss: delta must be above 0, got {delta:g}$"):
        huber_loss(1.0, 2.0, delta=delta)


def test_huber_delta_must_be_a_number() -> None:
    with pytest.raises(TypeError, match=r"^huber_loss: delta: expected a number"):
        huber_loss(1.0, 2.0, delta="1")  # type: ignore[call-overload]  # that is the point


@pytest.mark.parametrize("p", [-0.1, 1.0000001, 7.0, -math.inf])
def test_probabilities_outside_0_and_1(p: float, backend: str) -> None:
    message = f"y_pred must lie in [0, 1], got {p:g}; for logits use"
    for given in (p, Value(p)):
        with pytest.raises(ValueError, match=f"^binary_cross_entropy: {re.escape(message)} bce_"):
            binary_cross_entropy(given, 1.0)
    with pytest.raises(ValueError, match=f"^binary_cross_entropy: {re.escape(message)} bce_"):
        binary_cross_entropy(MLArray([0.5, p]), [1.0, 1.0])
    with pytest.raises(ValueError, match=f"^categorical_cross_entropy: {re.escape(message)} cross"):
        categorical_cross_entropy(MLArray([0.5, p]), [1.0, 0.0])


@pytest.mark.parametrize("loss", [binary_cross_entropy, bce_with_logits, categorical_cross_entropy])
@pytest.mark.parametrize("t", [-1.0, 2.0])
def test_targets_outside_0_and_1(loss: Any, t: float, backend: str) -> None:
    message = f"{loss.__name__}: y_true must lie in [0, 1], got {t:g}; give"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        loss(MLArray([0.5, 0.5]), [0.0, t])


@pytest.mark.parametrize(
    ("indices", "shown"),
    [
        ([0, 3, 1], "3 (element 1"),
        ([0, 1, -1], "-1 (element 2"),
        ([0.5, 1, 2], "0.5 (element 0"),
        ([0, math.nan, 2], "nan (element 1"),
        ([0, 1, math.inf], "inf (element 2"),
    ],
)
def test_indices_that_are_no_class(indices: list[float], shown: str, backend: str) -> None:
    expected = (
        f"cross_entropy: y_true holds {shown} in C order), which is no class index: expected "
        f"whole numbers from 0 to 2, as y_pred of shape (3, 3) has 3 classes along axis 1"
    )
    # a square of classes by samples: the shapes alone tell indices from rows
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        cross_entropy(MLArray([[0.0] * 3] * 3), indices)
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        cross_entropy(MLArray([[0.0] * 3] * 3), MLArray(indices))


def test_rows_that_are_no_probabilities(backend: str) -> None:
    with pytest.raises(ValueError, match=r"^cross_entropy: y_true must lie in \[0, 1\], got 2;"):
        cross_entropy(MLArray([[0.0, 0.0]]), [[0, 2]])


@pytest.mark.parametrize("shape", [(), (3,), (2, 1), (2, 4), (3, 2), (2, 3, 1)])
def test_targets_of_neither_shape(shape: tuple[int, ...], backend: str) -> None:
    message = (
        f"cross_entropy: y_pred has shape (2, 3), y_true has shape {shape}: expected class "
        f"indices of shape (2,) or rows of probabilities of shape (2, 3)"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        cross_entropy(MLArray([[0.0] * 3] * 2), np.zeros(shape))


def test_of_two_axes_less_nobody_means_indices(backend: str) -> None:
    p = MLArray([[[0.25, 0.75], [0.5, 0.5]]])
    with pytest.raises(ShapeError, match=r"they must be equal; reshape one$"):
        categorical_cross_entropy(p, [0.25, 0.75])


def test_indices_given_to_categorical_cross_entropy(backend: str) -> None:
    p = MLArray([[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ShapeError, match="for class indices use cross_entropy on the logits"):
        categorical_cross_entropy(p, [0, 1])
    with pytest.raises(ShapeError, match="they must be equal; reshape one"):
        categorical_cross_entropy(p, [[0, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize("loss", [cross_entropy, categorical_cross_entropy])
def test_axes(loss: Any, backend: str) -> None:
    with pytest.raises(AxisError, match=f"^{loss.__name__}: axis 2 is out of range"):
        loss(MLArray([[0.5, 0.5]]), [[0.0, 1.0]], axis=2)
    with pytest.raises(AxisError, match=f"^{loss.__name__}: axis -1 is out of range"):
        loss(MLArray(0.5), 0)
