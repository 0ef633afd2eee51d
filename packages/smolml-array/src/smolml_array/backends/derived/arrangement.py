"""The elements of arrays in other places: moved, repeated, picked, sorted, in windows, in borders.

Made of reshape, permute_dims, concat, index and argsort.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from smolml_array._shapes.axes import (
    Axis,
    Shape,
    _broadcast_shapes,
    as_shape,
    check_matrix,
    expand_shape,
    move_axes,
    normalize_axes,
    normalize_axis,
    one_axis,
    reduced_shape,
    squeeze_axes,
    stack_shape,
)
from smolml_array._shapes.picking import check_repeats, checked_along
from smolml_array._shapes.sizes import check_count
from smolml_array._shapes.windowing import (
    PadWidth,
    inside,
    overlap_axes,
    pad_widths,
    padded_shape,
    window_axes,
)
from smolml_array.backends.signatures import Raw

_known_expansion = lru_cache(maxsize=1024)(expand_shape)
"""At one position: rules ask for few, on every edge of a graph."""


def _positions(xp: Any, who: str, indices: Any) -> Raw:
    picks = xp.asarray(indices)
    if picks.dtype != xp.int64:
        if math.prod(picks.shape):
            raise IndexError(f"{who}: expected int64 indices, got {picks.dtype}")
        picks = xp.astype(picks, xp.int64)  # nothing is named
    return picks


def _places(xp: Any, positions: int, length: int) -> Raw:
    """Where each element of each window comes from."""
    return xp.add(xp.reshape(xp.arange(positions), (positions, 1)), xp.arange(length))


class Arrangement(Protocol):
    """Elements in other places."""

    def broadcast_arrays(xp: Any, *arrays: Raw) -> tuple[Raw, ...]:
        """The arrays, each with the common shape."""
        shape = _broadcast_shapes(*(x.shape for x in arrays), who="broadcast_arrays")
        return tuple(xp.broadcast_to(x, shape) for x in arrays)

    def matrix_transpose(xp: Any, x: Raw, /) -> Raw:
        """The last two axes swapped."""
        check_matrix(x.shape, "matrix_transpose")
        return xp.permute_dims(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))

    def expand_dims(xp: Any, x: Raw, /, axis: int | tuple[int, ...] = 0) -> Raw:
        """x with axes of length 1 put in."""
        shape_of = _known_expansion if axis.__class__ is int else expand_shape
        return xp.reshape(x, shape_of(x.shape, axis))

    def squeeze(xp: Any, x: Raw, /, axis: Axis = None) -> Raw:
        """x without these axes of length 1; None: without all of them."""
        return xp.reshape(x, reduced_shape(x.shape, squeeze_axes(x.shape, axis)))

    def moveaxis(
        xp: Any, x: Raw, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
    ) -> Raw:
        """x with axes moved to new positions, the others in order."""
        return xp.permute_dims(x, move_axes(x.ndim, source, destination, "moveaxis"))

    def flip(xp: Any, x: Raw, /, axis: Axis = None) -> Raw:
        """x backwards along the axes."""
        axes = normalize_axes(axis, x.ndim, "flip")
        return xp.index(x, tuple(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim)))

    def roll(xp: Any, x: Raw, /, shift: int | tuple[int, ...], axis: Axis = None) -> Raw:
        """x shifted along the axes, what falls out comes in again; None: in C order."""
        if axis is None:
            total = sum(shift) if isinstance(shift, tuple) else shift
            return xp.reshape(xp.roll(xp.reshape(x, (-1,)), total, 0), x.shape)
        axes = axis if isinstance(axis, tuple) else (axis,)
        shifts = shift if isinstance(shift, tuple) else (shift,)
        if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
            raise ValueError(f"roll: {len(shifts)} shifts for {len(axes)} axes: expected as many")
        for i in range(max(len(shifts), len(axes)) if shifts and axes else 0):
            n = normalize_axis(axes[i % len(axes)], x.ndim, "roll")
            start = -shifts[i % len(shifts)] % max(x.shape[n], 1)  # what comes first afterwards
            before = (slice(None),) * n
            parts = xp.index(x, (*before, slice(start, None))), xp.index(x, (*before, slice(start)))
            x = xp.concat(parts, n) if start else x
        return x

    def tile(xp: Any, x: Raw, repetitions: int | Sequence[int], /) -> Raw:
        """x laid side by side, so many times along each axis."""
        counts = as_shape(repetitions, "tile")
        ndim = max(x.ndim, len(counts))
        counts = (1,) * (ndim - len(counts)) + counts
        shape = (1,) * (ndim - x.ndim) + x.shape
        pairs = list(zip(counts, shape, strict=True))
        single = xp.reshape(x, tuple(n for _, n in pairs for n in (1, n)))
        return xp.reshape(
            xp.broadcast_to(single, tuple(n for pair in pairs for n in pair)),
            tuple(k * n for k, n in pairs),
        )

    def repeat(xp: Any, x: Raw, repeats: Any, /, axis: int | None = None) -> Raw:
        """Each element (or slice along the axis) repeated; None flattens first."""
        if axis is None:
            x, axis = xp.reshape(x, (-1,)), 0
        axis = normalize_axis(axis, x.ndim, "repeat")
        n = x.shape[axis]
        counts = xp.to_flat(xp.reshape(xp.asarray(repeats), (-1,)))
        check_repeats(counts, n)
        counts = counts if len(counts) == n else counts * n
        check_count(sum(counts), "repeat")
        places = [i for i, k in enumerate(counts) for _ in range(k)]
        return xp.take(x, xp.from_flat(places, (len(places),), xp.int64), axis)

    def stack(xp: Any, arrays: Sequence[Raw], /, axis: int = 0) -> Raw:
        """Arrays of one shape side by side along a new axis."""
        arrays = tuple(arrays)
        shape, axis = stack_shape([x.shape for x in arrays], axis)
        slab = (*shape[:axis], 1, *shape[axis + 1 :])
        return xp.concat([xp.reshape(x, slab) for x in arrays], axis)

    def unstack(xp: Any, x: Raw, /, axis: int = 0) -> tuple[Raw, ...]:
        """The slices along the axis."""
        x = xp.moveaxis(x, normalize_axis(axis, x.ndim, "unstack"), 0)
        return tuple(xp.index(x, i) for i in range(x.shape[0]))

    def meshgrid(xp: Any, *arrays: Raw, indexing: str = "xy") -> tuple[Raw, ...]:
        """Coordinate arrays of the grid that 1-D arrays span."""
        if indexing not in ("xy", "ij"):
            raise ValueError(f"meshgrid: unknown indexing {indexing!r}: expected 'xy' or 'ij'")
        ndim = len(arrays)
        places = list(range(ndim))  # the axis along which each one varies
        if indexing == "xy" and ndim > 1:
            places[:2] = [1, 0]
        lengths = [math.prod(x.shape) for x in arrays]
        shape = tuple(lengths[places.index(axis)] for axis in range(ndim))
        return tuple(
            xp.broadcast_to(xp.reshape(x, (n,) + (1,) * (ndim - 1 - axis)), shape)
            for x, n, axis in zip(arrays, lengths, places, strict=True)
        )

    # Picked ---------------------------------------------------------------------------------------

    def index_put_into(xp: Any, total: Raw, key: Any, v: Raw, /) -> Raw:
        """total with total[key] = v, in new memory."""
        return xp.index_put(total, key, v)

    def index_add_into(xp: Any, total: Raw, key: Any, v: Raw, /) -> Raw:
        """total with v added at total[key], in new memory."""
        return xp.index_add(total, key, v)

    def take(xp: Any, x: Raw, indices: Raw, /, axis: int | None = None) -> Raw:
        """The slices at these positions of the axis (which a 1-D x need not name)."""
        axis = one_axis(axis, x.ndim, "take")
        return xp.index(x, (slice(None),) * axis + (_positions(xp, "take", indices),))

    def take_along_axis(xp: Any, x: Raw, indices: Raw, /, axis: int = -1) -> Raw:
        """For each position of `indices` the element of x there, along the axis."""
        axis = normalize_axis(axis, x.ndim, "take_along_axis")
        picks = _positions(xp, "take_along_axis", indices)
        return xp.index(x, checked_along(xp, x.shape, picks, axis))

    def sort(
        xp: Any, x: Raw, /, axis: int = -1, *, descending: bool = False, stable: bool = True
    ) -> Raw:
        """x sorted along the axis; nan is the largest."""
        axis = normalize_axis(axis, x.ndim, "sort")
        order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
        return xp.take_along_axis(x, order, axis)

    def unique_values(xp: Any, x: Raw, /) -> Raw:
        """The different elements, sorted; each nan counts as different."""
        line = xp.sort(xp.reshape(x, (-1,)))
        changes = xp.not_equal(xp.index(line, slice(1, None)), xp.index(line, slice(None, -1)))
        first = xp.ones((min(line.shape[0], 1),), dtype=xp.bool)
        return xp.index(line, xp.concat([first, changes]))

    # Windows and borders --------------------------------------------------------------------------

    def sliding_windows(
        xp: Any, x: Raw, /, window_shape: int | Sequence[int], axis: Axis = None
    ) -> Raw:
        """Every window along the axes: shaped like the positions, then like a window."""
        window, axes = window_axes(x.shape, window_shape, axis)
        for length, a in zip(window, axes, strict=True):
            places = _places(xp, x.shape[a] - length + 1, length)
            x = xp.moveaxis(xp.take(x, places, a), a + 1, -1)
        return x

    def overlap_add(xp: Any, windows: Raw, /, shape: Shape, axis: Axis = None) -> Raw:
        """The adjoint of `sliding_windows`: each window added where it was taken from."""
        shape = as_shape(shape, "overlap_add")
        axes = overlap_axes(windows.shape, shape, axis)
        out = xp.astype(windows, xp.int64) if windows.dtype == xp.bool else windows
        for a in reversed(axes):
            places = _places(xp, out.shape[a], out.shape[-1])
            nothing = xp.zeros((*out.shape[:a], shape[a], *out.shape[a + 1 : -1]), dtype=out.dtype)
            out = xp.index_add(nothing, (slice(None),) * a + (places,), xp.moveaxis(out, -1, a + 1))
        return out

    def pad(xp: Any, x: Raw, /, pad_width: PadWidth, *, constant_values: Raw = 0) -> Raw:
        """x inside a border of one number, which takes the dtype of x."""
        widths = pad_widths(pad_width, x.ndim)
        value = xp.asarray(constant_values, dtype=x.dtype)
        border = xp.broadcast_to(value, padded_shape(x.shape, widths))
        return xp.index_put(border, inside(x.shape, widths), x)
