"""Several arrays: joined, stacked, chosen between, taken apart, multiplied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.shaping import CONCAT, STACK, axis_to_join
from smolml_array._shapes.axes import ShapeError, normalize_axis
from smolml_array.array import MLArray
from smolml_array.functions.table import as_array, entry
from smolml_value import table


def _arrays(who: str, arrays: Sequence[ArrayLike], axis: object) -> list[MLArray]:
    if isinstance(axis, MLArray | list | tuple):
        raise TypeError(f"{who}: expected a list of arrays and an axis; write {who}([x, y])")
    if not isinstance(arrays, Iterable):
        raise TypeError(f"{who}: expected a sequence of arrays, got {type(arrays).__name__}")
    arrays = list(arrays)
    if not arrays:
        raise ValueError(f"{who}: expected at least one array, got none")
    first = [a for a in arrays if isinstance(a, MLArray)][:1]  # the others go where it is
    return [cast(MLArray, as_array(a, *first)) for a in arrays]


@entry("arrays, /, *, axis=0", numpy="concatenate(arrays, axis=0)")
def concat(arrays: Sequence[ArrayLike], axis: int | None = 0) -> MLArray:
    """The arrays joined along an axis; None flattens them first.

    Raises:
        ShapeError: they differ along another axis.

    >>> concat([MLArray([1.0]), MLArray([2.0, 3.0])]).to_list()
    [1.0, 2.0, 3.0]
    """
    given = _arrays("concat", arrays, axis)
    if axis is None:
        given, axis = [a.flatten() for a in given], 0
    return MLArray._rule(CONCAT, *given, axis=axis_to_join(given, axis))


@entry("arrays, /, *, axis=0", numpy="arrays, axis=0")
def stack(arrays: Sequence[ArrayLike], axis: int = 0) -> MLArray:
    """Arrays of one shape side by side along a new axis.

    Raises:
        ShapeError: they differ in shape.

    >>> stack([MLArray([1.0, 2.0]), MLArray([3.0, 4.0])], axis=1).to_list()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    given = _arrays("stack", arrays, axis)
    for i, a in enumerate(given):
        if a.shape != given[0].shape:
            raise ShapeError(
                f"stack: array {i} has shape {a.shape}, array 0 has {given[0].shape}: "
                f"expected equal shapes"
            )
    place = normalize_axis(axis, given[0].ndim + 1, "stack")
    return MLArray._rule(STACK, *given, axis=place)


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """x1 where the condition holds, else x2.

    >>> x = MLArray([0.0, 4.0])
    >>> where(x > 0, x.sqrt(), 0.0).to_list()
    [0.0, 2.0]
    """
    return cast(MLArray, table.where(as_array(condition, x1, x2), x1, x2))


def matmul(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """x1 @ x2: the method, with the names that the array API gives to its operands.

    >>> matmul([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    return MLArray.matmul(x1, x2)


def outer(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The products of all pairs of elements: out[i, j] = x1[i] x2[j], both flattened.

    >>> outer([1, 2], [3, 4]).to_list()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return MLArray.outer(x1, x2)


def maximum(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The larger of the two, element by element; a tie splits the gradient in halves.

    >>> maximum([1.0, 5.0], MLArray([3.0, 2.0])).to_list()
    [3.0, 5.0]
    """
    return cast(MLArray, table.maximum(as_array(x1, x2), x2))


def minimum(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The smaller of the two, element by element; a tie splits the gradient in halves.

    >>> minimum(2.0, MLArray([3.0, 1.0])).to_list()
    [2.0, 1.0]
    """
    return cast(MLArray, table.minimum(as_array(x1, x2), x2))


def clip(x: ArrayLike, min: float | None = None, max: float | None = None) -> MLArray:
    """x held between min and max.

    >>> clip(MLArray([-1.0, 0.5, 3.0]), 0.0, 1.0).to_list()
    [0.0, 0.5, 1.0]
    """
    return cast(MLArray, as_array(x).clip(min, max))


@entry("x, /, *, axis=0")
def unstack(x: MLArray, axis: int = 0) -> tuple[MLArray, ...]:
    """The slices along the axis."""
    place = normalize_axis(axis, x.ndim, "unstack")
    return tuple(x[(*(slice(None),) * place, i)] for i in range(x.shape[place]))
