"""The array functions under the array API's names; each takes anything that MLArray takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import ShapeError, normalize_axis
from smolml_array.array import MLArray
from smolml_array.convert import holds
from smolml_array.functions import rules
from smolml_value import Value, table


def _array(x: ArrayLike, *others: ArrayLike) -> MLArray:
    """x as an array on the backend of the others; numbers are constants, Values are not."""
    if isinstance(x, MLArray):
        return x
    backend = next((o.backend for o in others if isinstance(o, MLArray)), None)
    tracked = isinstance(x, Value) or (
        isinstance(x, list | tuple) and (holds(x, Value) or holds(x, MLArray))
    )
    return MLArray(x, requires_grad=tracked, backend=backend)


def _arrays(who: str, arrays: Sequence[ArrayLike]) -> list[MLArray]:
    if not isinstance(arrays, Iterable):
        raise TypeError(f"{who}: expected a sequence of arrays, got {type(arrays).__name__}")
    arrays = list(arrays)
    if not arrays:
        raise ValueError(f"{who}: expected at least one array, got none")
    return [_array(a, *arrays) for a in arrays]


def matmul(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """x1 @ x2.

    >>> matmul([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    return _array(x1, x2).matmul(x2)


def concat(arrays: Sequence[ArrayLike], axis: int | None = 0) -> MLArray:
    """The arrays joined along an axis; None flattens them first.

    Raises:
        ShapeError: they differ along another axis.

    >>> concat([MLArray([1.0]), MLArray([2.0, 3.0])]).to_list()
    [1.0, 2.0, 3.0]
    """
    given = _arrays("concat", arrays)
    if axis is None:
        given, axis = [a.flatten() for a in given], 0
    first = given[0]
    place = normalize_axis(axis, first.ndim, "concat")
    for i, a in enumerate(given):
        same = a.ndim == first.ndim and all(
            n == m or j == place for j, (n, m) in enumerate(zip(a.shape, first.shape, strict=True))
        )
        if not same:
            raise ShapeError(
                f"concat: array {i} has shape {a.shape}, array 0 has {first.shape}: "
                f"expected equal lengths on every axis but {place}"
            )
    return MLArray._rule(rules.CONCAT, *given, axis=place)


def stack(arrays: Sequence[ArrayLike], axis: int = 0) -> MLArray:
    """Arrays of one shape side by side along a new axis.

    Raises:
        ShapeError: they differ in shape.

    >>> stack([MLArray([1.0, 2.0]), MLArray([3.0, 4.0])], axis=1).to_list()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    given = _arrays("stack", arrays)
    for i, a in enumerate(given):
        if a.shape != given[0].shape:
            raise ShapeError(
                f"stack: array {i} has shape {a.shape}, array 0 has {given[0].shape}: "
                f"expected equal shapes"
            )
    place = normalize_axis(axis, given[0].ndim + 1, "stack")
    return MLArray._rule(rules.STACK, *given, axis=place)


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """x1 where the condition holds, else x2.

    >>> x = MLArray([0.0, 4.0])
    >>> where(x > 0, x.sqrt(), 0.0).to_list()
    [0.0, 2.0]
    """
    out: MLArray = table.where(_array(condition, x1, x2), x1, x2)
    return out


def maximum(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The larger of the two, element by element; a tie splits the gradient in halves.

    >>> maximum([1.0, 5.0], MLArray([3.0, 2.0])).to_list()
    [3.0, 5.0]
    """
    return _array(x1, x2).maximum(x2)


def minimum(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The smaller of the two, element by element; a tie splits the gradient in halves.

    >>> minimum(2.0, MLArray([3.0, 1.0])).to_list()
    [2.0, 1.0]
    """
    return _array(x1, x2).minimum(x2)


def clip(x: ArrayLike, min: float | None = None, max: float | None = None) -> MLArray:
    """x held between min and max.

    >>> clip(MLArray([-1.0, 0.5, 3.0]), 0.0, 1.0).to_list()
    [0.0, 0.5, 1.0]
    """
    return _array(x).clip(min, max)
