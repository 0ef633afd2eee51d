"""Rules of elements picked along an axis: by positions of any kind, and by those that sort."""

from __future__ import annotations

from typing import Any

from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Shape
from smolml_array.backends.protocol import Backend, Raw


def along(xp: Backend, shape: Shape, indices: Raw, axis: int) -> tuple[Raw, ...]:
    """The key that picks what `indices` name along an axis: x[key] is take_along_axis."""
    ndim = len(shape)
    return tuple(
        indices
        if i == axis
        else xp.reshape(xp.arange(n), tuple(n if j == i else 1 for j in range(ndim)))
        for i, n in enumerate(shape)
    )


def _take_along_axis_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, indices: Raw, axis: int, key: tuple[Raw, ...]
) -> Raw:
    """Positions that are named twice get both."""
    return xp.index_add(xp.zeros(x.shape, dtype=x.dtype), key, g)


TAKE_ALONG_AXIS = Rule(
    "take_along_axis",
    lambda xp, x, *, indices, axis, key: xp.take_along_axis(x, indices, axis=axis),
    _take_along_axis_vjp,
    jvp="linear",
)

# `order` names each position once, and `back` undoes it: nothing needs to be added up.
SORT = Rule(
    "sort",
    lambda xp, x, *, order, back, axis: xp.take_along_axis(x, order, axis=axis),
    lambda xp, g, out, x, *, order, back, axis: xp.take_along_axis(g, back, axis=axis),
    jvp="linear",
)
