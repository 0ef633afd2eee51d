"""Shapes of pure arrays: the list shared where the order stays, else one pass over its offsets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from smolml_array._shapes.axes import (
    Axis,
    Shape,
    ShapeError,
    _broadcast_shapes,
    as_shape,
    concat_shape,
    expand_shape,
    move_axes,
    normalize_axes,
    normalize_axis,
    normalize_permutation,
    reduced_shape,
    reshape_shape,
    squeeze_axes,
    stack_shape,
    strides,
)
from smolml_array.backends.pure.broadcasting import expand, gather
from smolml_array.backends.pure.dtypes import promote
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_array.backends.pure.rows import permuted


def axis_offsets(shape: Shape) -> list[Any]:
    """For each axis the offsets of its positions: what `gather` reads the whole array with."""
    return [range(0, n * step, step) for n, step in zip(shape, strides(shape), strict=True)]


def gathered(x: NDArray, dims: list[Any]) -> NDArray:
    """The array that reads x at these offsets, one sequence of them per axis."""
    shape = tuple(map(len, dims))
    return NDArray(gather(x.flat, dims) if 0 not in shape else [], shape, x.dtype)


def broadcast_to(x: Any, /, shape: Shape) -> NDArray:
    """x repeated to the shape."""
    x = as_array(x, "broadcast_to")
    shape = as_shape(shape, "broadcast_to")
    try:
        fits = x.ndim <= len(shape) and _broadcast_shapes(x.shape, shape) == shape
    except ShapeError:
        fits = False
    if not fits:
        raise ShapeError(f"broadcast_to: shape {x.shape} does not broadcast to {shape}")
    return NDArray(expand(x.flat, x.shape, shape), shape, x.dtype)


def broadcast_arrays(*arrays: NDArray) -> tuple[NDArray, ...]:
    """The arrays, each with the common shape."""
    shape = _broadcast_shapes(*(x.shape for x in arrays), who="broadcast_arrays")
    return tuple(NDArray(expand(x.flat, x.shape, shape), shape, x.dtype) for x in arrays)


def reshape(x: NDArray, /, shape: int | Sequence[int]) -> NDArray:
    """The same elements in C order in another shape; one length may be -1."""
    return NDArray(x.flat, reshape_shape(x.shape, shape), x.dtype)


def permute_dims(x: NDArray, /, axes: Sequence[int]) -> NDArray:
    """x with its axes in this order."""
    return permuted(x, normalize_permutation(axes, x.ndim, "permute_dims"))


def matrix_transpose(x: NDArray, /) -> NDArray:
    """The last two axes swapped."""
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: shape {x.shape}: expected at least 2 dimensions")
    return permuted(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def expand_dims(x: NDArray, /, axis: int | tuple[int, ...] = 0) -> NDArray:
    """x with axes of length 1 put in."""
    return NDArray(x.flat, expand_shape(x.shape, axis), x.dtype)


def squeeze(x: NDArray, /, axis: Axis = None) -> NDArray:
    """x without these axes of length 1; None: without all of them."""
    return NDArray(x.flat, reduced_shape(x.shape, squeeze_axes(x.shape, axis)), x.dtype)


def moveaxis(
    x: NDArray, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> NDArray:
    """x with axes moved to new positions, the others in order."""
    return permuted(x, move_axes(x.ndim, source, destination, "moveaxis"))


def flip(x: NDArray, /, axis: Axis = None) -> NDArray:
    """x backwards along the axes."""
    axes = normalize_axes(axis, x.ndim, "flip")
    if len(axes) == x.ndim:
        return NDArray(x.flat[::-1], x.shape, x.dtype)
    dims = [dim[::-1] if i in axes else dim for i, dim in enumerate(axis_offsets(x.shape))]
    return gathered(x, dims)


def roll(x: NDArray, /, shift: int | tuple[int, ...], axis: Axis = None) -> NDArray:
    """x shifted along the axes, what falls out comes in again; None: in C order."""
    if axis is None:
        total = sum(shift) if isinstance(shift, tuple) else shift
        return NDArray(_rolled(x.flat, total), x.shape, x.dtype)
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,)
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ValueError(f"roll: {len(shifts)} shifts for {len(axes)} axes: expected as many")
    count = max(len(shifts), len(axes))
    dims = [list(dim) for dim in axis_offsets(x.shape)]
    for i in range(count):
        n = normalize_axis(axes[i % len(axes)], x.ndim, "roll")
        dims[n] = _rolled(dims[n], shifts[i % len(shifts)])
    return gathered(x, dims)


def _rolled(row: list[Any], shift: int) -> list[Any]:
    k = shift % len(row) if row else 0
    return row[-k:] + row[:-k] if k else row


def tile(x: NDArray, repetitions: int | Sequence[int], /) -> NDArray:
    """x laid side by side, so many times along each axis."""
    counts = as_shape(repetitions, "tile")
    ndim = max(x.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    x = NDArray(x.flat, (1,) * (ndim - x.ndim) + x.shape, x.dtype)
    return gathered(x, [[*d] * k for d, k in zip(axis_offsets(x.shape), counts, strict=True)])


def repeat(x: NDArray, repeats: Any, /, axis: int | None = None) -> NDArray:
    """Each element (or slice along the axis) repeated; None flattens first."""
    if axis is None:
        x, axis = NDArray(x.flat, (x.size,), x.dtype), 0
    axis = normalize_axis(axis, x.ndim, "repeat")
    n = x.shape[axis]
    counts = repeats.tolist() if isinstance(repeats, NDArray) else repeats
    if not isinstance(counts, list | tuple):
        counts = [counts]
    if len(counts) not in (1, n):
        raise ShapeError(
            f"repeat: expected one number of repeats or {n}, got shape {(len(counts),)}"
        )
    if any(k < 0 for k in counts):
        raise ValueError("repeat: a number of repeats is negative: expected >= 0")
    if len(counts) != n:
        counts = [*counts] * n
    dims = axis_offsets(x.shape)
    dims[axis] = [i for i, k in zip(dims[axis], counts, strict=True) for _ in range(k)]
    return gathered(x, dims)


def concat(arrays: Sequence[NDArray], /, axis: int | None = 0) -> NDArray:
    """The arrays joined along an axis; None flattens them first."""
    if axis is None:
        arrays, axis = [NDArray(x.flat, (x.size,), x.dtype) for x in arrays], 0
    shape, axis = concat_shape([x.shape for x in arrays], axis)
    dtype = promote(*(x.dtype for x in arrays))
    parts = [cast(x, dtype).flat for x in arrays]
    blocks = [math.prod(x.shape[axis:]) for x in arrays]
    outer = math.prod(shape[:axis])
    if outer == 1:
        return NDArray(list(chain.from_iterable(parts)), shape, dtype)
    pieces = (
        part[i * n : (i + 1) * n]
        for i in range(outer)
        for part, n in zip(parts, blocks, strict=True)
    )
    return NDArray(list(chain.from_iterable(pieces)), shape, dtype)


def stack(arrays: Sequence[NDArray], /, axis: int = 0) -> NDArray:
    """Arrays of one shape side by side along a new axis."""
    arrays = tuple(arrays)
    _, axis = stack_shape([x.shape for x in arrays], axis)
    return concat([expand_dims(x, axis) for x in arrays], axis)


def unstack(x: NDArray, /, axis: int = 0) -> tuple[NDArray, ...]:
    """The slices along the axis."""
    axis = normalize_axis(axis, x.ndim, "unstack")
    x = permuted(x, move_axes(x.ndim, axis, 0, "unstack"))
    n, shape = x.shape[0], x.shape[1:]
    block = math.prod(shape)
    return tuple(NDArray(x.flat[i * block : (i + 1) * block], shape, x.dtype) for i in range(n))
