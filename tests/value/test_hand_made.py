"""Values made by hand, as the lecture makes them: children, a symbol, a `_backward`."""

from __future__ import annotations

import copy
import gc
import math
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import (
    GraphError,
    Value,
    checkpoint,
    detect_anomaly,
    draw,
    explain,
    grad,
    gradients,
    hessian,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from smolml_value.extending import NoDerivativeError


def tanh(x: Value) -> Value:
    """As the lecture on micrograd writes it."""
    t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def times(x: Value, y: Value) -> Value:
    out = Value(x.data * y.data, (x, y), "*")

    def _backward() -> None:
        x.grad += y.data * out.grad
        y.grad += x.data * out.grad

    out._backward = _backward
    return out


class Neuron:
    """As the lecture has it."""

    def __init__(self, nin: int) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(random.uniform(-1, 1))

    def __call__(self, x: Any) -> Value:
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return self.tanh(act)

    tanh = staticmethod(tanh)

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]


class OursNeuron(Neuron):
    tanh = staticmethod(lambda x: x.tanh())


class MLP:
    """As the lecture has it, its layers being lists of neurons."""

    def __init__(self, neuron: type[Neuron], nin: int, nouts: list[int]) -> None:
        sizes = [nin, *nouts]
        self.layers = [[neuron(sizes[i]) for _ in range(sizes[i + 1])] for i in range(len(nouts))]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = [n(x) for n in layer]
        return x[0] if len(x) == 1 else x

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for n in layer for p in n.parameters()]


def trained(neuron: type[Neuron]) -> list[float]:
    """The lecture's training loop: the losses, and the parameters in the end."""
    random.seed(1337)
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    n = MLP(neuron, 3, [4, 4, 1])
    losses = []
    for _ in range(20):
        loss = sum(((n(x) - y) ** 2 for x, y in zip(xs, ys, strict=True)), Value(0.0))
        for p in n.parameters():
            p.grad = 0.0
        loss.backward()
        for p in n.parameters():
            p.data += -0.1 * p.grad
        losses.append(loss.data)
    return [*losses, *(p.data for p in n.parameters())]


def test_the_lectures_network_learns_the_same_with_its_own_tanh() -> None:
    own, ours = trained(Neuron), trained(OursNeuron)
    assert own == pytest.approx(ours, rel=1e-9)
    assert own[19] < own[0] / 10


def test_how_it_was_made() -> None:
    x, y = Value(2.0, label="x"), Value(3.0, "y")
    out = Value(6.0, (x, y), "*", label="out")
    assert (out._op, out._prev, out._children, out.label) == ("*", {x, y}, (x, y), "out")
    assert Value(4.0, {x}, "square")._prev == {x}
    assert Value(4.0, [x, x])._children == (x,)
    leaf = Value(1.0, (), "", "leaf")
    assert (leaf._prev, leaf._op, leaf.label) == (set(), "", "leaf")
    leaf.backward()
    assert leaf.grad == 1.0


numbers = st.floats(-2.0, 2.0)


@given(numbers, numbers)
def test_every_path_gives_what_the_ops_of_the_table_give(x: float, w: float) -> None:
    def own(x: Any, w: Any) -> Any:
        return times(tanh(times(x, w)), x) + tanh(x) * w

    def ours(x: Any, w: Any) -> Any:
        return (x * w).tanh() * x + x.tanh() * w

    want = grad(ours, (0, 1))(x, w)
    a, b = Value(x), Value(w)
    own(a, b).backward()
    own(a, b).backward()
    assert (a.grad / 2, b.grad / 2) == pytest.approx(want, rel=1e-9, abs=1e-12)
    paths: list[Callable[[], Any]] = [
        lambda: grad(own, (0, 1))(x, w),
        lambda: value_and_grad(own, (0, 1))(x, w)[1],
        lambda: vjp(own, x, w)[1](1.0),
        lambda: [jvp(own, (x, w), t)[1] for t in ((1.0, 0.0), (0.0, 1.0))],
        lambda: jacobian(lambda p: own(*p))([x, w]),
        lambda: grad(checkpoint(own), (0, 1))(x, w),
    ]
    for path in paths:
        assert list(path()) == pytest.approx(list(want), rel=1e-9, abs=1e-12)
    a, b = Value(x), Value(w)
    told = explain(own(a, b))
    assert [told.gradient(v) for v in (a, b)] == pytest.approx(list(want), rel=1e-9, abs=1e-12)
    assert (a.grad, b.grad) == (0.0, 0.0)
    with detect_anomaly():
        own(a, b).backward()
    assert [a.grad, b.grad] == pytest.approx(list(want), rel=1e-9, abs=1e-12)


def test_by_hand_from_end_to_beginning() -> None:
    x, y = Value(2.0), Value(3.0)
    out = times(x, y)
    out.grad = 2.0
    out._backward()
    out._backward()
    assert (x.grad, y.grad) == (12.0, 8.0)
    out._backward = lambda: None  # another one in its place
    out.backward()
    assert (x.grad, y.grad) == (12.0, 8.0)


def test_there_is_no_second_derivative_through_it() -> None:
    with pytest.raises(NoDerivativeError, match=r"tanh.*elementwise"):
        hessian(lambda p: tanh(p[0]) * p[1])([0.5, 2.0])
    x = Value(0.5)
    with pytest.raises(NoDerivativeError, match="elementwise"):
        gradients(tanh(x) * x, [x])


def test_it_is_drawn_and_explained() -> None:
    x = Value(0.5, "x")
    assert "tanh" in draw(tanh(x) * 2.0).dot
    assert "∂v1/∂x = 0.786" in str(explain(tanh(x) * 2.0))


def test_what_nobody_said_how_to_differentiate() -> None:
    x = Value(3.0)
    y = Value(9.0, (x,), "square") + x
    with pytest.raises(GraphError, match=r"square.*_backward"):
        y.backward()
    assert x.grad == 0.0
    with pytest.raises(GraphError, match="square"):
        grad(lambda x: Value(9.0, (x,), "square"))(3.0)


def test_a_failing_step_changes_nothing() -> None:
    x = Value(3.0)
    x.grad = 5.0
    y = Value(9.0, (x,), "square")

    def step() -> None:
        x.grad += 1.0
        raise ZeroDivisionError

    y._backward = step
    for attempt in (y.backward, lambda: explain(y)):
        with pytest.raises(ZeroDivisionError):
            attempt()
        assert x.grad == 5.0


def test_inside_no_grad_it_is_a_constant() -> None:
    x = Value(0.5)
    with no_grad():
        y = tanh(x)
    assert y._prev == set()


def test_a_copy_is_a_leaf() -> None:
    y = copy.deepcopy(tanh(Value(0.5)))
    assert y._prev == set()
    assert y.data == pytest.approx(math.tanh(0.5))


def test_its_cycle_is_collected() -> None:
    """A closure that adds to a Value it belongs to is a cycle, which only the collector frees."""
    kept = [weakref.ref(tanh(Value(0.5)) * 2.0) for _ in range(3)]
    kept += [weakref.ref(tanh(Value(0.5))) for _ in range(3)]
    gc.collect()
    assert [r() for r in kept] == [None] * 6


Made = Callable[[], Any]
X = Value(2.0)
WRONG: list[tuple[Made, type[Exception], str]] = [
    (lambda: Value(1.0, (2.0,), "a"), TypeError, "child must be a Value .*, got float"),  # type: ignore[arg-type]
    (lambda: Value(1.0, X, "a"), TypeError, r"one child is written \(x,\)"),  # type: ignore[arg-type]
    (lambda: Value(1.0, 3), TypeError, "label must be a str, got int"),  # type: ignore[arg-type]
    (lambda: Value(1.0, None, "a"), TypeError, "got NoneType"),  # type: ignore[arg-type]
    (lambda: Value(1.0, (), "exp"), ValueError, "needs children"),
    (lambda: Value(1.0, (X,), 3), TypeError, "op must be a str"),  # type: ignore[arg-type]
    (lambda: Value(1.0, "a", label="b"), ValueError, "two labels, 'a' and 'b'"),
    (lambda: Value(1.0, label=3), TypeError, "label must be a str"),  # type: ignore[arg-type]
    (lambda: setattr(X, "_backward", print), GraphError, "its children"),
    (lambda: setattr(X * X, "_backward", print), GraphError, "its children"),
]


@pytest.mark.parametrize(("make", "error", "words"), WRONG)
def test_what_is_refused(make: Made, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
