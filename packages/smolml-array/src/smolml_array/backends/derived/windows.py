"""Windows and borders: every window picked, their overlaps added up, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from smolml_array._shapes.axes import Axis, Shape, as_shape
from smolml_array._shapes.windowing import (
    PadWidth,
    inside,
    overlap_axes,
    pad_widths,
    padded_shape,
    window_axes,
)
from smolml_array.backends.signatures import Raw


def _places(xp: Any, positions: int, length: int) -> Raw:
    """Where each element of each window comes from."""
    return xp.add(xp.reshape(xp.arange(positions), (positions, 1)), xp.arange(length))


class Windows(Protocol):
    """Windows and borders."""

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
