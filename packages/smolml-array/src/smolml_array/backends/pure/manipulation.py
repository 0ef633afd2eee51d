"""Shapes of pure arrays: the list shared where the order stays, else one pass over its offsets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from smolml_array._shapes.axes import (
    Shape,
    ShapeError,
    as_shape,
    concat_shape,
    fits,
    normalize_permutation,
    reshape_shape,
)
from smolml_array._shapes.sizes import check_count
from smolml_array.backends.pure.broadcasting import expand
from smolml_array.backends.pure.dtypes import promote
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_array.backends.pure.rows import permuted


def broadcast_to(x: Any, /, shape: Shape) -> NDArray:
    """x repeated to the shape."""
    x = as_array(x, "broadcast_to")
    shape = as_shape(shape, "broadcast_to")
    check_count(math.prod(shape), "broadcast_to")
    if not fits(x.shape, shape):
        raise ShapeError(f"broadcast_to: shape {x.shape} does not broadcast to {shape}")
    return NDArray(expand(x.flat, x.shape, shape), shape, x.dtype)


def reshape(x: NDArray, /, shape: int | Sequence[int]) -> NDArray:
    """The same elements in C order in another shape; one length may be -1."""
    return NDArray(x.flat, reshape_shape(x.shape, shape), x.dtype)


def permute_dims(x: NDArray, /, axes: Sequence[int]) -> NDArray:
    """x with its axes in this order."""
    return permuted(x, normalize_permutation(axes, x.ndim, "permute_dims"))


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
