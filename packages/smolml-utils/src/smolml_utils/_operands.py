"""What losses, activations and the others are given, made ready: numbers, Values, arrays."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from smolml_array import MLArray, ShapeError
from smolml_array.extending import (
    Backend,
    DType,
    default_backend,
    for_message,
    holds,
    is_floating,
    meeting,
    to_raw,
)
from smolml_value import Value
from smolml_value.extending import OperandBase, as_float, is_number

T = TypeVar("T")


def is_scalar(x: object) -> bool:
    """Whether x is one number or one Value, not an array."""
    return isinstance(x, Value) or is_number(x)


def as_array(who: str, x: Any, xp: Backend | None = None) -> MLArray:
    """x as an MLArray, itself if it is one; numbers become constants, Values stay in the graph.

    A copy is made of an ndarray, so that writing to it later changes no gradient.
    """
    if isinstance(x, MLArray):
        return x
    if isinstance(x, Value) or (isinstance(x, list | tuple) and holds(x, OperandBase)):
        return MLArray(x, backend=None if xp is None else xp.name)
    xp = default_backend() if xp is None else xp
    return MLArray._constant(xp, to_raw(xp, x, who, copy=True))


def as_floats(x: MLArray) -> MLArray:
    """x itself if its numbers are floats; whole numbers and bools as float64."""
    node = x._node
    return x if is_floating(node.backend, node.raw) else x.astype(node.backend.float64)


def pair(who: str, y_pred: Any, y_true: Any) -> tuple[Any, Any]:
    """Predictions and targets as two floats or Values, or as two MLArrays of one shape.

    The targets take the dtype of the predictions; what is no MLArray yet goes by the one that is.

    Raises:
        ShapeError: the shapes differ: broadcasting would hide a mistake here.
        TypeError: something that is not numbers.
        ValueError: arrays of different backends.
    """
    if isinstance(y_pred, MLArray) and isinstance(y_true, MLArray):
        one, other = y_pred._node, y_true._node
        raw, xp = one.raw, one.backend
        if (
            other.backend is xp
            and other.raw.dtype is raw.dtype
            and other.raw.shape == raw.shape
            and is_floating(xp, raw)
        ):
            return y_pred, y_true  # alike, as they mostly are: nothing to do
    elif is_scalar(y_pred) and is_scalar(y_true):
        return _scalar(who, "y_pred", y_pred), _scalar(who, "y_true", y_true)
    p, t = arrays(who, y_pred, y_true)
    if p.shape != t.shape:
        raise ShapeError(
            f"{who}: y_pred has shape {p.shape}, y_true has shape {t.shape}: "
            f"they must be equal; reshape one"
        )
    lead = t if isinstance(y_true, MLArray) and not isinstance(y_pred, MLArray) else p
    dtype = as_floats(lead).dtype
    return with_dtype(p, dtype), with_dtype(t, dtype)


def with_dtype(x: MLArray, dtype: DType) -> MLArray:
    """x itself if it has this dtype, else x turned into it; gradients flow between floats."""
    return x if x.dtype == dtype else x.astype(dtype)


def arrays(who: str, y_pred: Any, y_true: Any) -> tuple[MLArray, MLArray]:
    """Predictions and targets as MLArrays of one backend, of whatever shapes and dtypes."""
    xp = next((y._current_node().backend for y in (y_pred, y_true) if isinstance(y, MLArray)), None)
    p = as_array(f"{who}: y_pred", y_pred, xp)
    t = as_array(f"{who}: y_true", y_true, p._current_node().backend)
    if meeting(p._current_node().backend, t._current_node().backend) is None:
        raise ValueError(
            f"{who}: y_pred lives on the backend {p.backend!r}, y_true on {t.backend!r}; "
            f"move one with y_true.to_backend({p.backend!r})"
        )
    return p, t


def _scalar(who: str, name: str, x: Any) -> Value | float:
    return x if isinstance(x, Value) else as_float(x, f"{who}: {name}")


def not_negative(who: str, x: float, below: float = math.inf) -> float:
    """x as a float that is at least 0 and below a bound; `who` says where it was given.

    Raises:
        ValueError: it is not.
        TypeError: it is no number.
    """
    number = as_float(x, who)
    if not 0.0 <= number < below:
        limit = "a finite number, at least 0" if below == math.inf else f"in [0, {below:g})"
        raise ValueError(f"{who} must be {limit}, got {number:g}")
    return number


def check_probabilities(who: str, name: str, x: Any, hint: str) -> None:
    """Raise if a number lies outside [0, 1]; nan passes, as everywhere.

    Raises:
        ValueError: a number below 0 or above 1; names it and says what to do.
    """
    if isinstance(x, MLArray):
        node = x._current_node()
        if not node.raw.size:
            return
        xp = node.backend
        low, high = xp.min(node.raw), xp.max(node.raw)
        below, above = bool(xp.less(low, 0.0)), bool(xp.greater(high, 1.0))
    else:
        low = high = x
        below, above = x < 0.0, x > 1.0
    if below or above:
        worst = float(for_message(low if below else high))
        raise ValueError(f"{who}: {name} must lie in [0, 1], got {worst:g}; {hint}")


def reduced(who: str, losses: T, reduction: str) -> T:
    """The mean or the sum of the losses, or all of them; one number is its own mean and sum.

    Raises:
        ValueError: another reduction.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{who}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if reduction == "none" or not isinstance(losses, MLArray):
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
