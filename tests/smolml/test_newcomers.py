"""Programs that newcomers write, from other libraries' habits, and what must come out of them."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smolml import (
    GraphError,
    LostGradientWarning,
    MLArray,
    Value,
    check_grads,
    grad,
    no_grad,
    ops,
    replay,
    use_backend,
    value_and_grad,
    zeros,
)

np = pytest.importorskip("numpy")


@pytest.fixture(params=["numpy", "pure"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_backend(request.param):
        yield request.param


# Writing in place ---------------------------------------------------------------------------------


def test_momentum_by_hand() -> None:
    w, velocity = MLArray([4.0]), zeros(1, requires_grad=False)
    number, speed = 4.0, 0.0
    for _ in range(5):
        (w * w).sum().backward()
        with no_grad():
            for p, v in zip([w], [velocity], strict=True):
                v *= 0.9
                v += p.grad()
                p -= 0.05 * v
        w.zero_grad()
        speed = 0.9 * speed + 2 * number
        number -= 0.05 * speed
    assert w.item() == pytest.approx(number, rel=1e-14)
    assert velocity.item() == pytest.approx(speed, rel=1e-14)
    assert (round(w.item(), 4), round(velocity.item(), 4)) == (-0.1166, 20.4768)  # PyTorch's


def test_running_averages_and_rows_of_data() -> None:
    w = MLArray([4.0])
    averages = [w.detach()]
    with no_grad():
        for average in averages:
            average *= 0.5
            average += 0.5 * MLArray([8.0])
    assert (averages[0].to_list(), w.to_list()) == ([6.0], [4.0])
    data = MLArray([[1.0, 3.0], [2.0, 2.0]], requires_grad=False)
    for row in data:
        row /= row.sum()
    assert data.to_list() == [[0.25, 0.75], [0.5, 0.5]]
    data[0] *= 4.0
    first = data[1]
    first += 1.0
    assert data.to_list() == [[1.0, 3.0], [1.5, 1.5]]


# Leaving the graph --------------------------------------------------------------------------------


def filled(p: Any) -> Any:
    buffer = np.zeros(2)
    buffer[0] = p[0]
    return (buffer * p).sum()


LEAVING: list[tuple[Callable[[Any], Any], Any]] = [
    (lambda p: np.sum(np.array([p[0] ** 2, p[1] ** 2])) + p[0], [1.0, 2.0]),
    (lambda p: math.sin(p[0]) + p[1], [1.0, 2.0]),
    (lambda p: np.vectorize(lambda t: t * t)(p).sum() + p[0], [1.0, 2.0]),
    (filled, [1.0, 2.0]),
]


@pytest.mark.parametrize(("f", "point"), LEAVING)
def test_what_leaves_the_graph_says_so(f: Callable[[Any], Any], point: list[float]) -> None:
    for p in (MLArray(point), np.array(point)):
        with pytest.warns(LostGradientWarning, match="a number leaves the graph here"):
            grad(f)(p)


def test_comparing_loses_nothing() -> None:
    assert grad(lambda x: x * x if x > 1 else x)(3.0) == 6.0


def test_numpys_functions_lose_nothing() -> None:
    p = np.array([1.0, 2.0])
    found = grad(lambda p: np.sum(np.stack([p[0] ** 2, p[1] ** 2])) + p[0])(p)
    assert found.tolist() == [3.0, 4.0]
    assert grad(lambda p: np.sin(p[0]) + p[1])([1.0, 2.0]) == pytest.approx([math.cos(1.0), 1.0])
    series = np.array([1.0, 2.0, 3.0])
    found = grad(lambda w: (series * w).sum() + (w**2).sum())(np.ones(3))
    assert found.tolist() == [3.0, 4.0, 5.0]


def test_backward_that_reaches_nobody() -> None:
    for v in (Value(2.0), MLArray(2.0)):
        with no_grad():
            squared: Any = v * v
        with pytest.raises(GraphError):
            squared.backward()


def test_a_copy_of_a_result_is_a_leaf() -> None:
    v = Value(2.0)
    y = v * v
    for made in (copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        made.backward()
        assert (made.grad, v.grad, made._prev) == (1.0, 0.0, set())


def test_replay_reads_what_the_closure_holds_anew() -> None:
    w, x = MLArray([1.0, 2.0]), MLArray([1.0, 1.5])
    buffers: list[Any] = [np.zeros(2), zeros(2, requires_grad=False)]
    for buffer in buffers:
        step = replay(lambda x, buffer=buffer: (x * w * buffer).sum(), [w])
        found = []
        for i in range(4):
            buffer[:] = float(i)
            found.append(float(step(x)))
        assert found == [0.0, 4.0, 8.0, 12.0]


# The lecture --------------------------------------------------------------------------------------


def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    nodes: set[Value] = set()
    edges: set[tuple[Value, Value]] = set()

    def build(v: Value) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def test_the_graph_of_elements_is_walked() -> None:
    x, w = MLArray([[1.0, 2.0], [3.0, 4.0]]), MLArray([[0.5], [-0.5]])
    loss = (x @ w).tanh().sum()
    nodes, edges = trace(loss.data)
    assert (len(nodes), len(edges)) == (11, 12)  # 6 leaves, 2 products, 2 tanh, the sum
    assert x.data[0][0]._prev == set()
    assert trace(Value(2.0) * x.data[0][0])[0] >= {x.data[0][0]}
    a, b = Value(1.0), Value(2.0)
    squares = MLArray([a, b]) * MLArray([a, b])
    assert trace(squares.sum().data)[0] >= {a, b}


def test_an_op_of_ones_own() -> None:
    x = Value(0.5)
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    out.backward()
    assert x.grad == pytest.approx(1 - math.tanh(0.5) ** 2)
    assert (out._prev, out._op) == ({x}, "tanh")


# Among ndarrays -----------------------------------------------------------------------------------


def test_ndarrays_go_in() -> None:
    start = np.array([1.3, 0.7, 0.8])

    def rosenbrock(x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    inner = -200.0 * (start[1:] - start[:-1] ** 2)
    want = np.zeros(3)
    want[:-1] += 2.0 * inner * start[:-1] - 2.0 * (1 - start[:-1])
    want[1:] -= inner
    value, slope = value_and_grad(rosenbrock)(start)
    assert type(value) is float
    assert value == pytest.approx(rosenbrock(start))
    np.testing.assert_allclose(slope, want, rtol=1e-12)
    check_grads(rosenbrock, start)
    assert grad(lambda p: (p["w"] * p["x"]).sum())({"w": np.ones(2), "x": 3.0})["x"] == 2.0
    assert grad(lambda x: x * x)(np.float32(3.0)) == 6.0


def test_scalars_beside_ndarrays() -> None:
    a = np.array([1.0, 2.0])
    assert grad(lambda v: (v * a).sum())(2.0) == 3.0
    v = Value(2.0)
    both: Any = a * v  # NumPy's types know nothing of Values
    assert both.to_list() == [2.0, 4.0]
    both.sum().backward()
    assert v.grad == 3.0
    e: Any = np.exp(Value(1.0))
    assert e.data == pytest.approx(math.e)
    tanh: Any = ops.tanh
    np.testing.assert_allclose(tanh(a), np.tanh(a), rtol=1e-14)


def test_a_batch_of_one_indexes_as_a_batch_of_two() -> None:
    labels = np.array(["a", "b"])
    one: Any = labels[MLArray([[1.0, 2.0]]).argmax(axis=1)]
    two: Any = labels[MLArray([[1.0, 2.0], [2.0, 1.0]]).argmax(axis=1)]
    assert (one.tolist(), two.tolist()) == (["b"], ["b", "a"])
    assert np.arange(1)[MLArray([1.0]) > 0].tolist() == [0]
    picked: Any = MLArray([[1.0, 2.0]]).argmax()
    assert labels[picked] == "b"
    assert ["a", "b"][picked] == "b"
    with pytest.raises(TypeError):
        ["a", "b"][MLArray([[1.0, 2.0]]).argmax(axis=1)]


def test_a_number_has_its_type() -> None:
    loss = (MLArray([1.0, 2.0]) ** 2).sum()

    def last() -> float:
        return loss.item()

    assert type(last()) is float
    assert type((MLArray([1.0]) > 0).item()) is bool
    assert type(MLArray([1.0, 2.0]).argmax().item()) is int
