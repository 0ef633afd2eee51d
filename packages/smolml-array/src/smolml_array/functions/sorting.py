"""Picking elements by their positions, and sorting, as functions."""

from __future__ import annotations

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array.array import MLArray
from smolml_array.functions.joining import _array


def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> MLArray:
    """The slices of x at these positions of an axis; a slice taken twice gets both gradients.

    Args:
        x: anything that MLArray takes.
        indices: integers, in lists or arrays of any shape, which takes the place of the axis;
            negative ones count from the end.
        axis: along which axis; only an x of 1 dimension need not name it.

    Raises:
        IndexError: a position that the axis does not have, or that is no integer.
        AxisError: an axis that x does not have.

    >>> take([[1, 2], [3, 4]], [1, 1, 0], axis=0).to_list()
    [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """
    return _array(x).take(indices, axis)


def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int = -1) -> MLArray:
    """For each position of `indices` the element of x there: out[i, j] = x[i, indices[i, j]].

    Args:
        x: anything that MLArray takes.
        indices: integers, of as many dimensions as x; the lengths of the other axes broadcast.
        axis: along which axis.

    Raises:
        IndexError: a position that the axis does not have, or that is no integer.
        ShapeError: the dimensions differ in number, or do not broadcast.

    >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]]).to_list()
    [[2.0], [3.0]]
    """
    return _array(x).take_along_axis(indices, axis)


def sort(x: ArrayLike, axis: int = -1, descending: bool = False, stable: bool = True) -> MLArray:
    """x sorted along an axis; nan counts as the largest number.

    In backward each cotangent goes to the element that came to its place. Of equal elements the
    first stays first.

    Raises:
        AxisError: an axis that x does not have.

    >>> x = MLArray([3.0, 1.0, 2.0])
    >>> y = sort(x)
    >>> (y * [10.0, 20.0, 30.0]).backward()
    >>> y.to_list(), x.grad().to_list()
    ([1.0, 2.0, 3.0], [30.0, 10.0, 20.0])
    """
    return _array(x).sort(axis, descending, stable)


def argsort(x: ArrayLike, axis: int = -1, descending: bool = False, stable: bool = True) -> MLArray:
    """The positions that sort x along an axis, a constant of integers.

    Raises:
        AxisError: an axis that x does not have.

    >>> argsort([3, 1, 2]).to_list()
    [1, 2, 0]
    """
    return _array(x).argsort(axis, descending, stable)
