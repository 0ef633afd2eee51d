"""Windows and borders of pure arrays: every window as a copy, their overlaps added, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add
from typing import Any

from smolml_array._shapes.axes import Axis, Shape, as_shape, strides
from smolml_array._shapes.windowing import (
    PadWidth,
    overlap_axes,
    pad_widths,
    padded_shape,
    window_axes,
    windows_shape,
)
from smolml_array.backends.pure.broadcasting import gather
from smolml_array.backends.pure.creation import asarray
from smolml_array.backends.pure.dtypes import bool_, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import cast
from smolml_array.backends.pure.rows import permuted


def sliding_windows(x: NDArray, /, window_shape: int | Sequence[int], axis: Axis = None) -> NDArray:
    """Every window along the axes: shaped like the positions, then like a window."""
    window, axes = window_axes(x.shape, window_shape, axis)
    shape = windows_shape(x.shape, window, axes)
    steps = strides(x.shape)
    steps = (*steps, *(steps[a] for a in axes))
    dims = [range(0, n * step, step) for n, step in zip(shape, steps, strict=True)]
    return NDArray(gather(x.flat, dims) if 0 not in shape else [], shape, x.dtype)


def overlap_add(windows: NDArray, /, shape: Shape, axis: Axis = None) -> NDArray:
    """The adjoint of `sliding_windows`: each window added where it was taken from."""
    shape = as_shape(shape, "overlap_add")
    axes = overlap_axes(windows.shape, shape, axis)
    out = cast(windows, int64) if windows.dtype is bool_ else windows
    for a in reversed(axes):
        out = _overlap_add_along(out, a, shape[a])
    return NDArray(wrapped(out.flat), shape, int64) if out.dtype is int64 else out


def _overlap_add_along(x: NDArray, axis: int, n: int) -> NDArray:
    """Whole blocks at a time: what stands at one offset of all windows is contiguous."""
    last = x.ndim - 1
    length = x.shape[last]
    between = range(axis + 1, last)
    flat = permuted(x, (*range(axis), last, axis, *between)).flat
    inner = math.prod(x.shape[i] for i in between)
    block = x.shape[axis] * inner
    zero = x.dtype.python(0)
    out: list[Any] = []
    start = 0
    for _ in range(math.prod(x.shape[:axis])):
        row = [zero] * (n * inner)
        for at in range(0, length * inner, inner or 1):
            row[at : at + block] = map(add, row[at : at + block], flat[start : start + block])
            start += block
        out += row
    return NDArray(out, (*x.shape[:axis], n, *x.shape[axis + 1 : -1]), x.dtype)


def pad(x: NDArray, /, pad_width: PadWidth, *, constant_values: Any = 0) -> NDArray:
    """x inside a border of one number, which takes the dtype of x."""
    widths = pad_widths(pad_width, x.ndim)
    border = asarray(constant_values, dtype=x.dtype).flat
    flat, inner = x.flat, 1
    for n, (before, after) in zip(reversed(x.shape), reversed(widths), strict=True):
        if before or after:
            head, tail, block = border * (before * inner), border * (after * inner), n * inner
            rows = len(flat) // block if block else 0
            padded: list[Any] = []
            for i in range(rows):
                padded += head
                padded += flat[i * block : (i + 1) * block]
                padded += tail
            flat = padded
        inner *= before + n + after
    shape = padded_shape(x.shape, widths)
    if len(flat) != math.prod(shape):  # there was nothing to put a border around
        flat = border * math.prod(shape)
    return NDArray(flat, shape, x.dtype)
