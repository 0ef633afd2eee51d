"""Loops over rows and elements: each look and each assignment costs what it touches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, replay, stack
from smolml_array.functions.indexing import GETITEM
from smolml_value import Value, detect_anomaly
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
        with pytest.raises((ValueError, IndexError)):
            x[key] = new
    assert x.to_list() == [1.0, 2.0]
