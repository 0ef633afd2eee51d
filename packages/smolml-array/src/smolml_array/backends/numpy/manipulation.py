"""Shapes of ndarrays: views where NumPy can, errors in our words, no Python layers on hot paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from smolml_array._shapes.axes import (
    Shape,
    ShapeError,
    as_shape,
    concat_shape,
    normalize_axis,
    normalize_permutation,
    reshape_shape,
)
from smolml_array._shapes.picking import check_repeats
from smolml_array.backends.signatures import Raw

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


def repeat(x: Raw, repeats: Any, /, axis: int | None = None) -> Raw:
    """Each element (or slice along the axis) repeated; None flattens first."""
    try:
        return np.repeat(x, repeats, axis)
    except (ValueError, TypeError):
        n = x.size if axis is None else x.shape[normalize_axis(axis, x.ndim, "repeat")]
        check_repeats(np.reshape(repeats, -1).tolist(), n)
        raise


def concat(arrays: Sequence[Raw], /, axis: int | None = 0) -> Raw:
    """The arrays joined along an axis; None flattens them first."""
    try:
        return np.concatenate(arrays, axis)
    except ValueError:
        shapes = [(x.size,) if axis is None else x.shape for x in arrays]
        concat_shape(shapes, 0 if axis is None else axis)
        raise
