"""Windows onto an array share its buffer and its elements; assignment goes through them."""

from __future__ import annotations

import gc
import math
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from smolml_array import MLArray, ones, stack, zeros
from smolml_value import Value
from tests.array import kinds
from tests.array.helpers import assert_close, filled, flat, gradient, nested, numbers
from tests.array.kinds import every_kind

DEEP = 100_000


# What a window costs -------------------------------------------------------------------------

SMALL: list[Callable[[MLArray], MLArray]] = [
    lambda x: x.reshape(-1),
    lambda x: x.reshape(1, 200, 1, 500),
    lambda x: x.flatten(),
    lambda x: x.expand_dims(0),
    lambda x: x.squeeze(),
    lambda x: MLArray(x),
]
STRIDED: list[Callable[[MLArray], MLArray]] = [
    *(lambda x: x.T, lambda x: x[::-1, 5:], lambda x: x.flip(), lambda x: x[:, 3]),
]


def allocated(make: Callable[[], object]) -> int:
    """The memory in use after make() that was not in use before, in bytes."""
    make()  # what is cached on the first use does not count
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = make()
        after = tracemalloc.get_traced_memory()[0]
        del made
        return after - before
    finally:
        tracemalloc.stop()


def test_a_window_copies_no_element(backend: str) -> None:
    x = zeros(200, 500)
    assert allocated(lambda: x * 2.0) > 8 * 100_000  # the measure itself works
    for look in SMALL + (STRIDED if backend == "numpy" else []):
        assert allocated(partial(look, x)) < 4_000


def test_no_value_is_made_before_somebody_looks(backend: str) -> None:
    def count() -> int:
        gc.collect()
        return sum(issubclass(type(o), Value) for o in gc.get_objects())

    x = zeros(20, 30)
    before = count()
    y = (x.T @ x)[1:].reshape(-1)
    (y * y).sum().backward()
    kept = [x, y, x.grad(), y.to_list(), repr(x), x[3, 4].item(), list(x)]
    assert count() == before
    kept.append(x.data)
    assert count() == before
    kept.append(x.data[3][4])
    assert count() == before + 1
    kept.append(list(x.data))
    assert count() == before + 600


ONE_STEP: list[Callable[[MLArray], MLArray]] = [
    *(lambda x: x.T, lambda x: x[1], lambda x: x[1, 2], lambda x: x[:, ::-1], lambda x: x.flip()),
    *(lambda x: x.reshape(3, 2), lambda x: x.expand_dims(1), lambda x: x[5:], lambda x: x[...]),
]


@pytest.mark.parametrize("look", ONE_STEP)
@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_window_is_made_as_results_are(
    backend: str, look: Callable[[MLArray], MLArray], requires_grad: bool
) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad, backend=backend)
    window = look(x)
    assert window._view is not None
    result = x._apply(window._view.rule, (x,), window._view.params)
    assert result.to_list() == window.to_list()
    own, made = window._node, result._node
    assert type(own.raw) is type(made.raw)
    assert (own.tracked, own.rule, own.params) == (made.tracked, made.rule, made.params)
    assert (*own.operands,) == (*made.operands,)
    assert [id(raw) for raw in own.primals] == [id(raw) for raw in made.primals]


# Assignment ----------------------------------------------------------------------------------


@every_kind
def test_assignment_through_a_window(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    want = x.to_list()
    column, backwards = x[:, 1], x.T.flip()
    x.T[1] = [10.0, 20.0]
    want[0][1], want[1][1] = 10.0, 20.0
    assert x.to_list() == want
    column[0] = 30.0
    want[0][1] = 30.0
    assert x.to_list() == want
    backwards[0, :] = 7.0
    want[0][2] = want[1][2] = 7.0
    assert x.to_list() == want
    assert column.to_list() == [30.0, 20.0]
    assert x.reshape(-1)[1:].to_list() == flat(want)[1:]


@every_kind
def test_numbers_assigned_have_no_gradient_upstream(
    backend: str, make: Callable[[], MLArray]
) -> None:
    x = make()
    x[0, 0] = 5.0
    x.T[2] = [6.0, 7.0]
    (x * x).sum().backward()
    assert_close(x.grad(), [[2.0 * v for v in row] for row in x.to_list()])


def test_what_is_assigned_over_gets_no_gradient(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    y = x * x
    y[1] = 10.0
    y[::-1][0] = 20.0
    assert y.to_list() == [1.0, 10.0, 20.0]
    (y * y).sum().backward()
    assert gradient(x) == [4.0, 0.0, 0.0]
    assert gradient(y) == [2.0, 20.0, 40.0]


@every_kind
@pytest.mark.parametrize("through", ["itself", "a window", "an element's row"])
def test_arrays_and_values_assigned_get_gradients(
    backend: str, make: Callable[[], MLArray], through: str
) -> None:
    x = make()
    v, w = Value(3.0), MLArray([1.0, 2.0])
    doubled = w * 2.0
    if through == "itself":
        x[:, 1] = doubled
        x[1, 2] = v
    elif through == "a window":
        x.T[1] = doubled
        x.T[::-1][0][1] = v
    else:
        x.data[0][1] = doubled[0]
        x.data[1][1:] = [doubled[1], v]
    assert [row[1] for row in x.to_list()] == [2.0, 4.0]
    assert x.to_list()[1][2] == 3.0
    (x * x * kinds.WEIGHTS).sum().backward()
    weights = kinds.WEIGHTS
    assert_close(gradient(w), [8.0 * weights[0][1], 16.0 * weights[1][1]])
    assert_close(v.grad, 6.0 * weights[1][2])
    want = [2.0 * a * b for a, b in zip(flat(x.to_list()), flat(weights), strict=True)]
    assert_close(gradient(x), want)
    assert_close(gradient(x.T[1]), want[1::3])


@every_kind
@pytest.mark.parametrize("new", ["a number", "a Value", "an array"])
def test_assignment_leaves_what_was_recorded_right(
    backend: str, make: Callable[[], MLArray], new: str
) -> None:
    untouched, x = make(), make()
    old = untouched.to_list()
    recorded, want = (x.T * x.T).exp(), (untouched.T * untouched.T).exp()
    window = x[1]
    assigned: Any = {"a number": 9.0, "a Value": Value(9.0), "an array": MLArray(9.0)}[new]
    x[0, 1] = assigned
    window[0] = assigned
    assert recorded.to_list() == want.to_list()
    leaf = filled((2, 3), "other")
    (recorded * leaf.T).sum().backward()
    assert_close(leaf.grad(), [[math.exp(v * v) for v in row] for row in old])
    assert x.to_list()[0][1] == x.to_list()[1][0] == 9.0


def test_what_was_recorded_still_reaches_the_leaf(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    y = x * x
    z = y * 2.0
    y[0] = 100.0
    x[1] = -5.0
    z.sum().backward()
    assert gradient(x) == [4.0, 8.0, 12.0]
    v = Value(2.0)
    a = MLArray([v, 1.0])
    b = a * a
    a[0] = MLArray(7.0)
    b.sum().backward()
    assert v.grad == 4.0


def test_a_leaf_with_numbers_assigned_stays_the_same_leaf(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    first = x.data[0]
    x.sum().backward()
    x[0] = 5.0
    assert first is x.data[0]
    assert first.data == 5.0
    assert gradient(x) == [1.0, 1.0]
    (x * x).sum().backward()
    assert gradient(x) == [11.0, 5.0]


def test_a_constant_with_a_tracked_array_assigned_passes_gradients_on(backend: str) -> None:
    c = MLArray([1.0, 2.0, 3.0], requires_grad=False)
    w = MLArray(4.0)
    c[1:] = w
    assert c.requires_grad
    (c * c).sum().backward()
    assert w.grad().item() == 16.0


def test_windows_follow_their_array(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    window = x.T[1]
    for change in (
        lambda: x.__setitem__((0, 1), 20.0),
        lambda: x.__setitem__(1, MLArray([5.0, 6.0])),
        lambda: x.update_values([[7.0, 8.0], [9.0, 10.0]]),
        lambda: setattr(x, "data", [[1.0, 2.0], [3.0, 4.0]]),
        lambda: setattr(x, "data", MLArray([[5.0, 6.0], [7.0, 8.0]])),
        lambda: x.restart(),
        lambda: setattr(x, "requires_grad", False),
    ):
        change()
        assert window.to_list() == [row[1] for row in x.to_list()]
        assert window.requires_grad == x.requires_grad
        assert [v is row[1] for v, row in zip(window.data, x.data, strict=True)] == [True, True]
        if x.requires_grad:
            x.zero_grad()
            window.sum().backward()
            assert x.grad().to_list() == [[0.0, 1.0], [0.0, 1.0]]


# Depth ---------------------------------------------------------------------------------------


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Deep graphs must be freed without the garbage collector, which only slows them down."""
    gc.disable()
    yield
    gc.enable()


ROOTS: dict[str, Callable[[], MLArray]] = {
    "a leaf": lambda: filled((2, 3)),
    "a result": lambda: filled((2, 3)) * 1.0,
    "an array of Values": lambda: MLArray(nested([Value(x) for x in numbers(6)], (2, 3))),
}


@pytest.mark.parametrize("root", ROOTS)
def test_a_deep_chain_of_windows(backend: str, no_collector: None, root: str) -> None:
    x = ROOTS[root]()
    window = x
    for _ in range(2500):
        window = window.T[::-1]
    assert window.shape == (2, 3)
    window.sum().backward()
    assert x.grad().to_list() == [[1.0] * 3] * 2
    assert {id(v) for v in flat(window.data)} == {id(v) for v in flat(x.data)}
    x[0, 0] = 5.0
    assert sorted(flat(window.to_list())) == sorted(flat(x.to_list()))


def test_a_very_deep_chain_of_windows(backend: str, no_collector: None) -> None:
    x = filled((3,))
    window = x
    for _ in range(DEEP):
        window = window.T
    window.sum().backward()
    assert window.data[2] is x.data[2]
    assert gradient(x) == [1.0, 1.0, 1.0]
    gone = weakref.ref(window)
    del window
    assert gone() is None


def test_a_deep_chain_of_ops(backend: str, no_collector: None) -> None:
    x = ones(2)
    y = x
    for _ in range(DEEP):
        y = y + x
    middle = weakref.ref(y)
    y.backward()
    assert gradient(x) == [DEEP + 1.0] * 2
    y.data[0].backward()
    assert gradient(x) == [2.0 * (DEEP + 1.0), DEEP + 1.0]
    del y
    assert middle() is None


def test_a_deep_chain_of_assignments(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * 1.0
    for _ in range(3000):
        y[0] = y[0] + x[1]
    (y * 1.0).backward()
    assert y.to_list() == [6001.0, 2.0]
    assert gradient(x) == [1.0, 3001.0]


def test_a_wide_graph(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    begin = time.perf_counter()
    rows = [x * float(i) for i in range(2000)]
    stack(rows).sum().backward()
    assert gradient(x) == [1999.0 * 1000.0] * 2
    assert time.perf_counter() - begin < 20.0  # linear, not quadratic, in the number of operands
