"""Rearranging arrays beyond reshape and transpose: windows, borders, shifts, repeats, triangles."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._methods.arranging import Arranging
from smolml_array._shapes.axes import Axis, ShapeError, as_shape, is_index, normalize_axis
from smolml_array._shapes.windowing import PadWidth, pad_widths, window_axes
from smolml_array.functions import rules, rules_copies, rules_windows

# Where NumPy's modes of padding look, for position i of an axis of length n > 0, outside of it too.
_SOURCES: dict[str, Callable[[int, int], int]] = {
    "edge": lambda i, n: min(max(i, 0), n - 1),
    "reflect": lambda i, n: n - 1 - abs(i % (2 * n - 2) - n + 1) if n > 1 else 0,
    "symmetric": lambda i, n: min(i % (2 * n), 2 * n - 1 - i % (2 * n)),
    "wrap": lambda i, n: i % n,
}


class Rearranging(Arranging):
    """An array whose elements can be taken in windows, padded, shifted and repeated."""

    __slots__ = ()

    def sliding_windows(self, window_shape: int | Sequence[int], axis: Axis = None) -> Self:
        """Every window along the axes; see `smolml_array.sliding_windows`."""
        window, axes = window_axes(self.shape, window_shape, axis)
        return self._rule(rules_windows.SLIDING_WINDOWS, self, window_shape=window, axis=axes)

    def pad(
        self, pad_width: PadWidth, mode: str = "constant", constant_values: ArrayLike = 0.0
    ) -> Self:
        """With a border around it; see `smolml_array.pad`."""
        widths = pad_widths(pad_width, len(self.shape))
        if mode == "constant":
            value = self._border(constant_values)
            return self._rule(rules_windows.PAD, self, value, pad_width=widths)
        if mode not in _SOURCES:
            expected = ", ".join(map(repr, ("constant", *_SOURCES)))
            raise ValueError(f"pad: unknown mode {mode!r}: expected one of {expected}")
        made = self
        for axis, (before, after) in enumerate(widths):
            n = self.shape[axis]
            if not before and not after:
                continue
            if not n:
                raise ShapeError(
                    f"pad: axis {axis} of shape {self.shape} is empty: there is nothing that mode "
                    f"{mode!r} could repeat; use mode='constant'"
                )
            source = [_SOURCES[mode](i, n) for i in range(-before, n + after)]
            made = made._rule(rules.TAKE, made, key=(slice(None),) * axis + (source,))
        return made

    def _border(self, value: ArrayLike) -> Any:
        shape = getattr(value, "shape", ())
        if isinstance(value, list | tuple) or shape not in ((), None):
            raise ShapeError(
                f"pad: expected one number as constant_values, got {value!r:.60}; "
                f"for different borders pad one after the other"
            )
        return value

    def roll(self, shift: int | Sequence[int], axis: Axis = None) -> Self:
        """Shifted along the axes; see `smolml_array.roll`."""
        shifts = _integers("roll: shift", shift)
        if axis is None:
            return self._rule(rules_copies.ROLL, self, shift=(sum(shifts),), axis=None)
        given = (axis,) if is_index(axis) else tuple(axis)  # type: ignore[arg-type]
        axes = tuple(normalize_axis(a, len(self.shape), "roll") for a in given)
        if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
            raise ValueError(f"roll: {len(shifts)} shifts for {len(axes)} axes: expected as many")
        count = max(len(shifts), len(axes)) if shifts and axes else 0
        shifts = shifts if len(shifts) == count else shifts[:1] * count
        axes = axes if len(axes) == count else axes[:1] * count
        return self._rule(rules_copies.ROLL, self, shift=shifts, axis=axes)

    def repeat(self, repeats: ArrayLike, axis: int | None = None) -> Self:
        """Each element, or slice along the axis, repeated; see `smolml_array.repeat`."""
        if axis is None:
            return self.flatten().repeat(repeats, 0)
        axis = normalize_axis(axis, len(self.shape), "repeat")
        n = self.shape[axis]
        if hasattr(repeats, "shape"):
            repeats = repeats.tolist() if hasattr(repeats, "tolist") else repeats.to_list()
        counts = _integers("repeat: repeats", repeats)
        if any(k < 0 for k in counts):
            raise ValueError(f"repeat: a number of repeats is negative: {counts}: expected >= 0")
        if len(counts) not in (1, n):
            raise ShapeError(
                f"repeat: {len(counts)} numbers of repeats for axis {axis} of shape {self.shape}: "
                f"expected one, or {n}"
            )
        each: int | tuple[int, ...] = counts[0] if len(counts) == 1 else counts
        return self._rule(rules_copies.REPEAT, self, repeats=each, axis=axis)

    def tile(self, repetitions: int | Sequence[int]) -> Self:
        """Laid side by side; see `smolml_array.tile`."""
        counts = as_shape(repetitions, "tile")
        counts = (1,) * (len(self.shape) - len(counts)) + counts
        return self._rule(rules_copies.TILE, self, repetitions=counts)

    def tril(self, k: int = 0) -> Self:
        """The lower triangle of the last two axes; see `smolml_array.tril`."""
        return self._triangle(rules_copies.TRIL, k)

    def triu(self, k: int = 0) -> Self:
        """The upper triangle of the last two axes; see `smolml_array.triu`."""
        return self._triangle(rules_copies.TRIU, k)

    def _triangle(self, rule: Any, k: int) -> Self:
        self._check_matrices(rule.name)
        return self._rule(rule, self, k=operator.index(k))

    def _check_matrices(self, who: str) -> None:
        if len(self.shape) < 2:
            raise ShapeError(f"{who}: shape {self.shape}: expected at least 2 dimensions")

    def diagonal(self, offset: int = 0) -> Self:
        """A diagonal of the last two axes, a window; see `smolml_array.diagonal`."""
        self._check_matrices("diagonal")
        *lead, n, m = self.shape
        offset = operator.index(offset)
        start = offset if offset >= 0 else -offset * m
        count = max(0, min(n + min(offset, 0), m - max(offset, 0)))
        flat = self.reshape((*lead, n * m))
        return flat[..., start : start + count * (m + 1) : m + 1] if count else flat[..., :0]

    def trace(self, offset: int = 0) -> Self:
        """The sum of a diagonal of the last two axes; see `smolml_array.trace`."""
        self._check_matrices("trace")
        return self.diagonal(offset).sum(axis=-1)

    def split(self, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Self]:
        """Cut into pieces, which are windows; see `smolml_array.split`."""
        axis = normalize_axis(axis, len(self.shape), "split")
        n = self.shape[axis]
        if is_index(indices_or_sections):
            parts = operator.index(indices_or_sections)
            if parts < 1 or n % parts:
                raise ShapeError(
                    f"split: axis {axis} of shape {self.shape} cannot be cut into {parts} equal "
                    f"parts; give the positions to cut at, such as [{n // 2}]"
                )
            cuts = tuple(range(n // parts, n, n // parts)) if n else (0,) * (parts - 1)
        else:
            cuts = _integers("split: indices_or_sections", indices_or_sections)
        lead = (slice(None),) * axis
        pairs = zip((0, *cuts), (*cuts, n), strict=True)
        return [self[(*lead, slice(start, stop))] for start, stop in pairs]


def _integers(who: str, given: Any) -> tuple[int, ...]:
    """One integer or several, as a tuple."""
    several = given if isinstance(given, Iterable) else (given,)
    try:
        return tuple(map(operator.index, several))
    except TypeError:
        raise TypeError(f"{who}: expected integers, got {given!r:.60}") from None
