"""Rearranging arrays beyond reshape and transpose: windows, borders, shifts, repeats, triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from smolml_array import _rules_windows
from smolml_array._arranging import Arranging
from smolml_array._shape import Axis
from smolml_array.backends.windowing import window_axes


class Rearranging(Arranging):
    """An array whose elements can be taken in windows, padded, shifted and repeated."""

    __slots__ = ()

    def sliding_windows(self, window_shape: int | Sequence[int], axis: Axis = None) -> Self:
        """Every window along the axes; see `smolml_array.sliding_windows`."""
        window, axes = window_axes(self.shape, window_shape, axis)
        return self._rule(_rules_windows.SLIDING_WINDOWS, self, window_shape=window, axis=axes)
