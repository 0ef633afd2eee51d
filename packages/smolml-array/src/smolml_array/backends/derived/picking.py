"""Elements found and picked: made of index and argsort."""

from __future__ import annotations

import math
from typing import Any, Protocol

from smolml_array._shapes.axes import Shape, ShapeError, _broadcast_shapes, normalize_axis, one_axis
from smolml_array.backends.signatures import Raw


def _positions(xp: Any, who: str, indices: Any) -> Raw:
    picks = xp.asarray(indices)
    if picks.dtype != xp.int64:
        if math.prod(picks.shape):
            raise IndexError(f"{who}: expected int64 indices, got {picks.dtype}")
        picks = xp.astype(picks, xp.int64)  # nothing is named
    return picks


def along(xp: Any, shape: Shape, indices: Raw, axis: int) -> tuple[Raw, ...]:
    """The key that picks what `indices` name along an axis: x[key] is take_along_axis."""
    ndim = len(shape)
    return tuple(
        indices if i == axis else xp.reshape(xp.arange(n), (n,) + (1,) * (ndim - 1 - i))
        for i, n in enumerate(shape)
    )


def checked_along(xp: Any, shape: Shape, indices: Raw, axis: int) -> tuple[Raw, ...]:
    """The same key of indices that may have any shape.

    Raises:
        ShapeError: the dimensions differ in number, or do not broadcast.
    """
    if len(indices.shape) != len(shape):
        raise ShapeError(
            f"take_along_axis: indices of shape {indices.shape} for an array of shape {shape}: "
            f"expected as many dimensions"
        )
    around = tuple(1 if i == axis else n for i, n in enumerate(shape))
    _broadcast_shapes(around, indices.shape, who="take_along_axis")
    return along(xp, shape, indices, axis)


class Picking(Protocol):
    """Elements found and picked."""

    def index_put_into(xp: Any, total: Raw, key: Any, v: Raw, /) -> Raw:
        """total with total[key] = v, in new memory."""
        return xp.index_put(total, key, v)

    def index_add_into(xp: Any, total: Raw, key: Any, v: Raw, /) -> Raw:
        """total with v added at total[key], in new memory."""
        return xp.index_add(total, key, v)

    def take(xp: Any, x: Raw, indices: Raw, /, axis: int | None = None) -> Raw:
        """The slices at these positions of the axis (which a 1-D x need not name)."""
        axis = one_axis(axis, x.ndim, "take")
        return xp.index(x, (slice(None),) * axis + (_positions(xp, "take", indices),))

    def take_along_axis(xp: Any, x: Raw, indices: Raw, /, axis: int = -1) -> Raw:
        """For each position of `indices` the element of x there, along the axis."""
        axis = normalize_axis(axis, x.ndim, "take_along_axis")
        picks = _positions(xp, "take_along_axis", indices)
        return xp.index(x, checked_along(xp, x.shape, picks, axis))

    def sort(
        xp: Any, x: Raw, /, axis: int = -1, *, descending: bool = False, stable: bool = True
    ) -> Raw:
        """x sorted along the axis; nan is the largest."""
        axis = normalize_axis(axis, x.ndim, "sort")
        order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
        return xp.take_along_axis(x, order, axis)

    def unique_values(xp: Any, x: Raw, /) -> Raw:
        """The different elements, sorted; each nan counts as different."""
        line = xp.sort(xp.reshape(x, (-1,)))
        changes = xp.not_equal(xp.index(line, slice(1, None)), xp.index(line, slice(None, -1)))
        first = xp.ones((min(line.shape[0], 1),), dtype=xp.bool)
        return xp.index(line, xp.concat([first, changes]))
