"""Loops over rows and elements: each look and each assignment costs what it touches."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, concat, replay, stack
from smolml_array._graph import alone
from smolml_array._graph.views import elements_at
from smolml_array.functions.indexing import GETITEM
from smolml_array.functions.table import as_array
from smolml_value import GraphError, Value, detect_anomaly, draw, no_grad
from smolml_value.transforms import grad, gradients

KEYS: list[Any] = [
    *(0, -1, slice(None), slice(3, 0, -2), ..., (1, 2), (slice(None), 1), (None, 2)),
    *([0, 2, 2], ([3, 0], [1, 1]), ([0, 0], slice(1, None)), (slice(None), [2, 0, 2])),
]


def by_backward(f: Callable[[Any], Any], x: MLArray) -> Any:
    f(x).backward()
    return x.grad()


def by_backward_through_values(f: Callable[[Any], Any], x: MLArray) -> Any:
    loss = f(x).data * Value(1.0)
    loss.backward()
    return x.grad()


def with_elements(f: Callable[[Any], Any], x: MLArray) -> Any:
    loss = f(x) + x.data[0][0] * 0.0 + (x.data[1][1] - x.data[1][1])
    loss.backward()
    return x.grad()


def twice(f: Callable[[Any], Any], x: MLArray) -> Any:
    (first,) = gradients(f(x), [x])
    (first * MLArray(np.ones(x.shape), backend=x.backend)).sum()
    return first


def watched(f: Callable[[Any], Any], x: MLArray) -> Any:
    with detect_anomaly():
        return by_backward(f, x)


WAYS = [by_backward, by_backward_through_values, with_elements, twice, watched]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40, deadline=None)
@given(
    keys=st.lists(st.sampled_from(range(len(KEYS))), min_size=1, max_size=8),
    whole=st.booleans(),
    data=st.data(),
)
def test_parts_are_added_up(
    backend: str, way: Callable[..., Any], keys: list[int], whole: bool, data: st.DataObject
) -> None:
    numbers = np.arange(12.0).reshape(4, 3) / 7.0 - 0.5
    weights = [np.cos(np.arange(1.0, 1.0 + numbers[KEYS[k]].size)) for k in keys]
    place = data.draw(st.integers(0, len(keys)))

    def f(x: Any) -> Any:
        parts = [
            (x[KEYS[k]] * MLArray(w, backend=backend).reshape(x[KEYS[k]].shape)).sum()
            for k, w in zip(keys, weights, strict=True)
        ]
        if whole:  # a cotangent of the whole comes in between
            parts.insert(place, (x * x).sum())
        return sum(parts[1:], parts[0])

    want = 2.0 * numbers if whole else np.zeros_like(numbers)
    for k, w in zip(keys, weights, strict=True):
        np.add.at(want, KEYS[k], w.reshape(numbers[KEYS[k]].shape))
    x = MLArray(numbers, backend=backend)
    np.testing.assert_allclose(np.asarray(way(f, x)), want, rtol=1e-13, atol=1e-13)
    found = grad(f)(MLArray(numbers, backend=backend))
    np.testing.assert_allclose(np.asarray(found), want, rtol=1e-13, atol=1e-13)


def test_a_replayed_loop_adds_into_the_same_buffer() -> None:
    numbers = np.arange(12.0).reshape(4, 3)
    x = MLArray(numbers)
    step = replay(lambda scale: (stack([x[i] * x[i - 1] for i in range(4)]) * scale).sum(), [x])
    for scale in (1.0, 2.0, 3.0):
        step(MLArray(scale, requires_grad=False))
        want = scale * (np.roll(numbers, 1, 0) + np.roll(numbers, -1, 0))
        np.testing.assert_allclose(np.asarray(x.grad()), want, rtol=1e-13)
        x.zero_grad()


@pytest.mark.parametrize("way", [by_backward, by_backward_through_values, lambda f, x: grad(f)(x)])
@pytest.mark.parametrize(
    "rows",
    [
        lambda x: list(x),
        lambda x: [x[i] for i in range(len(x))],
        lambda x: x.split(len(x)),
        lambda x: [x.take([i], axis=0) for i in range(len(x))],
    ],
)
def test_one_array_of_zeros_for_all_rows(
    backend: str,
    way: Callable[..., Any],
    rows: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spread = []
    (whole,) = GETITEM.vjps
    assert whole is not None

    def counted(xp: Any, g: Any, out: Any, x: Any, **params: Any) -> Any:
        spread.append(g.shape)
        return whole(xp, g, out, x, **params)

    monkeypatch.setattr(GETITEM, "vjps", (counted,))
    x = MLArray(np.arange(60.0).reshape(20, 3), backend=backend)
    found = way(lambda x: sum(((row * row).sum() for row in rows(x)), MLArray(0.0)), x)
    np.testing.assert_allclose(np.asarray(found), 2.0 * np.arange(60.0).reshape(20, 3))
    assert len(spread) <= 1


# Assignment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("requires_grad", [True, False])
def test_numbers_go_into_the_buffer_that_nobody_else_sees(
    backend: str, requires_grad: bool
) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], requires_grad=requires_grad, backend=backend)
    before = id(x._node.raw)
    x[0] = 5.0
    x[1, 1] = 6.0
    x[:, 0] = [7.0, 8.0]
    x[x > 7.5] = 0.0
    assert id(x._node.raw) == before
    assert x.to_list() == [[7.0, 5.0], [0.0, 6.0]]


SEEN: dict[str, Callable[[MLArray], Callable[[], Any]]] = {
    "recorded": lambda x: (y := x * x, lambda: grad_of(y, x))[1],
    "a copy": lambda x: MLArray(x.detach(), backend=x.backend).to_list,
    "detached": lambda x: x.detach().to_list,
    "reshaped and detached": lambda x: x.reshape(4).detach().to_list,
    "an ndarray": lambda x: np.asarray(x).tolist,
    "its gradient": lambda x: after_backward(x).to_list,
}


def after_backward(x: MLArray) -> MLArray:
    (x * 1.0).sum().backward()
    return x.grad()


def grad_of(y: MLArray, x: MLArray) -> Any:
    return gradients(y, [x])[0].to_list()


@pytest.mark.parametrize("who", SEEN)
def test_who_has_seen_the_numbers_keeps_them(backend: str, who: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    look = SEEN[who](x)
    before = look()
    x[0] = -1.0
    x[1, 1] = -2.0
    assert look() == before
    assert x.to_list() == [[-1.0, -1.0], [3.0, -2.0]]


def test_windows_and_elements_see_what_is_assigned(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    row, turned, flat = x[0], x.T, x.reshape(4)
    element = x.data[0][1]
    x[0, 1] = 9.0
    x[0] = [8.0, 7.0]
    assert (row.to_list(), element.data) == ([8.0, 7.0], 7.0)
    assert (turned.to_list(), flat.to_list()) == ([[8.0, 3.0], [7.0, 4.0]], [8.0, 7.0, 3.0, 4.0])
    del element, row, turned, flat
    x[0, 1] = 1.0
    assert x.data[0][1].data == 1.0


def test_what_does_not_fit_changes_nothing(backend: str) -> None:
    x = MLArray([1.0, 2.0], backend=backend)
    for key, new in ((0, [1.0, 2.0]), (5, 1.0), (slice(None), [1.0, 2.0, 3.0])):
        with pytest.raises((ValueError, IndexError), match=r"^(index|setitem): "):
            x[key] = new
    assert x.to_list() == [1.0, 2.0]


def test_numbers_go_into_the_buffer_though_elements_were_seen(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]], backend=backend)
    held = x.data[1][0]
    before = id(x._node.raw)
    x[1, 0] = 5.0
    x.data[0][1] = 6.0
    x.data[0][0].data = 7.0
    x[:, 1:] = 8.0
    assert id(x._node.raw) == before
    assert [v.data for row in x.data for v in row] == [7.0, 8.0, 5.0, 8.0]
    assert held.data == 5.0
    y = x * 1.0
    x.data[1][0].data = 9.0  # y remembers
    assert (y.to_list(), x.to_list()) == ([[7.0, 8.0], [5.0, 8.0]], [[7.0, 8.0], [9.0, 8.0]])


# Results, in which arrays are put -----------------------------------------------------------------

only_cpython = pytest.mark.skipif(
    not hasattr(sys, "getrefcount"), reason="only CPython says who holds an object"
)


def filled(n: int, backend: str) -> MLArray:
    """The loop over y[i] = x[i], and back."""
    x = MLArray([0.5] * n, backend=backend)
    y = x * 2.0
    for i in range(n):
        y[i] = x[i]
    (y * y).sum().backward()
    return x


@only_cpython
def test_n_assignments_take_memory_for_n(backend: str) -> None:
    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            x = filled(n, backend)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert set(x.grad().to_list()) == {1.0}

    filled(alone.WORTH_IT, backend)  # what is kept from the first time on
    first = peak(alone.WORTH_IT)
    assert peak(2 * alone.WORTH_IT) < 2.5 * first
    assert first < 8000 * alone.WORTH_IT


def increased(y: Any, key: Any, by: Any) -> None:
    y[key] += by


MIX = [[0.5, -0.25], [0.125, 0.75]]
RECURRENCES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "a constant times": (lambda y: y * 0.75, lambda y: y * 0.75),
    "squared": (lambda y: y * y, lambda y: y * y),
    "tanh": (lambda y: y.tanh(), np.tanh),
    "divided by": (lambda y: 1.0 / (1.0 + y), lambda y: 1.0 / (1.0 + y)),
    "of rows": (lambda y: (y @ MIX).tanh(), lambda y: np.tanh(y @ np.asarray(MIX))),
    "of parts of rows": (lambda y: y[0] * y + y[1:].sum(), lambda y: y[0] * y + y[1:].sum()),
}
HOWS: dict[str, Callable[[Any, int, Callable[[Any], Any]], None]] = {
    "at once": lambda y, i, f: y.__setitem__(i, f(y[i - 1])),
    "by a name": lambda y, i, f: (before := y[i - 1], y.__setitem__(i, f(before)))[1],
    "added": lambda y, i, f: increased(y, i, f(y[i - 1])),
    "from two": lambda y, i, f: y.__setitem__(i, f(y[i - 1]) - 0.5 * y[max(i - 2, 0)]),
}


def recurrent(x: Any, how: str, f: Callable[[Any], Any]) -> Any:
    y = x * 1.0
    for i in range(1, len(x)):
        HOWS[how](y, i, f)
    return y


def unrolled(x: Any, how: str, f: Callable[[Any], Any]) -> Any:
    """The same, where nothing is assigned to."""
    parts = [x[0]]
    for i in range(1, len(x)):
        new = f(parts[-1])
        new = x[i] + new if how == "added" else new
        parts.append(new - 0.5 * parts[max(i - 2, 0)] if how == "from two" else new)
    return parts


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", RECURRENCES)
@pytest.mark.parametrize("worth_it", [1, 1 << 60])
def test_recurrences(
    backend: str, name: str, how: str, worth_it: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "WORTH_IT", worth_it)
    f, in_numpy = RECURRENCES[name]
    numbers = np.cos(np.arange(24.0)) * 0.5
    numbers = numbers.reshape(12, 2) if "rows" in name else numbers
    weights = np.sin(np.arange(1.0, 1.0 + numbers.size)).reshape(numbers.shape)
    x, z = MLArray(numbers, backend=backend), MLArray(numbers, backend=backend)
    y = recurrent(x, how, f)
    want = np.array(unrolled(numbers, how, in_numpy))
    np.testing.assert_allclose(np.asarray(y), want, rtol=1e-13)
    loss = (y * weights).sum()
    (stack(unrolled(z, how, f)) * weights).sum().backward()
    for found in (*gradients(loss, [x]), (loss.backward(), x.grad())[1]):
        np.testing.assert_allclose(np.asarray(found), np.asarray(z.grad()), rtol=1e-12, atol=1e-15)


@only_cpython
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", ["a constant times", "tanh", "of rows"])
def test_a_recurrence_copies_nothing_but_what_it_reads(backend: str, name: str, how: str) -> None:
    f, _ = RECURRENCES[name]
    x = MLArray(np.full((300, 2) if "rows" in name else 300, 0.5), backend=backend)
    y = x * 1.0
    HOWS[how](y, 1, f)
    before = id(y._node.raw)
    for i in range(2, 300):
        HOWS[how](y, i, f)
    assert id(y._node.raw) == before


def test_powers_have_their_closed_form(backend: str) -> None:
    """y[i] = r y[i - 1]: the sum is x0 (1 - r^n) / (1 - r), with respect to r, too."""
    n, r = 200, MLArray(0.9, backend=backend)
    x = MLArray([2.0] * n, backend=backend)
    y = x * 1.0
    for i in range(1, n):
        y[i] = y[i - 1] * r
    y.sum().backward()
    q = 0.9
    by_r = 2.0 * ((1 - q**n) / (1 - q) ** 2 - n * q ** (n - 1) / (1 - q))
    assert y.sum().item() == pytest.approx(2.0 * (1 - q**n) / (1 - q), rel=1e-12)
    assert r.grad().item() == pytest.approx(by_r, rel=1e-12)
    assert x.grad().to_list() == pytest.approx([(1 - q**n) / (1 - q)] + [0.0] * (n - 1), rel=1e-12)


@only_cpython
@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("shape", [(100,), (100, 3)])
def test_numbers_go_into_the_buffer_though_windows_show_some(
    backend: str, requires_grad: bool, shape: tuple[int, ...]
) -> None:
    x = MLArray(np.ones(shape), requires_grad=requires_grad, backend=backend)
    weight = MLArray(3.0, backend=backend)
    row, whole = x[7], x.reshape(-1)
    z = (row * row * weight).sum()
    del whole  # it looks into the buffer
    before = id(x._node.raw)
    with no_grad():
        for i in range(100):
            x[i] += 1.0
            row *= 2.0
    assert id(x._node.raw) == before
    want = np.full(shape, 2.0)
    want[7] = (2.0**7 + 1.0) * 2.0**93
    np.testing.assert_array_equal(np.asarray(x), want)
    assert row.to_list() == x.to_list()[7]
    z.backward()  # it remembers
    assert weight.grad().item() == np.ones(shape)[7].size
    if requires_grad:
        assert x.grad()[7].sum().item() == 6.0 * np.ones(shape)[7].size


@pytest.mark.parametrize("kind", ["leaf", "constant", "result"])
def test_windows_show_what_elements_were_set_to(backend: str, kind: str) -> None:
    x: Any = MLArray([1.0] * 100, requires_grad=kind != "constant", backend=backend)
    x = x * 1.0 if kind == "result" else x
    window, part = x[3], x[2:5]
    z = window * part
    with no_grad():
        x.data[3].data = 5.0
    assert (window.to_list(), part.to_list(), z.to_list()) == (5.0, [1.0, 5.0, 1.0], [1.0] * 3)
    with no_grad():
        x[3] = 7.0
        x[2] += 1.0
    assert (window.to_list(), part.to_list(), z.to_list()) == (7.0, [2.0, 7.0, 1.0], [1.0] * 3)
    x.update_values([9.0] * 100)
    assert (window.to_list(), part.to_list(), z.to_list()) == (9.0, [9.0] * 3, [1.0] * 3)


PUTS: dict[str, Callable[[Any, Any], None]] = {
    "a row": lambda y, x: y.__setitem__(1, x[0] * 2.0),
    "an element": lambda y, x: y.__setitem__((2, -1), x[1, 1]),
    "slices": lambda y, x: y.__setitem__((slice(None, None, 2), slice(1, 3)), x[:2, :2]),
    "rows that repeat": lambda y, x: y.__setitem__([0, 0, 2], x[:3] * x[1]),
    "what is chosen": lambda y, x: y.__setitem__(y > 0.5, x[0, 0]),
    "broadcast": lambda y, x: y.__setitem__(..., x[:, :1]),
    "its own row": lambda y, x: y.__setitem__(0, y[1] * x[2]),
    "itself": lambda y, x: y.__setitem__(slice(None), y),
    "a number": lambda y, x: y.__setitem__(1, 3.0),
    "a Value": lambda y, x: y.__setitem__((0, 0), x.data[2][1] * 2.0),
    "added to": lambda y, x: y.__setitem__(2, y[2] + x[2]),
    "added to in place": lambda y, x: increased(y, 2, x[2]),
    "from the row before": lambda y, x: y.__setitem__(3, y[2] * y[2][1]),
    "to a window of a row": lambda y, x: y[1].__setitem__(..., x[2] * y[0]),
    "to a window of a window": lambda y, x: y[1:][0].__setitem__(..., y[3, 1:2]),
    "through a window": lambda y, x: y.T[0].__setitem__(slice(2), x[0, :2]),
}
LOOKS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "nobody": lambda y: list,
    "a product": lambda y: (z := y * y, lambda: grad_of_all(z))[1],
    "its exponential": lambda y: (z := y.exp(), lambda: grad_of_all(z))[1],
    "a window": lambda y: (w := y[1:] * 1.0, w.to_list)[1],
    "a product of rows": lambda y: (z := y[1] * y[2], lambda: grad_of_all(z[None]))[1],
    "a row with a name": lambda y: (w := y[2], z := w * w, lambda: [z.to_list(), w.shape])[2],
    "detached": lambda y: y.detach().to_list,
    "an ndarray": lambda y: np.asarray(y).tolist,
    "an element": lambda y: (v := y.data[1][0] * 1.0, lambda: v.data)[1],
    "a row of elements": lambda y: (row := y.data[1], lambda: [(v.data, v.grad) for v in row])[1],
    "its gradient": lambda y: (y.sum().backward(), y.grad().to_list)[1],
}


def grad_of_all(z: MLArray) -> Any:
    (found,) = gradients(z, [z])
    return [found.to_list(), z.to_list(), [v.data for row in z.data for v in row]]


def put(backend: str, steps: list[tuple[str, str]]) -> list[Any]:
    """All that can be seen of a program of looks and assignments."""
    x = MLArray(np.arange(12.0).reshape(4, 3) / 7.0 - 0.5, backend=backend)
    y = (x * 2.0) if len(steps) % 2 else x.exp()
    held, seen = [], []
    for look, name in steps:
        held.append(LOOKS[look](y))
        before = held[-1]()
        row, column = y[2], y.T[1]
        PUTS[name](y, x)
        seen += [y.to_list(), held[-1]() == before]
        assert (row.to_list(), column.to_list()) == (y.to_list()[2], y.T.to_list()[1])
    x.zero_grad()
    loss = (y * np.arange(12.0).reshape(4, 3)).sum()
    (wanted,) = gradients(loss, [x])
    loss.backward()
    np.testing.assert_allclose(np.asarray(wanted), np.asarray(x.grad()), rtol=1e-13)
    loss.backward()
    return [*seen, x.grad().to_list(), y.grad().to_list()]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([*LOOKS, *["nobody"] * 24]), st.sampled_from([*PUTS])),
        min_size=1,
        max_size=8,
    )
)
def test_in_its_own_buffer_or_in_a_copy(backend: str, steps: list[tuple[str, str]]) -> None:
    def at(worth_it: int) -> list[Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(alone, "WORTH_IT", worth_it)
            return put(backend, steps)

    copied = at(1 << 60)
    assert at(1) == copied
    assert all(same for same in copied[1:-2:2])


@only_cpython
def test_numbers_that_were_let_go_of_are_made_again(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "WORTH_IT", 1)
    x = MLArray([1.0, 2.0, 3.0], backend=backend)
    y = x * 10.0
    n = 1500  # more than Python's stack is deep
    for i in range(n):
        y[i % 3] = x[i % 3] * float(i)
    last = y.data[0]
    (before,) = (v for v in last._prev if v.data != 0.0)
    versions = [[v.data for v in y.data]]
    node: Any = y._node
    for _ in range(3):
        node = node.operands[0]
        versions.append([v.data for v in elements_at(node, range(3))])
    assert versions == [
        [1497.0, 2996.0, 4497.0],
        [1497.0, 2996.0, 4488.0],
        [1497.0, 2990.0, 4488.0],
        [1494.0, 2990.0, 4488.0],
    ]
    assert before.data in (1497.0, 1.0)
    with pytest.raises(GraphError, match=r"setitem has none any more.*look at the element"):
        _ = elements_at(node, [0])[0].grad
    elements_at(node, [0])[0].grad = 2.0
    assert elements_at(node, [0])[0].grad == 2.0
    assert node.raw.tolist() == [1494.0, 2990.0, 4488.0]
    assert "nan" not in str(draw(y))


@only_cpython
def test_a_failed_assignment_lets_go_of_nothing(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "WORTH_IT", 1)
    x = MLArray([1.0, 2.0, 3.0], backend=backend)
    y = x * 10.0
    y.sum().backward()
    for key, new in ((5, x[0]), (slice(2), x), ([0, 9], x[:2])):
        with pytest.raises((IndexError, ValueError)):
            y[key] = new
    assert (y.to_list(), y.grad().to_list()) == ([10.0, 20.0, 30.0], [1.0, 1.0, 1.0])
    assert y.data[1].data == 20.0


# Joining ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("join", [stack, concat, MLArray])
@pytest.mark.parametrize("kind", ["arrays", "lists", "both"])
def test_n_arrays_are_asked_for_n_times(
    backend: str, join: Callable[..., Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(x: Any, *others: Any) -> Any:
        asked.append(len(others))
        return as_array(x, *others)

    monkeypatch.setattr("smolml_array.functions.joining.as_array", counted)

    def calls(n: int) -> int:
        """How many functions are called, those in C included."""
        parts = [[float(i), 2.0] for i in range(n)]
        given = [
            MLArray(p, backend=backend) if kind == "arrays" or (kind == "both" and i == 0) else p
            for i, p in enumerate(parts)
        ]
        asked.clear()
        count = 0

        def profile(frame: Any, event: str, arg: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            made = join(given)
        finally:
            sys.setprofile(before)
        flat = np.asarray(made).reshape(-1).tolist()
        assert flat == [number for part in parts for number in part]
        return count + sum(asked)

    calls(2)
    assert calls(200) < 2.2 * calls(100)
