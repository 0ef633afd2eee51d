"""`for row in x`: the very windows that x[0], x[1], ... are, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, replay, use_backend
from smolml_array._graph.array_base import ArrayBase
from smolml_array._graph.node import ArrayNode
from smolml_value import Value, detect_anomaly, grad_enabled, no_grad
from tests.array.helpers import assert_close, gradient

SLOTS = [s for s in ArrayNode.__slots__ if s not in ("__weakref__", "sequence")]


class Named(MLArray):
    """One with a `__dict__`."""


def numbers(*shape: int) -> Any:
    if not shape:
        return 1.5
    return [numbers(*shape[1:]) for _ in range(shape[0])]


def seen(raw: Any) -> Any:
    """A raw array as what can be compared; others are themselves."""
    return (type(raw), raw.shape, str(raw.dtype), repr(raw)) if hasattr(raw, "dtype") else raw


def parts(x: Any) -> dict[str, Any]:
    """All that a window consists of."""
    node: Any = x._node
    view: Any = x._view
    own = {s: getattr(node, s, None) for s in SLOTS}
    own |= {s: seen(own[s]) for s in ("raw", "out")}
    own["primals"] = [seen(raw) for raw in node.primals]
    handle = {s: getattr(x, s) for s in ("_look", "_list", "_behind")}
    return {"kind": type(x), "view": tuple(view), **own, **handle}


MADE: dict[str, Callable[[], MLArray]] = {
    "numbers": lambda: MLArray(numbers(100)),
    "few numbers": lambda: MLArray(numbers(5)),
    "none": lambda: MLArray([]),
    "rows": lambda: MLArray(numbers(100, 3)),
    "few rows": lambda: MLArray(numbers(4, 3)),
    "wide rows": lambda: MLArray(numbers(3, 2000)),
    "rows of none": lambda: MLArray(numbers(3, 0)),
    "pages": lambda: MLArray(numbers(10, 4, 5)),
    "a constant": lambda: MLArray(numbers(100), requires_grad=False),
    "integers": lambda: MLArray([1, 2] * 50, dtype="int64"),
    "booleans": lambda: MLArray([True, False] * 50, dtype="bool"),
    "a result": lambda: MLArray(numbers(100, 2)) * 2.0,
    "a window": lambda: MLArray(numbers(100, 3)).T,
    "Values": lambda: MLArray([Value(1.0), *numbers(100)]),
    "a subclass": lambda: Named(numbers(100, 3)),
}


@pytest.mark.parametrize("kind", MADE)
def test_rows_are_the_windows_that_positions_give(backend: str, kind: str) -> None:
    with use_backend(backend):
        x = MADE[kind]()
    rows = list(x)
    assert len(rows) == len(x)
    for i, row in enumerate(rows):
        assert parts(row) == parts(x[i])


CHANGES: dict[str, Callable[[MLArray], object]] = {
    "a number": lambda x: x.__setitem__(5, 7.0),
    "a result": lambda x: x.__setitem__(5, x[4] * 2.0),
    "another array": lambda x: x.update_values([3.0] * 100),
    "a look": lambda x: x.data[5],
    "in place": lambda x: x.__imul__(2.0),
    "as a leaf": lambda x: x.restart(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_rows_are_those_of_the_array_as_it_is_by_then(backend: str, change: str) -> None:
    x, same = (MLArray(numbers(100), backend=backend) * 1.0 for _ in range(2))
    total: Any = 0.0
    wanted: Any = 0.0
    for i, row in enumerate(x):
        total = total + row * (i + 1)
        wanted = wanted + same[i] * (i + 1)
        if i == 2:
            CHANGES[change](x)
            CHANGES[change](same)
    assert total.item() == wanted.item()
    total.backward()
    wanted.backward()
    assert_close(x.grad().to_list(), same.grad().to_list())


def test_a_block_that_opens_on_the_way_is_heeded(backend: str) -> None:
    x = MLArray(numbers(100), backend=backend)
    iterator = iter(x)
    first, second = next(iterator), next(iterator)
    with no_grad():
        third = next(iterator)
    fourth = next(iterator)
    assert [r.requires_grad for r in (first, second, third, fourth)] == [True, True, False, True]
    with detect_anomaly():
        fifth = next(iterator)
        (fifth * 2.0).backward()
    assert gradient(x)[4] == 2.0


def test_a_recording_sees_the_rows() -> None:
    x = MLArray(numbers(100), requires_grad=False)
    w = MLArray(numbers(100))

    def loss(x: MLArray) -> Any:
        total: Any = 0.0
        for row, weight in zip(x, w, strict=True):
            total = total + row * weight
        return total

    step = replay(loss, [w])
    for factor in (1.0, 2.0, 3.0):
        w.zero_grad()
        step(x * factor)
        assert_close(gradient(w), [1.5 * factor] * 100)


def test_iterating_an_array_without_axes_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="iter: a 0-d array"):
        iter(MLArray(1.0))


def test_the_class_of_a_window_has_no_slot_that_is_not_looked_at() -> None:
    assert {*ArrayBase.__slots__} == {
        *("__weakref__", "_behind", "_list", "_look", "_node", "_view"),
    }


def test_who_assigns_while_iterating_writes_into_the_same_memory(backend: str) -> None:
    """Else a loop of n assignments would copy n times."""
    assert grad_enabled()  # blocks of other tests, which have ended, are counted no longer
    x = MLArray(numbers(100), backend=backend)
    memory = id(x._node.raw)
    for i, _ in enumerate(x):
        x[i] = 2.0
    assert id(x._node.raw) == memory
    y = x * 1.0
    memory = id(y._node.raw)
    for i, e in enumerate(y):
        y[i] = e * 2.0
    assert id(y._node.raw) == memory
    y.backward()
    assert_close(gradient(x), [2.0] * 100)
