"""Axes brought into order: arrays with permuted axes, and what to reduce as rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from smolml_array._shapes.axes import move_axes, reduced_shape, strides
from smolml_array.backends.pure.broadcasting import gather
from smolml_array.backends.pure.dtypes import DType
from smolml_array.backends.pure.ndarray import NDArray


def permuted(x: NDArray, order: tuple[int, ...]) -> NDArray:
    """x with its axes in this order, each counted from 0."""
    if order == tuple(range(len(order))):
        return x
    steps = strides(x.shape)
    shape = tuple(x.shape[i] for i in order)
    dims = [range(0, x.shape[i] * steps[i], steps[i]) for i in order]
    return NDArray(gather(x.flat, dims) if x.flat else [], shape, x.dtype)


def rows(x: NDArray, axes: tuple[int, ...]) -> list[list[Any]]:
    """The elements that reduce to one, for each element of the result in C order."""
    shape, flat = x.shape, x.flat
    if len(axes) == len(shape):
        return [flat]
    length = math.prod(shape[i] for i in axes)
    results = math.prod(n for i, n in enumerate(shape) if i not in axes)
    if length == 0 or results == 0:
        return [[] for _ in range(results)]
    if axes and sorted(axes) == list(range(min(axes), min(axes) + len(axes))):
        inner = math.prod(shape[max(axes) + 1 :])
        block = length * inner
        if inner == 1:
            return [flat[i : i + block] for i in range(0, len(flat), block)]
        return [
            flat[start + i : start + block : inner]
            for start in range(0, len(flat), block)
            for i in range(inner)
        ]
    kept = [i for i in range(len(shape)) if i not in axes]
    moved = permuted(x, (*kept, *sorted(axes))).flat
    return [moved[i : i + length] for i in range(0, len(moved), length)]


def along(
    f: Callable[[list[Any]], Iterable[Any]],
    who: str,
    x: NDArray,
    axis: int,
    dtype: DType,
    more: int = 0,
) -> NDArray:
    """f of each row along the axis (counted from 0), in its place; it has so many more elements."""
    flat = list(chain.from_iterable(map(f, rows(x, (axis,)))))
    shape = (*reduced_shape(x.shape, (axis,)), x.shape[axis] + more)
    return permuted(NDArray(flat, shape, dtype), move_axes(x.ndim, -1, axis, who))
