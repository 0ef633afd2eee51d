"""The shapes of sliding windows and of padding, for every backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex

from smolml_array._shapes.axes import (
    Axis,
    AxisError,
    Shape,
    ShapeError,
    as_shape,
    is_index,
    normalize_axes,
)

PadWidth = int | Sequence[int] | Sequence[Sequence[int]]


def window_axes(
    shape: Shape, window_shape: int | Sequence[int], axis: Axis, who: str = "sliding_windows"
) -> tuple[Shape, tuple[int, ...]]:
    """The length of a window along each axis that it slides on, and these axes counted from 0.

    Raises:
        ShapeError: a window that is longer than its axis, or a negative length.
        AxisError: not one length for each axis, or an axis named twice.

    >>> window_axes((5, 6), 3, -1), window_axes((5, 6), (2, 2), None)
    (((3,), (1,)), ((2, 2), (0, 1)))
    """
    window = as_shape(window_shape, who)
    axes = normalize_axes(axis, len(shape), who)
    if len(window) != len(axes):
        where = f"the axes {axes}" if axis is not None else f"all {len(shape)} axes"
        raise AxisError(
            f"{who}: the window shape {window} has {len(window)} lengths for {where}: "
            f"expected one for each; name the axes with axis="
        )
    for length, a in zip(window, axes, strict=True):
        if length > shape[a]:
            raise ShapeError(
                f"{who}: a window of {length} does not fit into axis {a} of shape {shape}: "
                f"expected at most {shape[a]}"
            )
    return window, axes


def windows_shape(shape: Shape, window: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape of all windows: their positions, then each window.

    >>> windows_shape((5, 6), (3,), (1,))
    (5, 4, 3)
    """
    positions = list(shape)
    for length, a in zip(window, axes, strict=True):
        positions[a] += 1 - length
    return (*positions, *window)


def overlap_axes(windows: Shape, shape: Shape, axis: Axis) -> tuple[int, ...]:
    """The axes of `shape` from which windows of the shape `windows` were taken.

    Raises:
        ShapeError: there are no such windows of that shape.

    >>> overlap_axes((5, 4, 3), (5, 6), 1)
    (1,)
    """
    axes = normalize_axes(axis, len(shape), "overlap_add")
    window = windows[len(shape) :]
    fits = len(window) == len(axes)
    if not fits or windows_shape(shape, window, axes) != windows:
        raise ShapeError(
            f"overlap_add: windows of shape {windows} cannot come from axes {axes} of an array "
            f"of shape {shape}: expected the shape of sliding_windows"
        )
    return axes


def pad_widths(pad_width: PadWidth, ndim: int, who: str = "pad") -> tuple[tuple[int, int], ...]:
    """How much is put before and after, for each axis.

    One number serves both ends of every axis, one pair every axis, else one pair for each. As in
    NumPy, a number alone in a sequence is one number.

    Raises:
        ValueError: negative widths, or not one pair for each axis.
        TypeError: widths that are not integers.

    >>> pad_widths(1, 2), pad_widths((1, 2), 1), pad_widths([(0, 1), (2, 3)], 2)
    (((1, 1), (1, 1)), ((1, 2),), ((0, 1), (2, 3)))
    """
    given: Any = pad_width
    if is_index(given):
        pairs: Any = [(given, given)] * ndim
    elif not isinstance(given, Iterable):
        raise TypeError(f"{who}: expected integers as widths, got {given!r:.60}")
    else:
        pairs = list(given)
        if len(pairs) == 2 and all(map(is_index, pairs)):
            pairs = [tuple(pairs)] * ndim
        elif len(pairs) == 1:
            pairs = [(pairs[0],) * 2 if is_index(pairs[0]) else pairs[0]] * ndim
    widths = [tuple(pair) if not is_index(pair) else (pair,) for pair in pairs]
    if len(widths) != ndim or any(len(pair) != 2 for pair in widths):
        raise ValueError(
            f"{who}: widths {pad_width!r:.60} for an array of {ndim} dimensions: expected a "
            f"number, one pair (before, after), or a pair for each axis"
        )
    return tuple((_width(a, who), _width(b, who)) for a, b in widths)


def _width(width: SupportsIndex, who: str) -> int:
    if not is_index(width):
        raise TypeError(f"{who}: expected integers as widths, got {width!r}")
    if int(width) < 0:
        raise ValueError(f"{who}: a width of {int(width)}: expected >= 0; to cut off, use x[1:-1]")
    return int(width)


def padded_shape(shape: Shape, widths: Sequence[tuple[int, int]]) -> Shape:
    """The shape after padding.

    >>> padded_shape((2, 3), ((1, 0), (2, 2)))
    (3, 7)
    """
    return tuple(before + n + after for n, (before, after) in zip(shape, widths, strict=True))


def inside(shape: Shape, widths: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    """The key of what stood there before padding an array of `shape`.

    >>> inside((2, 3), ((1, 0), (2, 2)))
    (slice(1, 3, None), slice(2, 5, None))
    """
    return tuple(slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))
