"""`x.data` makes what is looked at, and is a list to whoever treats it as one."""

from __future__ import annotations

import array
import bisect
import copy
import functools
import gc
import heapq
import itertools
import json
import math
import operator
import pickle
import statistics
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.views import Element
from smolml_value import Value, no_grad
from smolml_value.fused import dot
from tests.array.helpers import nested

NUMBERS = [[3.0, 1.0, 2.0], [3.0, 5.0, 4.0]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The places of the elements that are made."""
    places: list[int] = []
    init = Element.__init__

    def counted(self: Any, node: Any, index: int, number: float) -> None:
        places.append(index)
        init(self, node, index, number)

    monkeypatch.setattr(Element, "__init__", counted)
    return places


# What is made ----------------------------------------------------------------------------------


def test_a_look_at_one_element_makes_that_one(backend: str, made: list[int]) -> None:
    x = MLArray(NUMBERS, backend=backend)
    rows = x.data
    assert (len(rows), len(rows[1]), made) == (2, 3, [])
    assert rows[1][-1].data == x.data[1][2].data == 4.0
    assert rows[1][2] is x.T.data[2][1] is x.reshape(6).data[-1]
    assert made == [5]
    x.data[0][1] = 7.0
    assert made == [5]
    assert [v.data for v in x.data[0][1:]] == [7.0, 2.0]
    assert made == [5, 1, 2]


@pytest.mark.parametrize("write", [False, True])
def test_a_loop_over_elements_makes_each_once(backend: str, made: list[int], write: bool) -> None:
    x = MLArray([[0.5] * 7] * 5, backend=backend)
    total: Any = 0.0
    for i in range(5):
        for j in range(7):
            if write:
                x.data[i][j] = float(i * j)
                x.data[i][j].data += 1.0
            total = total + x.data[i][j]
    total.backward()
    assert sorted(made) == list(range(35))
    assert x.grad().to_list() == [[1.0] * 7] * 5
    assert total.data == (sum(i * j + 1.0 for i in range(5) for j in range(7)) if write else 17.5)


def test_what_was_looked_at_goes_with_the_array() -> None:
    x = MLArray([1.0, 2.0])
    held, rows = x.data[0], x.data
    seen = weakref.ref(x.data[1])
    assert seen() is x.data[1]
    del x, rows
    gc.collect()
    assert seen() is None
    assert held.data == 1.0


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_does_not_look_through_elements_that_are_made(on: bool) -> None:
    x, found = MLArray([0.5] * 50_000, backend="pure"), []

    def told(phase: str, info: dict[str, int]) -> None:
        found.append(phase)

    gc.collect()
    gc.callbacks.append(told)
    try:
        if not on:
            gc.disable()
        values = list(x.data)
        assert gc.isenabled() is on
    finally:
        gc.callbacks.remove(told)
        gc.enable()
    assert len(values) == 50_000
    assert found.count("start") <= (5 if on else 0)  # not once for each 700


# A list to everybody ---------------------------------------------------------------------------


def plain(rows: Any) -> Any:
    """The same Values in lists of Python's own, put together by positions alone."""
    return [[rows[i][j] for j in range(3)] for i in range(2)]


def extended(rows: Any) -> Any:
    found = [0.0]
    alias = found
    found += rows[0]
    found.extend(rows[1])
    found[1:1] = rows[1]
    assert alias is found
    return found


def matched(rows: Any) -> Any:
    match rows:
        case [[a, *_], [*_, b]]:
            return a, b
    return None


def unpacked(rows: Any) -> Any:
    (a, b, c), last = rows
    return [a, b, c, *last], (lambda *args: args)(*rows[0])


USES: dict[str, Callable[[Any], Any]] = {
    "list": lambda rows: [list(rows), list(rows[0])],
    "tuple": lambda rows: [*map(tuple, rows)],
    "unpacked": unpacked,
    "matched": matched,
    "sorted": lambda rows: sorted(rows[0]) + sorted(rows, reverse=True),
    "sum": lambda rows: [sum(rows[0]), functools.reduce(operator.add, rows, [])],
    "math": lambda rows: [math.fsum(rows[0]), math.prod(rows[1]), math.dist(*rows)],
    "statistics": lambda rows: statistics.fmean(rows[0]),
    "extremes": lambda rows: [max(rows[0]), min(rows), heapq.nsmallest(2, rows[0])],
    "repr": lambda rows: [repr(rows), str(rows[0]), f"{rows[1]}"],
    "equal": lambda rows: [rows == NUMBERS, operator.eq(NUMBERS, rows), rows[0] == [3.0, 1.0, 2.0]],
    "not equal": lambda rows: [rows != NUMBERS, operator.ne(NUMBERS, rows), rows[0] != rows[1]],
    "order": lambda rows: [
        rows[0] < rows[1],
        rows[0] >= [3.0],
        operator.gt([9.0], rows[0]),
        rows <= rows,
    ],
    "added": lambda rows: [rows[0] + rows[1], [1.0] + rows[0], rows + [[1.0]]],
    "concat": lambda rows: [operator.concat(rows[0], rows[1]), operator.concat(rows, [1])],
    "reduced": lambda rows: functools.reduce(operator.concat, rows),
    "mapped": lambda rows: [*map(list.copy, rows), *map(list.__len__, rows)],
    "extended": extended,
    "repeated": lambda rows: [rows * 2, 2 * rows[0], rows[1] * 0],
    "slices": lambda rows: [rows[:], rows[::-1], rows[0][1:], rows[1:][0], rows[5:]],
    "positions": lambda rows: [rows[-1], rows[0][-3], rows[np.int64(1)][True]],
    "contains": lambda rows: [4.0 in rows[1], 4.0 in rows[0], [3.0, 1.0, 2.0] in rows],
    "found": lambda rows: [rows[1].index(4.0), rows[0].count(3.0), rows.index(NUMBERS[1])],
    "bisect": lambda rows: bisect.bisect(rows[0], 3.0),
    "backwards": lambda rows: [*reversed(rows), *reversed(rows[0])],
    "copied": lambda rows: [rows.copy(), copy.copy(rows[0])],
    "iterated": lambda rows: [
        *(v for row in rows for v in row),
        *itertools.chain.from_iterable(rows),
        *zip(*rows, strict=True),
        *enumerate(rows[0]),
        next(iter(rows)),
    ],
    "json": lambda rows: json.dumps(rows, default=float),
    "pickle": lambda rows: [pickle.loads(pickle.dumps(rows)), copy.deepcopy(rows)],
    "truth": lambda rows: [bool(rows), not rows[0]],
    "length": lambda rows: [len(rows), len(rows[1]), operator.length_hint(rows)],
    "instances": lambda rows: [isinstance(rows, list), isinstance(rows[0], list)],
    "numpy": lambda rows: np.array(rows, dtype=float).tolist(),
    "rows for numpy": lambda rows: np.asarray(rows[1], dtype=float).tolist(),
    "buffer": lambda rows: array.array("d", rows[0]).tolist(),
    "keys": lambda rows: dict.fromkeys(rows[0]) | dict.fromkeys(rows[1]),
    "an array": lambda rows: MLArray(rows).to_list(),
    "arithmetic": lambda rows: [(rows * MLArray(2.0)).to_list(), (rows + MLArray(1.0)).to_list()],
    "dot": lambda rows: [dot(rows[0], rows[1]).data, dot(rows[0], [1.0, 2.0, 3.0]).data],
}


def same(a: Any, b: Any) -> bool:
    """Equal, of the same types but for the lists, and with the very same Values inside."""
    if isinstance(a, list | tuple):
        pairs = zip(a, b, strict=True)
        return isinstance(b, list | tuple) and all(same(x, y) for x, y in pairs)
    if isinstance(a, Element):
        return a is b
    return bool(a == b) and type(a) is type(b)


@pytest.mark.parametrize("name", USES)
def test_whoever_treats_it_as_a_list_finds_one(backend: str, name: str) -> None:
    x = MLArray(NUMBERS, backend=backend)
    want = USES[name](plain(x.data))
    assert same(USES[name](x.data), want)
    held = x.data
    assert same(USES[name](held), want)
    assert same(USES[name](held), want)


def test_sizes_of_lists_are_those_of_lists() -> None:
    row = MLArray([1.0] * 50).data
    assert sys.getsizeof(row) >= sys.getsizeof([1.0] * 50)


@pytest.mark.parametrize("key", [2, -3, 10**30, slice("a"), "0", None, 1.5])
def test_what_is_not_there_is_refused_as_by_lists(key: Any) -> None:
    row: Any = MLArray([1.0, 2.0]).data
    with pytest.raises((IndexError, TypeError)) as ours:
        row[key]
    with pytest.raises((IndexError, TypeError)) as theirs:
        [1.0, 2.0][key]
    assert str(ours.value) == str(theirs.value)


def test_rows_are_the_same_objects(backend: str) -> None:
    rows = MLArray(nested([1.0] * 24, (2, 3, 4)), backend=backend).data
    first, inner = rows[0], rows[1][2]
    assert rows[0] is first
    assert next(iter(rows)) is first
    assert rows[1][2] is inner
    assert [*rows[1]][2] is rows[-1][-1] is inner


READ_UNASKED: list[Callable[[Any], list[Any]]] = [
    lambda row: list(operator.concat([], row)),
    list.copy,
    lambda row: [*list.__iter__(row)],
    lambda row: [list.__getitem__(row, i) for i in range(3)],
]
REFUSED: list[Callable[[Any], object]] = [
    *(bool, float, hash, iter, pickle.dumps, copy.copy, lambda v: v.data, lambda v: v == 1.0),
    *(lambda v: v + 1.0, lambda v: Value(2.0) * v, lambda v: v < 1.0, math.sqrt, sum, len),
]


@pytest.mark.parametrize("use", REFUSED)
@pytest.mark.parametrize("read", READ_UNASKED)
def test_what_no_list_can_know_of_finds_items_that_refuse(
    read: Callable[[Any], list[Any]], use: Callable[[Any], object]
) -> None:
    row = MLArray([1.0, 2.0, 3.0]).data
    found = read(row)
    assert len(found) == 3
    assert "not asked for" in repr(found[1])
    with pytest.raises((TypeError, AttributeError)):
        use(found[1])
    list(row)
    assert read(row) == [1.0, 2.0, 3.0]


# Rows that somebody holds ----------------------------------------------------------------------


@pytest.mark.parametrize("filled", [False, True])
def test_a_row_shows_the_values_of_when_it_was_looked_at(backend: str, filled: bool) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    rows, v = x.data, Value(9.0)
    if filled:
        assert list(rows[0]) == [1.0, 2.0]
    x[0, 1] = v * 2.0  # x is another array from here on
    assert [rows[0][0].data, rows[0][1].data, rows[1][1].data] == [1.0, 2.0, 4.0]
    assert x.data[0][1].data == 18.0
    rows[1][0] = 7.0  # through the list: into the array as it is now
    assert x.to_list() == [[1.0, 18.0], [7.0, 4.0]]
    assert rows[1] == [7.0, 4.0]
    assert rows[1][1] is x.data[1][1]
    assert rows[0] == [1.0, 2.0]


def test_numbers_set_after_the_look_are_seen(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    rows, element = x.data, x.data[0][0]
    x[0] = [5.0, 6.0]
    x.data[1][0].data = 8.0
    with no_grad():
        x += 10.0
    assert (element.data, rows[0][1].data, rows[1]) == (15.0, 16.0, [18.0, 14.0])
    assert (element * 2.0).data == 30.0
    x.T[1, 1] = -1.0
    assert rows[1][1].data == x.to_list()[1][1] == -1.0


def test_other_numbers_go_to_the_elements_that_were_seen(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = MLArray([float(i) for i in range(100)], backend=backend)
    held = [x.data[3], x.data[50]]
    asked: list[int] = []
    numbers_at = ArrayNode.numbers_at

    def counted(self: Any, places: Any) -> Any:
        asked.extend(places)
        return numbers_at(self, places)

    monkeypatch.setattr(ArrayNode, "numbers_at", counted)
    with no_grad():
        x *= 2.0
    x[3] = 1.0
    x[40:60] = 5.0
    x[98] = 4.0
    assert sorted(asked) == [3, 3, 50, 50]
    assert [v.data for v in held] == [1.0, 5.0]


def test_rows_that_were_assigned_to_show_what_is_new(backend: str) -> None:
    rows = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend).data
    rows[0][0] = Value(5.0)
    assert "5.0" in repr(rows)
    assert [row[0].data for row in rows] == [5.0, 3.0]
    y = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend) * 2.0
    seen = y.data
    seen[1][0] = 7.0
    assert [[v.data for v in row] for row in seen] == [[2.0, 4.0], [7.0, 8.0]] == y.to_list()


@pytest.mark.parametrize(("dtype", "number"), [("int64", 7.0), ("bool", 1.0)])
def test_an_element_has_the_number_that_its_array_holds(
    dtype: str, number: float, backend: str
) -> None:
    x = MLArray([1, 0], dtype=dtype, backend=backend)
    element = x.data[1]
    element.data = 7.9
    assert element.data == number == x.to_list()[1]


def test_elements_behind_an_assignment_can_be_printed(backend: str) -> None:
    y = MLArray([float(i) for i in range(1500)], backend=backend) * 2.0
    y[3] = 7.0
    y[4] = 1.0
    assert repr(y.data[6]._prev) == "{Value(data=12.0)}"
