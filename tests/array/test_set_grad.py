"""Gradients that are set: on arrays, windows, arrays of Values, and on Values by the same name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, ShapeError, replay
from smolml_value import GraphError, Value

NEW = [[5.0, 6.0], [7.0, 8.0]]


@pytest.mark.parametrize(
    "new",
    [
        NEW,
        [[5, 6], [7, 8]],
        np.array(NEW),
        np.array(NEW, dtype="float32"),
        np.array(NEW, dtype="int64"),
        MLArray(NEW, backend="pure"),
        MLArray(NEW, backend="numpy"),
        MLArray(NEW, dtype="int64"),
    ],
    ids=lambda x: f"{type(x).__name__} {getattr(x, 'dtype', '')}",
)
def test_what_is_set_is_there(new: Any, backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    (x * x).sum().backward()
    x.set_grad(new)
    assert x.grad().to_list() == NEW
    assert (x.grad().dtype, x.grad().backend) == (x.dtype, x.backend)
    assert x.data[1][0].grad == 7.0
    assert x.to_list() == [[1.0, 2.0], [3.0, 4.0]]
    x.sum().backward()  # adds to it
    assert x.grad().to_list() == [[6.0, 7.0], [8.0, 9.0]]
    x.zero_grad()
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]


def test_it_keeps_its_own_numbers(backend: str) -> None:
    x, g = MLArray([1.0, 2.0]), np.array([3.0, 4.0])
    x.set_grad(g)
    g[:] = 0.0
    x.grad()[:] = 9.0  # an array of its own
    assert x.grad().to_list() == [3.0, 4.0]


def test_a_window_sets_its_part(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    column, transposed = x[:, 1], x.T
    column.set_grad([5.0, 6.0])
    assert x.grad().to_list() == [[0.0, 5.0], [0.0, 6.0]]
    transposed.set_grad([[1.0, 2.0], [3.0, 4.0]])
    assert x.grad().to_list() == [[1.0, 3.0], [2.0, 4.0]]
    assert column.grad().to_list() == [3.0, 4.0]
    column.zero_grad()
    assert x.grad().to_list() == [[1.0, 0.0], [2.0, 0.0]]


def test_an_array_of_values_sets_theirs(backend: str) -> None:
    a, b = Value(1.0), Value(2.0)
    x = MLArray([a, b])
    x.set_grad([3.0, 4.0])
    assert (a.grad, b.grad) == (3.0, 4.0)
    x[1:].set_grad([5.0])
    assert (a.grad, b.grad) == (3.0, 5.0)
    x[:1].zero_grad()
    assert (a.grad, b.grad) == (0.0, 5.0)


def test_values_have_the_same_names(backend: str) -> None:
    v, element = Value(1.0), MLArray([1.0, 2.0]).data[1]
    for p in (v, element):
        p.set_grad(3)
        assert p.grad == 3.0
        p.zero_grad()
        assert p.grad == 0.0
    with pytest.raises(TypeError, match=r"^Value.grad: expected a number"):
        v.set_grad("3")


def test_a_property_of_a_subclass_is_asked() -> None:
    class Watched(Value):
        seen: list[float] = []  # noqa: RUF012  # one test, one class

        @property
        def grad(self) -> float:
            return super().grad

        @grad.setter
        def grad(self, new: float) -> None:
            self.seen.append(new)

    v = Watched(1.0)
    v.set_grad(2.0)
    v.zero_grad()
    assert v.seen[-2:] == [2.0, 0.0]


def test_float32_stays() -> None:
    x = MLArray([1.0], dtype="float32", backend="numpy")
    x.set_grad([0.1])
    assert x.grad().dtype == np.float32
    assert x.grad().to_list() == [float(np.float32(0.1))]


def test_what_is_refused(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    for wrong, shape in ((1.0, "()"), ([1.0], "(1,)"), ([[1.0, 2.0]], "(1, 2)")):
        with pytest.raises(ShapeError) as caught:
            x.set_grad(wrong)
        assert str(caught.value) == f"set_grad: expected the shape (2,), got {shape}"
    with pytest.raises(GraphError, match=r"^set_grad: a constant has no gradient; use requires"):
        MLArray([1.0], requires_grad=False).set_grad([1.0])
    assert x.grad().to_list() == [0.0, 0.0]


def test_a_recording_refuses_it() -> None:
    w = MLArray([1.0, 2.0], backend="numpy")

    def step(x: MLArray) -> MLArray:
        w.set_grad([1.0, 1.0])
        return (w * x).sum()

    with pytest.raises(GraphError, match="gradient"):
        replay(step, [w])(MLArray([1.0, 1.0], requires_grad=False, backend="numpy"))
