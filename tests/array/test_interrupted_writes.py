"""Ctrl-C anywhere while an array is written to: it is whole, as it was or as it was to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_array._graph import alone
from smolml_value import Value, no_grad
from tests.interrupting import interrupted

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Case = tuple[Callable[[], object], Callable[[], list[Any]], list[Any]]


def shown(x: MLArray) -> Callable[[], list[Any]]:
    """What an array tells of its numbers, whichever way it is asked."""
    return lambda: [x.to_list(), [v.data for v in x.data], (x * 1.0).to_list()]


def leaf() -> MLArray:
    x = MLArray([1.0, 2.0, 3.0])
    assert x.data[0].data == 1.0  # elements are made
    return x


def updated() -> Case:
    x = leaf()
    return lambda: x.update_values([4.0, 5.0, 6.0]), shown(x), [4.0, 5.0, 6.0]


def in_place() -> Case:
    x = leaf()

    def run() -> None:
        y = x
        with no_grad():
            y *= 2.0

    return run, shown(x), [2.0, 4.0, 6.0]


def assigned() -> Case:
    x = leaf()
    return lambda: x.__setitem__(slice(2), [7.0, 8.0]), shown(x), [7.0, 8.0, 3.0]


def through_a_window() -> Case:
    x = leaf()
    w = x[0:2]
    return lambda: w.__setitem__(..., [7.0, 8.0]), shown(x), [7.0, 8.0, 3.0]


def an_element() -> Case:
    x = leaf()
    element = x.data[0]
    return lambda: setattr(element, "data", 9.0), shown(x), [9.0, 2.0, 3.0]


def all_elements() -> Case:
    x = leaf()
    return lambda: setattr(x, "data", [4.0, 5.0, 6.0]), shown(x), [4.0, 5.0, 6.0]


def a_result() -> Case:
    x = leaf()
    y = x * 1.0
    return lambda: y.__setitem__(slice(2), x[1:3]), shown(y), [2.0, 3.0, 3.0]


def a_result_in_its_own_buffer() -> Case:
    x = leaf()
    y = x * 1.0
    y[0] = x[0]
    return lambda: y.__setitem__(slice(2), x[1:3]), shown(y), [2.0, 3.0, 3.0]


def a_row_of_elements() -> Case:
    x = leaf()
    return lambda: x.data.__setitem__(slice(2), [7.0, 8.0]), shown(x), [7.0, 8.0, 3.0]


def a_restart() -> Case:
    y = leaf() * 1.0
    return y.restart, shown(y), [1.0, 2.0, 3.0]


def a_window_that_looks_again() -> Case:
    x = leaf()
    w = x[0:3]
    x.update_values([4.0, 5.0, 6.0])
    return w.to_list, shown(w), [4.0, 5.0, 6.0]


def a_pass() -> Case:
    x = leaf()
    y = (x * x).sum()
    return y.backward, lambda: [x.grad().to_list()], [2.0, 4.0, 6.0]


def a_pass_to_values() -> Case:
    x, v = leaf(), Value(2.0)
    y = (x * v).sum()
    return y.backward, lambda: [[*x.grad().to_list(), v.grad]], [2.0, 2.0, 2.0, 6.0]


CASES = [
    *(updated, in_place, assigned, through_a_window, an_element, all_elements, a_result),
    *(a_result_in_its_own_buffer, a_row_of_elements, a_restart),
    *(a_window_that_looks_again, a_pass, a_pass_to_values),
]


@pytest.mark.parametrize("make", CASES)
def test_an_array_is_whole_wherever_an_interrupt_comes(
    make: Callable[[], Case], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "WORTH_IT", 1)
    _, look, after = make()
    before = look()[0]
    n, more = 0, True
    while more:
        n += 1
        run, look, _ = make()
        more = interrupted(run, n)
        seen = look()
        assert seen == [seen[0]] * len(seen)
        assert seen[0] in ([after] if not more else [before, after])
    assert n > 3
