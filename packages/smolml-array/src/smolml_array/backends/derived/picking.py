"""Elements found and picked: made of index and argsort."""

from __future__ import annotations

import math
from typing import Any, Protocol

from smolml_array._shapes.axes import normalize_axis, one_axis
from smolml_array._shapes.picking import checked_along
from smolml_array.backends.signatures import Raw


def _positions(xp: Any, who: str, indices: Any) -> Raw:
    picks = xp.asarray(indices)
    if picks.dtype != xp.int64:
        if math.prod(picks.shape):
            raise IndexError(f"{who}: expected int64 indices, got {picks.dtype}")
        picks = xp.astype(picks, xp.int64)  # nothing is named
    return picks


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
