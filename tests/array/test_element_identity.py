"""Elements are always the same objects: through every window, and for as long as they live."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_value import Value
from tests.array import kinds
from tests.array.helpers import assert_close, filled, flat, gradient, nested, numbers, values_of
from tests.array.kinds import WEIGHTS, every_kind

Look = Callable[[MLArray], MLArray]

WINDOWS: dict[str, Look] = {
    "T": lambda x: x.T,
    "transpose": lambda x: x.transpose(1, 0),
    "reshape": lambda x: x.reshape(3, 2),
    "reshape -1": lambda x: x.reshape(-1),
    "flatten": lambda x: x.flatten(),
    "expand_dims": lambda x: x.expand_dims((0, 2)),
    "squeeze": lambda x: x.expand_dims(0).squeeze(),
    "flip": lambda x: x.flip(),
    "flip an axis": lambda x: x.flip(-1),
    "row": lambda x: x[1],
    "element": lambda x: x[1, -1],
    "column": lambda x: x[:, 1],
    "slices": lambda x: x[::-1, 2:0:-1],
    "None and ...": lambda x: x[..., None, 1:],
    "nothing": lambda x: x[5:],
    "chain": lambda x: x.T[1:].reshape(-1)[::-2].expand_dims(1).T,
    "iteration": lambda x: list(x)[1],
    "MLArray": lambda x: MLArray(x),
}


def check_window(x: MLArray, window: MLArray, places: list[int]) -> None:
    """The elements of `window` are those of `x` at `places`: object, number and gradient."""
    values = values_of(x)
    seen = values_of(window)
    assert len(seen) == len(places)
    assert all(v is values[place] for v, place in zip(seen, places, strict=True))
    data, grads = flat(x.to_list()), gradient(x)
    assert flat(window.to_list()) == [data[place] for place in places]
    assert gradient(window) == [grads[place] for place in places]


def places_in(look: Look, shape: tuple[int, ...]) -> list[int]:
    """The positions that `look` chooses, found by looking at an array of positions."""
    positions = MLArray(nested([float(i) for i in range(math.prod(shape))], shape))
    return [int(place) for place in flat(look(positions).to_list())]


@every_kind
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_shows_the_same_elements(
    backend: str, make: Callable[[], MLArray], name: str
) -> None:
    look = WINDOWS[name]
    places = places_in(look, (2, 3))
    x = make()
    early = look(x)
    (x * x * WEIGHTS).sum().backward()
    check_window(x, look(x), places)
    check_window(x, early, places)
    for v in values_of(early):
        v.data += 1.0
    check_window(x, look(x), places)


@st.composite
def chains(draw: st.DrawFn) -> list[Look]:
    """Some windows, one looking through the other; each knows what to do with any shape."""
    count = draw(st.integers(1, 6))
    return [draw(st.sampled_from(STEPS)) for _ in range(count)]


STEPS: list[Look] = [
    lambda x: x.T,
    lambda x: x.flip(),
    lambda x: x.reshape(-1),
    lambda x: x.reshape(2, -1) if x.size() % 2 == 0 and x.size() else x,
    lambda x: x.expand_dims(-1),
    lambda x: x.squeeze(),
    lambda x: x[..., ::-1] if x.ndim else x[...],
    lambda x: x[1:] if x.ndim and x.shape[0] > 1 else x,
    lambda x: x[..., ::2] if x.ndim else x[None],
    lambda x: x[0] if x.ndim and x.shape[0] else x,
    lambda x: x.transpose((*range(1, x.ndim), 0)) if x.ndim else x,
]


@given(looks=chains(), make=st.sampled_from(kinds.KINDS), seen_before=st.booleans())
def test_a_chain_of_windows_shows_the_same_elements(
    backend: str, looks: list[Look], make: Callable[[], MLArray], seen_before: bool
) -> None:
    def look(x: MLArray) -> MLArray:
        for step in looks:
            x = step(x)
        return x

    places = places_in(look, (2, 3))
    x = make()
    if seen_before:
        values_of(x)
    window = look(x)
    (window * window).sum().backward()
    data = flat(x.to_list())
    assert_close(gradient(x), [2.0 * v * (i in places) for i, v in enumerate(data)])
    check_window(x, window, places)


@every_kind
def test_other_arrays_have_other_elements(backend: str, make: Callable[[], MLArray]) -> None:
    x = make()
    own = {id(v) for v in values_of(x)}
    others = [x * 1.0, x[[1, 0]], x[x == x], x.detach(), x.broadcast_to((2, 2, 3)), x.grad()]
    for other in others:
        assert own.isdisjoint(map(id, values_of(other)))


# Lifetimes -----------------------------------------------------------------------------------


@every_kind
def test_elements_outlive_their_array(backend: str, make: Callable[[], MLArray]) -> None:
    first = make().data[0][0]
    number = first.data
    (first * first).backward()
    assert_close(first.grad, 2.0 * number)
    first.data = 3.0
    assert (first * 2.0).data == 6.0


def test_an_element_keeps_what_its_array_came_from(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    last = (x * x).T[::-1].data[0]
    last.backward()
    assert gradient(x) == [0.0, 4.0]


@contextmanager
def no_cyclic_garbage() -> Iterator[None]:
    """Nothing made inside may need the garbage collector to go away."""
    gc.collect()
    gc.disable()
    try:
        yield
        assert gc.collect() == 0
    finally:
        gc.enable()


@every_kind
def test_no_reference_cycles(backend: str, make: Callable[[], MLArray]) -> None:
    def work() -> list[weakref.ref[Any]]:
        x = make()
        y = (x.T @ x).tanh()
        window = y[1:].T.reshape(-1)
        L = (window * window).sum() + y.data[0][0] + x.data[0][0] * x.data[1][1]
        L.backward()
        x.data[0][0].data = 2.0
        x.data[0][1] = 1.0
        x[1] = y[0, 0]
        x.data = WEIGHTS
        (x + y.max()).mean().data.backward()
        return [weakref.ref(o) for o in (x, y, window, L, x.data[0][0], y.data[0][0], L.data)]

    work()  # what is cached on the first use is no garbage
    with no_cyclic_garbage():
        refs = work()
        assert [r() for r in refs] == [None] * len(refs)


def test_a_failed_operation_leaves_no_cycles(backend: str) -> None:
    def work() -> None:
        x = filled((2, 3))
        mistakes: list[Callable[[], object]] = [
            *(lambda: x @ x, lambda: x + [1.0, 2.0], lambda: x.reshape(4), lambda: x[5]),
        ]
        for wrong in mistakes:
            with pytest.raises((ValueError, IndexError)):
                wrong()

    work()
    with no_cyclic_garbage():
        work()


# Copies --------------------------------------------------------------------------------------

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda x: pickle.loads(pickle.dumps(x, 0)),
    lambda x: pickle.loads(pickle.dumps(x)),
]
each_copy = pytest.mark.parametrize("clone", COPIES, ids=["copy", "deepcopy", "oldest", "pickle"])


@each_copy
@every_kind
def test_a_copy_is_a_leaf_of_its_own(
    backend: str, make: Callable[[], MLArray], clone: Callable[[Any], Any]
) -> None:
    x = make()
    x.label = "weights"
    y = clone(x)
    assert isinstance(y, MLArray)
    assert y.to_list() == x.to_list()
    assert (y.backend, y.dtype, y.label) == (x.backend, x.dtype, "weights")
    assert {id(v) for v in values_of(x)}.isdisjoint(map(id, values_of(y)))
    (y * y).sum().backward()
    assert gradient(x) == [0.0] * 6
    assert_close(gradient(y), [2.0 * v for v in flat(y.to_list())])
    y[0, 0] = 100.0
    assert x.to_list()[0][0] != 100.0


@each_copy
def test_copies_of_constants_and_other_numbers(backend: str, clone: Callable[[Any], Any]) -> None:
    from smolml_array import zeros

    constant = clone(MLArray([1.0, 2.0], requires_grad=False))
    assert not constant.requires_grad
    for dtype in ("int64", "bool"):
        x = MLArray([[1, 0], [0, 1]], dtype=dtype)
        y = clone(x)
        assert (y.to_list(), y.dtype, y.requires_grad) == (x.to_list(), x.dtype, False)
    for shape in [(), (0,), (0, 3), (2, 0, 3)]:
        assert clone(zeros(shape)).shape == shape
    special = clone(MLArray([math.nan, math.inf, -0.0, 5e-324])).to_list()
    assert math.isnan(special[0])
    assert special[1:] == [math.inf, 0.0, 5e-324]
    assert math.copysign(1.0, special[2]) == -1.0


@each_copy
def test_copies_of_elements_and_of_data(backend: str, clone: Callable[[Any], Any]) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    (x * x).sum().backward()
    v = clone(x.data[1][0])
    assert isinstance(v, Value)
    assert (v.data, v.grad) == (3.0, 6.0)
    (v * 5.0).backward()
    assert x.grad().to_list() == [[2.0, 4.0], [6.0, 8.0]]
    rows = clone(x.data)
    assert rows == [[1.0, 2.0], [3.0, 4.0]]
    assert isinstance(rows[0][0], Value)


def test_a_deep_graph_can_be_copied(backend: str) -> None:
    x = MLArray(numbers(3))
    y = x
    for _ in range(5000):
        y = y * 1.0
    for clone in COPIES:
        assert clone(y).to_list() == x.to_list()
    assert clone(y.data[0]).data == x.to_list()[0]


class Layer(MLArray):
    """An array of a user's own class, with attributes and a constructor of its own."""

    def __init__(self, length: int, name: str) -> None:
        super().__init__([float(i) for i in range(length)])
        self.name = name


@each_copy
def test_copies_of_a_users_own_class(backend: str, clone: Callable[[Any], Any]) -> None:
    x = Layer(3, "first")
    y = clone(x)
    assert type(y) is Layer
    assert (y.to_list(), y.name) == ([0.0, 1.0, 2.0], "first")
    assert type(x * 2.0) is Layer


@each_copy
def test_copies_keep_the_gradient(backend: str, clone: Callable[[Any], Any]) -> None:
    x = MLArray([[1.0, 2.0]])
    (x * x).sum().backward()
    y = clone(x)
    y.grad().data[0][0].data = 7.0
    assert y.grad().to_list() == [[2.0, 4.0]]
    y.zero_grad()
    assert x.grad().to_list() == [[2.0, 4.0]]
    assert clone(x.T).grad().to_list() == [[2.0], [4.0]]
