"""Rules of windows and borders: sliding windows, their adjoint, and padding."""

from __future__ import annotations

from typing import Any

from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Shape
from smolml_array._shapes.windowing import inside
from smolml_array.backends.protocol import Raw

Widths = tuple[tuple[int, int], ...]

# Each is the adjoint of the other: a window's cotangent goes to where the window was taken from.
SLIDING_WINDOWS = Rule(
    "sliding_windows",
    lambda xp, x, *, window_shape, axis: xp.sliding_windows(x, window_shape, axis),
    lambda xp, g, out, x, *, window_shape, axis: xp.overlap_add(g, x.shape, axis),
    jvp="linear",
)


def _overlap_add_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, shape: Shape, axis: tuple[int, ...]
) -> Raw:
    return xp.sliding_windows(g, x.shape[len(shape) :], axis)


OVERLAP_ADD = Rule(
    "overlap_add",
    lambda xp, x, *, shape, axis: xp.overlap_add(x, shape, axis),
    _overlap_add_vjp,
    jvp="linear",
)


def _border_vjp(xp: Any, g: Raw, out: Raw, x: Raw, value: Raw, *, pad_width: Widths) -> Raw:
    return xp.sum(xp.index_put(g, inside(x.shape, pad_width), 0.0))


PAD = Rule(
    "pad",
    lambda xp, x, value, *, pad_width: xp.pad(x, pad_width, constant_values=value),
    lambda xp, g, out, x, value, *, pad_width: xp.index(g, inside(x.shape, pad_width)),
    _border_vjp,
    jvp="linear",
)
