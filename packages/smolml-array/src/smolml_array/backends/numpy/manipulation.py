"""Shapes of ndarrays: views where NumPy can, errors in our words, no Python layers on hot paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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
)
from smolml_array.backends.protocol import Raw

ndarray = np.ndarray
_SMALL = 4096  # elements up to which copying is quicker than making a broadcast view


def broadcast_to(x: Raw, /, shape: Shape) -> Raw:
    """x repeated to the shape."""
    x = np.asarray(x)
    try:
        if x.ndim > len(shape) or math.prod(shape) > _SMALL:
            return np.broadcast_to(x, shape)
        out = np.empty(shape, x.dtype)
        out[...] = x
        return out
    except ValueError:
        shape = as_shape(shape, "broadcast_to")
        raise ShapeError(f"broadcast_to: shape {x.shape} does not broadcast to {shape}") from None


def broadcast_arrays(*arrays: Raw) -> tuple[Raw, ...]:
    """The arrays, each with the common shape."""
    shape = _broadcast_shapes(*map(np.shape, arrays), who="broadcast_arrays")
    return tuple(broadcast_to(x, shape) for x in arrays)


def reshape(x: Raw, /, shape: int | Sequence[int]) -> Raw:
    """The same elements in C order in another shape; one length may be -1."""
    try:
        out = x.reshape(shape)
        return out if type(out) is ndarray else np.asarray(out)  # of one of NumPy's scalars
    except (ValueError, TypeError):
        reshape_shape(x.shape, shape)
        raise


def permute_dims(x: Raw, /, axes: Sequence[int]) -> Raw:
    """x with its axes in this order."""
    try:
        return np.asarray(x.transpose(axes))
    except (ValueError, TypeError):
        normalize_permutation(axes, x.ndim, "permute_dims")
        raise


def expand_dims(x: Raw, /, axis: int | tuple[int, ...] = 0) -> Raw:
    """x with axes of length 1 put in."""
    return x.reshape(expand_shape(x.shape, axis))


def squeeze(x: Raw, /, axis: Axis = None) -> Raw:
    """x without these axes of length 1; None: without all of them."""
    return reshape(x, reduced_shape(x.shape, squeeze_axes(x.shape, axis)))


def moveaxis(x: Raw, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Raw:
    """x with axes moved to new positions, the others in order."""
    return x.transpose(move_axes(x.ndim, source, destination, "moveaxis"))


def flip(x: Raw, /, axis: Axis = None) -> Raw:
    """x backwards along the axes."""
    axes = normalize_axes(axis, x.ndim, "flip")
    key = tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))
    return np.asarray(x[key])


def roll(x: Raw, /, shift: int | tuple[int, ...], axis: Axis = None) -> Raw:
    """x shifted along the axes, what falls out comes in again; None: in C order."""
    if axis is not None:
        for i in axis if isinstance(axis, tuple) else (axis,):
            normalize_axis(i, x.ndim, "roll")
    return np.roll(x, shift, axis)


def tile(x: Raw, repetitions: int | Sequence[int], /) -> Raw:
    """x laid side by side, so many times along each axis."""
    return np.tile(x, repetitions)


def repeat(x: Raw, repeats: Any, /, axis: int | None = None) -> Raw:
    """Each element (or slice along the axis) repeated; None flattens first."""
    if axis is not None:
        axis = normalize_axis(axis, x.ndim, "repeat")
    n = x.size if axis is None else x.shape[axis]
    counts = np.shape(repeats)
    if counts not in ((), (1,), (n,)):
        raise ShapeError(f"repeat: expected one number of repeats or {n}, got shape {counts}")
    if np.any(np.less(repeats, 0)):
        raise ValueError("repeat: a number of repeats is negative: expected >= 0")
    return np.repeat(x, repeats, axis)


def concat(arrays: Sequence[Raw], /, axis: int | None = 0) -> Raw:
    """The arrays joined along an axis; None flattens them first."""
    try:
        return np.concatenate(arrays, axis)
    except ValueError:
        shapes = [(x.size,) if axis is None else x.shape for x in arrays]
        concat_shape(shapes, 0 if axis is None else axis)
        raise


def stack(arrays: Sequence[Raw], /, axis: int = 0) -> Raw:
    """Arrays of one shape side by side along a new axis."""
    arrays = tuple(arrays)
    stack_shape([x.shape for x in arrays], axis)
    return np.stack(arrays, axis)


def unstack(x: Raw, /, axis: int = 0) -> tuple[Raw, ...]:
    """The slices along the axis."""
    if x.ndim:
        x = np.moveaxis(x, normalize_axis(axis, x.ndim, "unstack"), 0)
    else:
        normalize_axis(axis, 0, "unstack")
    return tuple(x[i, ...] for i in range(x.shape[0]))
