"""Picking elements by positions along an axis, and sorting."""

from __future__ import annotations

from typing import Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.handle import Handle
from smolml_array._graph.mixing import for_message, numbers_on
from smolml_array._methods.rearranging import Rearranging
from smolml_array._shapes.axes import AxisError, ShapeError, _broadcast_shapes, normalize_axis
from smolml_array.backends.protocol import Raw
from smolml_array.functions import rules, rules_sort


class Selecting(Rearranging):
    """An array that can be sorted, and whose elements can be picked along an axis."""

    __slots__ = ()

    def take(self, indices: ArrayLike, axis: int | None = None) -> Self:
        """The slices at these positions of the axis; see `smolml_array.take`."""
        if axis is None and len(self.shape) != 1:
            raise AxisError(
                f"take: expected axis= for an array of {len(self.shape)} dimensions; "
                f"only with 1 may it be left out"
            )
        axis = normalize_axis(axis or 0, len(self.shape), "take")
        places = self._places("take", indices, axis)
        return self._rule(rules.TAKE, self, key=(slice(None),) * axis + (places,))

    def take_along_axis(self, indices: ArrayLike, axis: int = -1) -> Self:
        """For each position the element there; see `smolml_array.take_along_axis`."""
        shape = self.shape
        axis = normalize_axis(axis, len(shape), "take_along_axis")
        places = self._places("take_along_axis", indices, axis)
        if len(places.shape) != len(shape):
            raise ShapeError(
                f"take_along_axis: indices of shape {places.shape} for an array of shape {shape}: "
                f"expected as many dimensions"
            )
        around = tuple(1 if i == axis else n for i, n in enumerate(shape))
        _broadcast_shapes(around, places.shape, who="take_along_axis")
        key = rules_sort.along(self._fetch().backend, shape, places, axis)
        rule = rules_sort.TAKE_ALONG_AXIS
        return self._rule(rule, self, indices=places, axis=axis, key=key)

    def _places(self, who: str, indices: ArrayLike, axis: int) -> Raw:
        """Indices as a raw array of int64 that nobody writes to.

        Raises:
            IndexError: what is not an integer, or out of bounds.
        """
        xp = self._fetch().backend
        if isinstance(indices, Handle):
            raw = numbers_on(xp, indices)
        else:
            raw = xp.asarray(indices, copy=True)
        if not raw.size:
            return xp.astype(raw, xp.int64)
        if raw.dtype != xp.int64:
            raise IndexError(
                f"{who}: expected integers as positions, got an array of {raw.dtype}; "
                f"use MLArray(..., dtype='int64')"
            )
        n = self.shape[axis]
        low, high = xp.min(raw), xp.max(raw)
        below = bool(xp.less(low, -n))
        if below or bool(xp.greater_equal(high, n)):
            raise IndexError(
                f"{who}: position {int(for_message(low if below else high))} is out of bounds for "
                f"axis {axis} of shape {self.shape}: expected {-n} <= position < {n}"
            )
        return raw

    def argsort(self, axis: int = -1, descending: bool = False, stable: bool = True) -> Self:
        """The positions that sort it, a constant; see `smolml_array.argsort`."""
        axis = normalize_axis(axis, len(self.shape), "argsort")
        node = self._fetch()
        xp = node.backend
        order = xp.argsort(node.raw, axis=axis, descending=bool(descending), stable=bool(stable))
        return self._constant(xp, order)

    def sort(self, axis: int = -1, descending: bool = False, stable: bool = True) -> Self:
        """Sorted along the axis; see `smolml_array.sort`."""
        axis = normalize_axis(axis, len(self.shape), "sort")
        xp, shape = self._fetch().backend, self.shape
        order = back = self.argsort(axis, descending, stable)._node.raw
        if self.requires_grad:  # back[order[i]] = i
            key = rules_sort.along(xp, shape, order, axis)
            lengths = tuple(n if i == axis else 1 for i, n in enumerate(shape))
            back = xp.index_put(order, key, xp.reshape(xp.arange(shape[axis]), lengths))
        return self._rule(rules_sort.SORT, self, order=order, back=back, axis=axis)
