"""The elements of arrays in other places: made of reshape, permute_dims, concat and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from smolml_array._shapes.axes import (
    Axis,
    _broadcast_shapes,
    as_shape,
    check_matrix,
    expand_shape,
    move_axes,
    normalize_axes,
    normalize_axis,
    reduced_shape,
    squeeze_axes,
    stack_shape,
)
from smolml_array._shapes.nested import check_count
from smolml_array._shapes.picking import check_repeats
from smolml_array.backends.signatures import Raw


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
        return xp.reshape(x, expand_shape(x.shape, axis))

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
        _, axis = stack_shape([x.shape for x in arrays], axis)
        return xp.concat([xp.expand_dims(x, axis) for x in arrays], axis)

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
