"""The backward pass: sums, reuse, depth, memory, repetition, and random graphs against oracles."""

from __future__ import annotations

import gc
import math
import random
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smolml_value import Value, ops
from tests.value.graphs import (
    VALUE_OPS,
    Step,
    distance_to_a_kink,
    forward_mode,
    programs,
    run,
    torch_ops,
)
from tests.value.helpers import gradients

DEEP = 1_000_000
inputs = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3)


def net(leaves: list[Value]) -> Value:
    """A graph with shared nodes, constants, a diamond and n-ary nodes."""
    total = Value(0.0)
    for i, a in enumerate(leaves):
        b = leaves[i - 1]
        h = (a * b + 0.1).tanh()
        total = total + h * h - ops.where(h, a, b) / (1.0 + b * b) + 2.0**h
    return total


def chain(x: Value, length: int) -> Value:
    """A linear chain; its gradient is 1 but for rounding."""
    y = x
    for _ in range(length // 2):
        y = -(y + 1e-9)
    return y


def train(w: list[Value], steps: int) -> None:
    """Gradient descent on a small net."""
    for _ in range(steps):
        for v in w:
            v.grad = 0.0
        net(w).backward()
        for v in w:
            v.data -= 1e-3 * v.grad


@contextmanager
def no_garbage_collector() -> Iterator[None]:
    """Only reference counting frees."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# Sums and reuse --------------------------------------------------------------------------------


def test_a_leaf_alone() -> None:
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0
    x.backward()
    assert x.grad == 2.0


def test_reused_operands() -> None:
    assert gradients(lambda x: x + x, 3.0) == [2.0]
    assert gradients(lambda x: x - x, 3.0) == [0.0]
    assert gradients(lambda x: x * x, 3.0) == [6.0]
    assert gradients(lambda x: x / x, 3.0) == [0.0]
    assert gradients(lambda x: x * x * x, 3.0) == [27.0]
    assert gradients(lambda x: x**x, 2.0) == pytest.approx([4.0 * (1.0 + math.log(2.0))])
    assert gradients(lambda x: ops.where(x, x, x), 3.0) == [1.0]


def test_a_diamond_waits_for_both_sides() -> None:
    # the naive order pushes `top` before its second cotangent has arrived
    x = Value(2.0)
    top = x * 3.0
    left = top * top
    right = top + 1.0
    longer = (right * 2.0) * 1.0
    (left * longer).backward()
    # y = t**2 * 2 (t + 1), t = 3 x: dy/dx = 3 (6 t**2 + 4 t)
    assert x.grad == 3.0 * (6.0 * 36.0 + 4.0 * 6.0)


def test_a_tower_of_diamonds_is_linear_not_exponential() -> None:
    x = Value(1.0)
    y = x
    for _ in range(1000):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad == 1.0


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_operands_does_not_matter(order: int) -> None:
    x = Value(2.0)
    deep = x
    for _ in range(10):
        deep = deep * 1.5
    pair = (x, deep)[::order]
    (pair[0] * pair[1]).backward()
    assert x.grad == pytest.approx(2 * 2.0 * 1.5**10)


def test_a_leaf_that_is_not_used_keeps_its_gradient() -> None:
    x, other = Value(1.0), Value(1.0)
    other.grad = 7.0
    (x * 2.0).backward()
    assert (x.grad, other.grad) == (2.0, 7.0)


def test_a_sub_graph_may_go_backward_on_its_own() -> None:
    x = Value(3.0)
    inner = x * x
    outer = inner * 2.0
    inner.backward()
    assert (x.grad, inner.grad) == (6.0, 1.0)
    outer.backward()
    assert (x.grad, inner.grad) == (6.0 + 12.0, 2.0)


def test_a_graph_may_grow_after_backward() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    x.grad = 0.0
    (y * y).backward()
    assert x.grad == 4 * 3.0**3


def test_wide_nodes() -> None:
    xs = [Value(float(i)) for i in range(10_000)]
    total = sum(xs, Value(0.0))
    (total * total).backward()
    assert {x.grad for x in xs} == {2.0 * sum(range(10_000))}


def test_what_was_computed_with_counts_not_what_came_later() -> None:
    # new data between forward and backward leaves the recorded gradient alone
    x, y = Value(2.0), Value(3.0)
    made = [x * y, x / y, x**y, ops.where(x, x * y, y), ops.hypot(x, y), x.tanh()]
    fresh = []
    for i, root in enumerate(made):
        x.grad = y.grad = 0.0
        root.backward()
        fresh.append((i, x.grad, y.grad))
    x.data, y.data = -5.0, 11.0
    for i, dx, dy in fresh:
        x.grad = y.grad = 0.0
        made[i].backward()
        assert (x.grad, y.grad) == (dx, dy)


# Repetition ------------------------------------------------------------------------------------


@given(steps=programs(), xs=inputs)
def test_twice_adds_exactly_twice_to_the_leaves(steps: list[Step], xs: list[float]) -> None:
    leaves = [Value(x) for x in xs]
    root = run(steps, leaves, VALUE_OPS)
    root.backward()
    once = [v.grad for v in leaves]
    root.backward()
    assert [v.grad for v in leaves] == [g + g for g in once]
    root.backward()
    assert [v.grad for v in leaves] == [g + g + g for g in once]


@given(steps=programs(), xs=inputs)
def test_inner_nodes_hold_the_last_pass(steps: list[Step], xs: list[float]) -> None:
    leaves = [Value(x) for x in xs]
    root = run(steps, leaves, VALUE_OPS)
    root.backward()
    inner, seen, todo = [], set(), [root]
    while todo:
        node = todo.pop()
        if id(node) not in seen and node._children:
            seen.add(id(node))
            inner.append((node, node.grad))
            todo.extend(node._children)
    assert root.grad == 1.0
    root.backward()
    assert all(node.grad == before for node, before in inner)
    (root * 2.0).backward()
    assert root.grad == 2.0
    # an exact doubling, where nothing became subnormal
    assert all(node.grad == 2.0 * before or abs(before) < 1e-300 for node, before in inner)


@given(steps=programs(), xs=inputs, power=st.integers(-8, 8))
def test_backward_is_linear_in_the_seed(steps: list[Step], xs: list[float], power: int) -> None:
    # a power of two scales without rounding, so the gradients must be equal bit by bit
    plain = gradients(lambda *v: run(steps, v, VALUE_OPS), *xs)
    scaled = gradients(lambda *v: run(steps, v, VALUE_OPS) * 2.0**power, *xs)
    assert scaled == pytest.approx([g * 2.0**power for g in plain], rel=0, abs=1e-300)


@given(first=programs(), second=programs(), xs=inputs)
def test_backward_is_additive(first: list[Step], second: list[Step], xs: list[float]) -> None:
    parts = [gradients(lambda *v, s=s: run(s, v, VALUE_OPS), *xs) for s in (first, second)]
    both = gradients(lambda *v: run(first, v, VALUE_OPS) + run(second, v, VALUE_OPS), *xs)
    want = [a + b for a, b in zip(*parts, strict=True)]
    assert both == pytest.approx(want, rel=1e-12, abs=1e-12)


# Oracles ---------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(steps=programs(), xs=inputs)
def test_random_graphs_agree_with_forward_mode(steps: list[Step], xs: list[float]) -> None:
    leaves = [Value(x) for x in xs]
    root = run(steps, leaves, VALUE_OPS)
    root.backward()
    want, slopes = forward_mode(steps, xs)
    assert root.data == pytest.approx(want, rel=1e-12, abs=1e-12)
    assert [v.grad for v in leaves] == pytest.approx(slopes, rel=1e-9, abs=1e-9)


@given(steps=programs(), xs=inputs)
def test_random_graphs_agree_with_pytorch(steps: list[Step], xs: list[float]) -> None:
    torch = pytest.importorskip("torch")
    # its tanh may differ in the last digit, and then take the other side of a kink
    assume(distance_to_a_kink(steps, xs) > 1e-9)
    leaves = [Value(x) for x in xs]
    root = run(steps, leaves, VALUE_OPS)
    root.backward()
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
    result = run(steps, tensors, torch_ops(torch))
    result.backward()
    want = [0.0 if t.grad is None else t.grad.item() for t in tensors]
    assert root.data == pytest.approx(result.item(), rel=1e-12, abs=1e-12)
    assert [v.grad for v in leaves] == pytest.approx(want, rel=1e-9, abs=1e-9)


def test_a_perceptron_against_pytorch() -> None:
    torch = pytest.importorskip("torch")
    draw = random.Random(7)
    shapes = [(8, 3), (8, 8), (1, 8)]
    weights = [[[draw.gauss(0, 0.5) for _ in range(n)] for _ in range(m)] for m, n in shapes]
    x = [0.3, -1.2, 0.8]
    layers = [[[Value(w) for w in row] for row in layer] for layer in weights]
    hidden: list[Value] = [Value(v) for v in x]
    for layer in layers:
        hidden = [
            sum((w * h for w, h in zip(row, hidden, strict=True)), Value(0.0)).tanh()
            for row in layer
        ]
    ((hidden[0] - 0.5) ** 2).backward()
    tensors = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights]
    out = torch.tensor(x, dtype=torch.float64)
    for t in tensors:
        out = (t @ out).tanh()
    ((out[0] - 0.5) ** 2).backward()
    for layer, t in zip(layers, tensors, strict=True):
        got = [[w.grad for w in row] for row in layer]
        assert torch.allclose(torch.tensor(got, dtype=torch.float64), t.grad, rtol=1e-12)


# Depth and memory ------------------------------------------------------------------------------


def test_a_chain_of_a_million_goes_through_and_is_freed() -> None:
    with no_garbage_collector():
        before = sys.getallocatedblocks()
        x = Value(1.0)
        y = chain(x, DEEP)
        middle = weakref.ref(y._children[0])
        assert sys.getallocatedblocks() - before >= DEEP
        y.backward()
        assert x.grad == 1.0
        y.backward()
        assert x.grad == 2.0
        del y
        assert middle() is None
        assert sys.getallocatedblocks() - before < 1000


def test_a_deep_chain_of_nodes_with_many_operands() -> None:
    with no_garbage_collector():
        x = Value(1.0)
        y = x
        for _ in range(100_000):
            y = ops.where(1.0, y, x)
        inner = weakref.ref(y._children[0])
        y.backward()
        assert x.grad == 1.0
        del y
        assert inner() is None


def test_there_are_no_reference_cycles() -> None:
    with no_garbage_collector():
        leaves = [Value(float(i)) for i in range(10)]
        root = net(leaves)
        root.backward()
        refs: list[weakref.ref[Any]] = [weakref.ref(root), *map(weakref.ref, root._children)]
        del root
        assert [r() for r in refs] == [None] * len(refs)
        assert gc.collect() == 0
        # and nothing but this test holds the leaves
        assert all(len(gc.get_referrers(v)) <= 2 for v in leaves)


def test_memory_is_flat_over_a_thousand_steps() -> None:
    with no_garbage_collector():
        w = [Value(0.1 * i) for i in range(5)]
        train(w, 20)
        before = sys.getallocatedblocks()
        train(w, 1000)
        assert sys.getallocatedblocks() - before < 200


def test_changing_parameters_do_not_pile_up() -> None:
    # each new value of a parameter binds the op anew
    x = Value(1.0)
    for i in range(500):
        x.leaky_relu(alpha=0.1 + i)
    before = sys.getallocatedblocks()
    for i in range(5000):
        x.leaky_relu(alpha=0.2 + i)
    gc.collect()
    assert sys.getallocatedblocks() - before < 5000


def test_a_node_is_small() -> None:
    with no_garbage_collector():
        x = Value(1.0)
        nodes = [x * 1.5 for _ in range(1000)]
        before = sys.getsizeof(nodes[0])
        assert before <= 160
        assert not hasattr(nodes[0], "__dict__")
