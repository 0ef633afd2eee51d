"""Which results of a program lie in the same memory: what is read no more makes room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from smolml_array.backends.numpy.quiet import ndarray
from smolml_value._trees import leaves, map_leaves


class Use(NamedTuple):
    """What one call has to do with memory.

    Attributes:
        reads: arrays that it reads, nested as they may be.
        makes: arrays that are allocated for its results.
        in_place: whether a result may lie where an operand of the same shape does.
    """

    reads: Any
    makes: Sequence[Any]
    in_place: bool


def arrays_in(x: Any) -> list[Any]:
    """All arrays in nested tuples, lists and dicts."""
    return [leaf for leaf in leaves(x) if isinstance(leaf, ndarray)]


def root(x: Any) -> Any:
    """The array that owns the memory that x shows."""
    while isinstance(x.base, ndarray):
        x = x.base
    return x


class Places:
    """For every array of a program where it is to lie.

    Args:
        uses: the calls, in order.
        kept: arrays that are read after the last call.
    """

    def __init__(self, uses: Sequence[Use], kept: Sequence[Any]) -> None:
        made = {id(root(out)): root(out) for use in uses for out in use.makes}
        last = {id(root(x)): i for i, use in enumerate(uses) for x in arrays_in(tuple(use))}
        last.update((id(root(x)), len(uses)) for x in kept)
        free: dict[Any, list[Any]] = defaultdict(list)  # by layout
        self._places: dict[int, Any] = {}
        for i, use in enumerate(uses):
            read = arrays_in(use.reads)
            over = {id(root(x)) for x in read} & made.keys()
            over = {key for key in over if last[key] == i}  # read for the last time
            for out in use.makes:
                own = root(out)
                room = free[_layout(own)]
                under = _operand_to_overwrite(own, read, over) if use.in_place else None
                if under is not None:
                    over.remove(under)
                    self._places[id(own)] = self._places[under]
                else:
                    self._places[id(own)] = room.pop() if room else own
            for key in over:
                free[_layout(made[key])].append(self._places[key])

    def of(self, tree: Any) -> Any:
        """The same arguments, nested as they may be, with each array where it is to lie."""
        return map_leaves(self._moved, tree)

    def _moved(self, x: Any) -> Any:
        if not isinstance(x, ndarray):
            return x
        own = root(x)
        place = self._places.get(id(own), own)
        if place is own:
            return x
        if x is own:
            return place  # the object itself: NumPy need not look whether operands overlap
        start = x.ctypes.data - own.ctypes.data
        return np.ndarray(x.shape, x.dtype, place, start, x.strides)


def _operand_to_overwrite(own: Any, read: Sequence[Any], over: Set[int]) -> int | None:
    """The id of an array that is read no more, and was read in the very layout of the result."""
    for key in over:
        shown = [x for x in read if id(root(x)) == key]
        if all(_layout(x) == _layout(root(x)) == _layout(own) for x in shown):
            return key
    return None


def _layout(x: Any) -> Any:
    """What arrays must have in common to lie in the same place."""
    if not x.flags.c_contiguous:
        return id(x)
    return x.shape, x.dtype
