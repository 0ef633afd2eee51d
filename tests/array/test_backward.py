"""backward() on arrays: adding up, seeds, inner gradients, leaves and constants, restart."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
import weakref

import pytest

from smolml_array import MLArray, ShapeError, ones
from smolml_value import GraphError, Value, no_grad
from tests.array.helpers import assert_close, filled, flat, gradient

# Adding up -----------------------------------------------------------------------------------


def network(x: MLArray, w: MLArray, v: Value) -> MLArray:
    """A graph with every kind of node in it, whose operands are used again and again."""
    hidden = (x @ w + v).tanh()
    window = hidden.T[::-1]
    joined = MLArray([window[0], window[1] * v, hidden.data[0]])
    return (joined * joined).sum(axis=1).exp().mean() + hidden.max() + x[0, 1] * v


def test_backward_twice_adds_exactly_twice(backend: str) -> None:
    x, w, v = filled((2, 3), "x"), filled((3, 2), "w"), Value(0.3)
    L = network(x, w, v)
    L.backward()
    once = [gradient(x), gradient(w), [v.grad]]
    assert all(g != 0.0 for g in flat(once))
    L.backward()
    assert [gradient(x), gradient(w), [v.grad]] == [[2.0 * g for g in row] for row in once]
    L.data.backward()
    L.backward()
    assert [gradient(x), gradient(w), [v.grad]] == [[4.0 * g for g in row] for row in once]


def test_inner_nodes_hold_the_gradient_of_the_last_pass(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * 3.0
    z = y * y
    for _ in range(3):
        z.backward()
        assert gradient(y) == [6.0, 12.0]
        assert gradient(z) == [1.0, 1.0]
    (y * 10.0).backward()
    assert gradient(y) == [10.0, 10.0]
    assert gradient(x) == [3 * 18.0 + 30.0, 3 * 36.0 + 30.0]


def test_backward_on_an_array_is_that_of_its_sum(backend: str) -> None:
    x, y = filled((2, 3)), filled((2, 3))
    (x * x * 2.0).backward()
    (y * y * 2.0).sum().backward()
    assert gradient(x) == gradient(y)
    z = MLArray([1.0, 2.0])
    z.backward()
    assert gradient(z) == [1.0, 1.0]
    z.T.backward()
    assert gradient(z) == [2.0, 2.0]


def test_different_outputs_of_one_graph_add_up(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * x
    y.sum().backward()
    (y * 5.0).sum().backward()
    assert gradient(x) == [12.0, 24.0]


def test_operands_used_again(backend: str) -> None:
    x = MLArray([2.0, 3.0])
    (x * x * x + x - x / x).backward()
    assert_close(gradient(x), [13.0, 28.0])
    y = MLArray([2.0, 3.0])
    z = y * 1.0
    for _ in range(20):
        z = z + z
    z.backward()
    assert gradient(y) == [2.0**20] * 2


def test_what_a_loss_does_not_depend_on_keeps_its_gradient(backend: str) -> None:
    x, y = MLArray([1.0]), MLArray([2.0])
    (x * y).backward()
    (x * 3.0).backward()
    assert gradient(x) == [5.0]
    assert gradient(y) == [1.0]
    z = MLArray([1.0])
    z.floor().backward()
    assert gradient(z) == [0.0]


# Leaves, constants, cutting ------------------------------------------------------------------


def test_constants_cost_and_get_nothing(backend: str) -> None:
    c = MLArray([1.0, 2.0], requires_grad=False)
    x = MLArray([3.0, 4.0])
    assert not (c * 2.0 + c).requires_grad
    (c * x).backward()
    assert gradient(c) == [0.0, 0.0]
    assert gradient(x) == [1.0, 2.0]


def test_requires_grad_can_be_switched_on_leaves(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    (x * 2.0).backward()
    x.requires_grad = True  # as it was: nothing changes
    assert gradient(x) == [2.0, 2.0]
    x.requires_grad = False
    assert not (x * 2.0).requires_grad
    x.requires_grad = True
    (x * 3.0).backward()
    assert gradient(x)[0] in (3.0, 5.0)
    with pytest.raises(ValueError, match=r"requires_grad: only a leaf .* result of multiply"):
        (x * 2.0).requires_grad = False
    with pytest.raises(ValueError, match="requires_grad: an array of int64 has no gradient"):
        MLArray([1, 2], dtype="int64").requires_grad = True


def test_detach(backend: str) -> None:
    x = MLArray([2.0, 3.0])
    y = x * x
    d = y.detach()
    assert (d.to_list(), d.requires_grad) == ([4.0, 9.0], False)
    (x * d).backward()
    assert gradient(x) == [4.0, 9.0]
    d[0] = 100.0
    assert y.to_list() == [4.0, 9.0]


def test_no_grad(backend: str) -> None:
    x = MLArray([2.0, 3.0])
    with no_grad():
        y = x * x
        z = (x @ x, x.sum(), x.T, x[0], x.exp())
    assert not y.requires_grad
    assert not any(part.requires_grad for part in z)
    (x * y).backward()
    assert gradient(x) == [4.0, 9.0]
    assert (x * 2.0).requires_grad


def test_zero_grad(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    (x * x).backward()
    x.T[0].zero_grad()
    assert x.grad().to_list() == [[0.0, 4.0], [0.0, 8.0]]
    x.zero_grad()
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]
    v = Value(1.0)
    y = MLArray([v, 2.0])
    y.backward()
    y.zero_grad()
    assert (v.grad, gradient(y)) == (0.0, [0.0, 0.0])


def test_restart_cuts_the_graph(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * x
    made = weakref.ref(x)
    assert y.restart() is y
    (y * 3.0).backward()
    assert gradient(y) == [3.0, 3.0]
    assert gradient(x) == [0.0, 0.0]
    x.backward()
    assert x.restart() is x
    assert gradient(x) == [0.0, 0.0]
    del x
    assert made() is None
    v = Value(2.0)
    z = MLArray([v, 1.0])
    z.backward()
    z.restart()
    assert v.grad == 0.0
    assert z.data[0] is v


def test_update_values(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    first = x.data[0]
    y = x * x
    y.backward()
    assert x.update_values([3.0, 4.0]) is x
    assert (x.to_list(), gradient(x), first.data) == ([3.0, 4.0], [2.0, 4.0], 3.0)
    y.backward()  # recorded with the numbers of then
    assert gradient(x) == [4.0, 8.0]
    y.update_values([0.5, 0.5])
    assert y.to_list() == [0.5, 0.5]
    y.backward()
    assert gradient(x) == [6.0, 12.0]
    x.T.update_values(MLArray([7.0, 8.0]))
    assert x.to_list() == [7.0, 8.0]
    with pytest.raises(ShapeError, match=r"update_values: expected the shape \(2,\), got \(3,\)"):
        x.update_values([1.0, 2.0, 3.0])


# Memory --------------------------------------------------------------------------------------


def test_memory_does_not_grow_over_a_thousand_steps(backend: str) -> None:
    x, target = filled((4, 3), "x", requires_grad=False), filled((4, 1), "target")
    w, b = filled((3, 1), "w"), ones(1)

    def step() -> float:
        nonlocal w
        loss = ((x @ w + b - target) ** 2).mean()
        loss.backward()
        w.update_values((w - w.grad() * 0.1).detach())
        b.data[0].data -= 0.1 * b.data[0].grad
        w = w.restart()
        b.zero_grad()
        return float(loss.item())

    first = step()
    for _ in range(50):
        step()
    tracemalloc.start()
    try:
        gc.collect()  # it also empties the interpreter's lists of free objects
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            last = step()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 40_000  # less than the smallest object for each step
    assert last < first


def test_backward_of_what_depends_on_nothing_is_refused(backend: str) -> None:
    constant, x = MLArray([1.0, 2.0], requires_grad=False), MLArray([1.0, 2.0])
    with no_grad():
        y = x * x
    for array in (constant, constant * 3.0, y, x.detach(), x > 1.0):
        with pytest.raises(GraphError, match=r"backward: .* constant.* requires_grad=True"):
            array.backward()
        assert gradient(array) == [0.0, 0.0]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_loop_that_remembers_its_steps_is_told(backend: str, restarts: bool) -> None:
    w = MLArray([1.0, 2.0], backend=backend)
    steps = 103
    told: list[tuple[int, str, str]] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for k in range(steps):
            (w * w).sum().backward()
            w = w - 0.001 * w.grad()
            if restarts:
                w.restart()
            told += [(k, str(c.message), c.filename) for c in caught[len(told) :]]
    assert_close(w, [0.998**steps, 2.0 * 0.998**steps])
    if restarts:
        assert told == []
        return
    ((k, message, file),) = told  # once
    assert (k, file) == (100, __file__)
    assert message.startswith("w = w - rate * w.grad() in a loop: w remembers the 100 steps so far")
