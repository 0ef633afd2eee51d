"""A program: NumPy calls on buffers that stay, to be made again and again on other numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from smolml_array._replay.buffers import Owners, Places, copier
from smolml_array._replay.writing import (
    DiffersError,
    Note,
    arrays_in,
    direct,
    into,
    ufunc_into,
)
from smolml_array.backends.numpy.cotangents import ndarray


class Program:
    """What was recorded, in order; once it is finished, it can be run."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._calls: list[Callable[[], Any]] = []
        self._results: list[Any] = []

    def finish(self, results: Sequence[Any]) -> None:
        """Nothing is added any more. `run` is to return these, each in memory of its own."""
        notes = self.notes
        given = _given(notes, results)
        kept = [out for k, out in enumerate(results) if k not in given.values()]
        places = Places(notes, given, kept)
        self._results = [None] * len(results)
        for i, (name, f, args, params, out, kind) in enumerate(notes):
            args, params, out = places.of((tuple(args), dict(params), out))
            if i in given:
                again = direct(name, f, args, params)
                call: Callable[[], Any] = partial(_give, self._results, given[i], again)
            elif kind == "expect":
                call = partial(_expect, *args)
            elif kind == "shapes":
                call = partial(_expect_shapes, partial(f, *args, **params), out)
            elif kind == "change":
                call = ufunc_into(f, args, out) if name == "add_into" else partial(f, *args)
            else:
                call = into(name, f, args, params, out)
            self._calls.append(call)
        for k, out in enumerate(results):
            if k not in given.values():
                self._calls.append(partial(_give, self._results, k, copier(places.of(out))))
        _spoil([out for note in notes for out in note.makes])
        notes.clear()

    def run(self) -> list[Any]:
        """Make all calls; the results.

        Raises:
            DiffersError: a condition is not as true as it was.
        """
        for call in self._calls:
            call()
        results = self._results[:]
        self._results[:] = [None] * len(results)  # they are the caller's alone
        return results


def _given(notes: Sequence[Note], results: Sequence[Any]) -> dict[int, int]:
    """Of the calls that give a result away, which nothing else reads, its number."""
    owner = Owners(out for note in notes for out in note.makes).of
    makers = {id(note.out): i for i, note in enumerate(notes) if note.kind == "make"}
    last = {id(owner(x)): i for i, note in enumerate(notes) for x in arrays_in(note[2:4])}
    # the gradients of both operands of a sum are one: each gets a copy
    shown = Counter(id(owner(out)) for out in results)
    return {
        makers[id(out)]: k
        for k, out in enumerate(results)
        if shown[id(out)] == 1 and last.get(id(out), -1) <= makers.get(id(out), -2)
    }


def _spoil(buffers: Sequence[Any]) -> None:
    """Other numbers: who would read one that the program has not written is found out."""
    for x in buffers:
        if x.dtype.kind == "f":
            x.fill(math.nan)
        else:
            np.logical_not(x, out=x)


def _give(results: list[Any], k: int, make: Callable[[], Any]) -> None:
    made = make()
    results[k] = made if type(made) is ndarray else np.asarray(made)  # of one of NumPy's scalars


def _expect_shapes(make: Callable[[], Any], shapes: Sequence[tuple[int, ...]]) -> None:
    made = make()
    parts = made if isinstance(made, tuple | list) else (made,)
    if shapes != tuple(x.shape for x in parts if isinstance(x, ndarray | np.generic)):
        raise DiffersError


def _expect(condition: Any, truth: bool) -> None:
    if bool(condition) is not truth:
        raise DiffersError
