"""Windows, borders, shifts, repeats, triangles and pieces of arrays, as functions."""

from __future__ import annotations

from collections.abc import Sequence

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import Axis
from smolml_array._shapes.windowing import PadWidth
from smolml_array.array import MLArray
from smolml_array.functions.joining import _array


def sliding_windows(x: ArrayLike, window_shape: int | Sequence[int], axis: Axis = None) -> MLArray:
    """Every window of x: out[i, ..., j, ...] = x[i + j, ...], i the position, j in the window.

    Of x of shape (n, m) the windows of shape (h, w) make an array of shape
    (n - h + 1, m - w + 1, h, w): positions first, then the axes of a window. On NumPy it is a
    view, whatever the size of the windows. A convolution is the sum of products of windows and
    weights. In backward the cotangents of windows that overlap add up. As
    `numpy.lib.stride_tricks.sliding_window_view`; for every second window take `[::2]`.

    Args:
        x: anything that MLArray takes.
        window_shape: how long a window is along each axis that it slides on.
        axis: these axes, in the order of window_shape; None: all.

    Raises:
        ShapeError: a window that is longer than its axis.
        AxisError: not one length for each axis, or an axis that x does not have.

    >>> x = MLArray([1.0, 2.0, 3.0, 4.0])
    >>> windows = sliding_windows(x, 3)
    >>> windows.to_list()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    >>> (windows @ [1.0, 0.0, -1.0]).backward()
    >>> x.grad().to_list()
    [1.0, 1.0, -1.0, -1.0]
    """
    return _array(x).sliding_windows(window_shape, axis)


def pad(
    x: ArrayLike,
    pad_width: PadWidth,
    mode: str = "constant",
    constant_values: ArrayLike = 0.0,
) -> MLArray:
    """x inside a border; as `numpy.pad`.

    Args:
        x: anything that MLArray takes.
        pad_width: how much before and after: one number for both ends of every axis, a pair
            (before, after) for every axis, or a pair for each axis.
        mode: what the border is made of: "constant", one number; "edge", the outermost elements;
            "reflect", x mirrored at them; "symmetric", mirrored beside them; "wrap", x from the
            other end.
        constant_values: the number of mode "constant"; an array of no dimension and a Value have
            gradients.

    Raises:
        ValueError: an unknown mode, or widths that are negative or not one pair for each axis.
        ShapeError: an empty axis in a mode that repeats elements.

    >>> pad(MLArray([1.0, 2.0, 3.0]), (1, 2)).to_list()
    [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    >>> pad(MLArray([1.0, 2.0, 3.0]), 2, "reflect").to_list()
    [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    """
    return _array(x, constant_values).pad(pad_width, mode, constant_values)


def roll(x: ArrayLike, shift: int | Sequence[int], axis: Axis = None) -> MLArray:
    """x shifted along the axes: out[i + shift] = x[i], what falls out comes in again.

    Args:
        x: anything that MLArray takes.
        shift: how far; several numbers for several axes.
        axis: along which axes; None: all elements in C order.

    Raises:
        AxisError: an axis that x does not have.
        ValueError: not as many shifts as axes.

    >>> roll(MLArray([1.0, 2.0, 3.0]), 1).to_list()
    [3.0, 1.0, 2.0]
    """
    return _array(x).roll(shift, axis)


def flip(x: ArrayLike, axis: Axis = None) -> MLArray:
    """x backwards along the axes; None: along all. A window onto the same elements.

    Raises:
        AxisError: an axis that x does not have.

    >>> flip([[1, 2], [3, 4]], axis=1).to_list()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    return _array(x).flip(axis)


def repeat(x: ArrayLike, repeats: ArrayLike, axis: int | None = None) -> MLArray:
    """Each element, or each slice along the axis, repeated; the gradient is the sum of the copies'.

    Args:
        x: anything that MLArray takes.
        repeats: how often: one integer, or one for each slice.
        axis: along which axis; None flattens x first.

    Raises:
        ShapeError: neither one number nor one for each slice.
        ValueError: a negative number.

    >>> repeat([1, 2], 2).to_list(), repeat([1, 2], [1, 3]).to_list()
    ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 2.0, 2.0])
    """
    return _array(x).repeat(repeats, axis)


def tile(x: ArrayLike, repetitions: int | Sequence[int]) -> MLArray:
    """x laid side by side, so many times along each axis, the last ones if they are fewer.

    Raises:
        ShapeError: a negative number.

    >>> tile([1, 2], 2).to_list(), tile([1, 2], (2, 1)).to_list()
    ([1.0, 2.0, 1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])
    """
    return _array(x).tile(repetitions)


def tril(x: ArrayLike, k: int = 0) -> MLArray:
    """The lower triangle of the last two axes: zeros above the k-th diagonal.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> tril([[1, 2], [3, 4]]).to_list()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _array(x).tril(k)


def triu(x: ArrayLike, k: int = 0) -> MLArray:
    """The upper triangle of the last two axes: zeros below the k-th diagonal.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> triu([[1, 2], [3, 4]], k=1).to_list()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    return _array(x).triu(k)


def diagonal(x: ArrayLike, offset: int = 0) -> MLArray:
    """A diagonal of the last two axes: out[..., i] = x[..., i, i + offset]. A window.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> diagonal([[1, 2], [3, 4]]).to_list(), diagonal([[1, 2], [3, 4]], offset=-1).to_list()
    ([1.0, 4.0], [3.0])
    """
    return _array(x).diagonal(offset)


def trace(x: ArrayLike, offset: int = 0) -> MLArray:
    """The sum of a diagonal of the last two axes.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> trace([[1, 2], [3, 4]]).item()
    5.0
    """
    return _array(x).trace(offset)


def split(x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[MLArray]:
    """x cut into pieces along an axis; as `numpy.split`. The pieces are windows onto x.

    Args:
        x: anything that MLArray takes.
        indices_or_sections: how many equal parts, or the positions to cut at.
        axis: along which axis.

    Raises:
        ShapeError: a length that cannot be cut into so many equal parts.
        AxisError: an axis that x does not have.

    >>> [piece.to_list() for piece in split([1, 2, 3, 4], 2)]
    [[1.0, 2.0], [3.0, 4.0]]
    >>> [piece.to_list() for piece in split([1, 2, 3, 4], [1, 3])]
    [[1.0], [2.0, 3.0], [4.0]]
    """
    return _array(x).split(indices_or_sections, axis)
