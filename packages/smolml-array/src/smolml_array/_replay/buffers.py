"""Which results of a program lie in the same memory: what is read no more makes room."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from smolml_array._replay.writing import Note, arrays_in
from smolml_array.backends.numpy.cotangents import ndarray
from smolml_value.extending.derivatives import map_leaves


class Owners:
    """In the memory of which of these arrays, which lie apart, another one lies.

    That is told by addresses: a view need not name its owner (those of sliding windows do not).
    """

    def __init__(self, made: Iterable[Any]) -> None:
        self._made = sorted(made, key=_start)
        self._starts = [_start(out) for out in self._made]
        self._ends = [byte_bounds(out)[1] for out in self._made]

    def of(self, x: Any) -> Any:
        """The array in whose memory x lies; None for an argument and for a constant."""
        low = _start(x)
        i = bisect_right(self._starts, low) - 1
        return self._made[i] if i >= 0 and low < self._ends[i] else None


class Places:
    """For every array of a program where it is to lie.

    Args:
        notes: the calls, in order. What they make are arrays apart.
        given: the numbers of those whose results are given away.
        kept: arrays that are read after the last call.
    """

    def __init__(self, notes: Sequence[Note], given: Container[int], kept: Sequence[Any]) -> None:
        makes = [[] if i in given else note.makes for i, note in enumerate(notes)]
        reads = [arrays_in((note.args, note.params)) for note in notes]
        self._owner = Owners(out for made in makes for out in made).of
        self._places: dict[int, Any] = {}
        last = {id(self._owner(x)): i for i in range(len(notes)) for x in (*reads[i], *makes[i])}
        last.update((id(self._owner(x)), len(notes)) for x in kept)
        free: dict[Any, list[Any]] = defaultdict(list)  # by layout
        for i, note in enumerate(notes):
            read = [(x, self._owner(x)) for x in reads[i]]
            over = {id(own): own for _, own in read if own is not None and last[id(own)] == i}
            for out in makes[i]:
                # an operand that is read for the last time, all of it, as the result is written
                kept_apart = {id(own) for x, own in read if _layout(x) != _layout(out)}
                under = [
                    key
                    for key, own in over.items()
                    if note.in_place and key not in kept_apart and _layout(own) == _layout(out)
                ]
                room = free[_layout(out)]
                if under:
                    del over[under[0]]
                    self._places[id(out)] = self._places[under[0]]
                else:
                    self._places[id(out)] = room.pop() if room else out
            for key, own in over.items():
                free[_layout(own)].append(self._places[key])

    def of(self, tree: Any) -> Any:
        """The same arguments, nested as they may be, with each array where it is to lie."""
        return map_leaves(self._moved, tree)

    def _moved(self, x: Any) -> Any:
        own = self._owner(x) if isinstance(x, ndarray) else None
        place = self._places.get(id(own))
        if own is None or place is own:
            return x
        if x is own:
            return place  # the object itself: NumPy need not look whether operands overlap
        start = x.ctypes.data - own.ctypes.data
        return np.ndarray(x.shape, x.dtype, place, start, x.strides)


def copier(x: Any) -> Callable[[], Any]:
    """What copies x as it is then, into new memory of the very layout: what is computed from
    another layout may round otherwise.
    """
    if not x.size or x.strides == np.empty(x.shape, x.dtype).strides:
        return x.copy  # type: ignore[no-any-return]
    low, high = byte_bounds(x)
    size, start = high - low, x.ctypes.data - low

    def copy() -> Any:
        made: Any = np.ndarray(x.shape, x.dtype, np.empty(size, np.uint8), start, x.strides)
        made[...] = x
        return made

    return copy


def _start(x: Any) -> int:
    """The lowest address that an array shows."""
    return byte_bounds(x)[0]


def _layout(x: Any) -> Any:
    """What arrays must have in common to lie in the same place."""
    if not x.flags.c_contiguous:
        return id(x)
    return x.shape, x.strides, x.dtype
