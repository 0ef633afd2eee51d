"""Windows and borders of ndarrays: views of every window, their overlaps added, padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from smolml_array._shapes.axes import Axis, Shape, as_shape
from smolml_array._shapes.windowing import overlap_axes, window_axes, windows_shape
from smolml_array.backends.numpy.dtypes import I64
from smolml_array.backends.signatures import Raw


def sliding_windows(x: Raw, /, window_shape: int | Sequence[int], axis: Axis = None) -> Raw:
    """Every window along the axes: a view, shaped like the positions, then like a window."""
    window, axes = window_axes(x.shape, window_shape, axis)
    steps = (*x.strides, *(x.strides[a] for a in axes))
    return as_strided(x, windows_shape(x.shape, window, axes), steps, writeable=False)


def overlap_add(windows: Raw, /, shape: Shape, axis: Axis = None) -> Raw:
    """The adjoint of `sliding_windows`: each window added where it was taken from.

    One axis after the other, and along it a slice for every offset in the window, or for every
    window, whichever are fewer.
    """
    shape = as_shape(shape, "overlap_add")
    axes = overlap_axes(windows.shape, shape, axis)
    out = windows if windows.dtype.kind != "b" else windows.astype(I64)
    for a in reversed(axes):
        out = _overlap_add_along(out, a, shape[a])
    return out


def _overlap_add_along(windows: Raw, axis: int, n: int) -> Raw:
    positions, length = windows.shape[axis], windows.shape[-1]
    out = np.zeros((*windows.shape[:axis], n, *windows.shape[axis + 1 : -1]), windows.dtype)
    target, source = np.moveaxis(out, axis, 0), np.moveaxis(windows, (axis, -1), (0, 1))
    if positions < length:
        for i in range(positions):
            target[i : i + length] += source[i]
    else:
        for i in range(length):
            target[i : i + positions] += source[:, i]
    return out
