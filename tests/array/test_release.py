"""What a backward pass lets go of: only what no rule reads and nobody can see."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, affine
from smolml_array._graph import free_buffers, shaping
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OUT, Rule
from smolml_array.functions import affine as affine_family
from smolml_array.functions import einsum as einsum_family
from smolml_array.functions import (
    indexing,
    linalg,
    manipulation,
    reductions,
    scans,
    sorting,
    windows,
)
from smolml_value import gradients, hvp
from smolml_value.table import TABLE
from tests.array.reading import XP, matters, read

rng = np.random.default_rng(0)

pytestmark = pytest.mark.skipif(
    not hasattr(sys, "getrefcount"), reason="only CPython says who holds an object"
)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_buffers, "LARGE", 1)
    monkeypatch.setattr("smolml_array._graph.backward.LARGE", 1)


def _array(*shape: int) -> MLArray:
    return MLArray(rng.normal(size=shape), backend="numpy")


def _inner(root: MLArray) -> Iterator[ArrayNode]:
    nodes = [root._node]
    for node in nodes:
        nodes += [p for p in node.operands if isinstance(p, ArrayNode) and p not in nodes]
        if node.rule is not None:
            yield node


def _is_kept(node: ArrayNode) -> bool:
    return not np.isnan(node.raw).any()


def test_what_nobody_can_see_is_let_go_of() -> None:
    x, w, b = _array(4, 3), _array(3, 2), _array(2)
    loss = (x @ w + b).relu().sum()
    loss.backward()
    kept = {node.name: _is_kept(node) for node in _inner(loss)}
    assert kept == {"sum": True, "relu": True, "add": False, "matmul": False}
    assert all(node.let_go for node in _inner(loss) if node.name != "sum")


def test_what_somebody_holds_is_kept() -> None:
    x, w, b = _array(4, 3), _array(3, 2), _array(2)
    product = x @ w
    total = product + b
    element = (total.relu()).data[1][1]
    loss = (total.relu() * 2.0).sum() + total.sum()
    before = [product.to_list(), total.to_list(), element.data]
    loss.backward()
    assert [product.to_list(), total.to_list(), element.data] == before
    expected = 2.0 * (np.array(total.to_list()) > 0) + 1.0
    np.testing.assert_array_equal(total.grad(), expected)
    np.testing.assert_array_equal(product.grad(), expected)


PROGRAMS: dict[str, Callable[..., MLArray]] = {
    "perceptron": lambda x, w, b: ((x @ w + b).relu() @ w.T).tanh().sum(),
    "affine": lambda x, w, b: (affine(x, w, b).sigmoid() ** 2).mean(),
    "chain": lambda x, w, b: ((x - 1.0).exp().negative() + 2.0).reshape((3, 4)).T.sum(),
    "shared": lambda x, w, b: (lambda h: (h * h + h).sum())((x @ w) * 3.0),
    "squares": lambda x, w, b: ((x @ w - b) ** 2).sum() / (1.0 + (w / 2.0).sum() ** 2),
    "reduced": lambda x, w, b: (x.max(axis=0) * w.T).std() + (x @ w).mean(axis=1).prod() + b.sum(),
}
programs = pytest.mark.parametrize("f", PROGRAMS.values(), ids=PROGRAMS)


@programs
def test_every_pass_adds_the_same(f: Callable[..., MLArray], monkeypatch: Any) -> None:
    leaves = [_array(4, 3), _array(3, 2), _array(2)]
    monkeypatch.setattr("smolml_array._graph.backward.LARGE", 1 << 60)
    f(*leaves).backward()
    wanted = [np.array(x.grad()) for x in leaves]
    monkeypatch.setattr("smolml_array._graph.backward.LARGE", 1)
    for x in leaves:
        x.zero_grad()
    loss = f(*leaves)
    for passes in (1, 2, 3):
        loss.backward()
        for x, g in zip(leaves, wanted, strict=True):
            np.testing.assert_allclose(np.array(x.grad()), passes * g, 1e-12, 1e-14)


@programs
def test_the_graph_can_still_be_differentiated(f: Callable[..., MLArray]) -> None:
    leaves = [_array(4, 3), _array(3, 2), _array(2)]
    first = f(*leaves)
    wanted = gradients(first, leaves)
    u = _array(*leaves[1].shape)
    second = hvp(lambda w: f(leaves[0], w, leaves[2]))(leaves[1], u)
    loss = f(*leaves)
    loss.backward()
    again = gradients(loss, leaves)
    for a, b in zip(again, wanted, strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), 1e-12, 1e-14)
    (c,) = gradients((again[1] * u).sum(), [leaves[1]])
    np.testing.assert_allclose(np.array(c), np.array(second), 1e-9, 1e-12)


@programs
def test_drawings_say_what_is_not_kept(f: Callable[..., MLArray]) -> None:
    from smolml_value import draw

    loss = f(_array(4, 3), _array(3, 2), _array(2))
    loss.backward()
    shown = str(draw(loss))
    assert "nan" not in shown


# What rules read ----------------------------------------------------------------------------------


def test_relu_reads_its_result_and_not_its_operand() -> None:
    assert not free_buffers.reads(TABLE["relu"], 0)
    assert free_buffers.reads(TABLE["relu"], OUT)
    assert free_buffers.reads(TABLE["multiply"], 0)
    assert not free_buffers.reads(TABLE["multiply"], OUT)
    assert not any(free_buffers.reads(TABLE["add"], i) for i in (OUT, 0, 1))


@pytest.mark.parametrize("name", TABLE)
def test_what_an_op_does_not_read_changes_nothing(name: str) -> None:
    op = TABLE[name]
    args = [np.full((2, 3), 0.5 * (low + high) + 0.01) for low, high in op.domain]
    assert not matters(op, args, {}) - read(op, args)


def _rules_with_operands() -> list[Any]:
    a, b, c = (rng.normal(size=s) for s in ((4, 3), (3, 2), (2,)))
    known: dict[Rule, tuple[list[Any], dict[str, Any]]] = {
        linalg.MATMUL: ([a, b], {}),
        affine_family.AFFINE: ([a, b, c], {}),
        reductions.SUM: ([a], {"axis": (0,), "keepdims": False}),
        reductions.MEAN: ([a], {"axis": (1,), "keepdims": True}),
        shaping.RESHAPE: ([a], {"shape": (2, 6)}),
        manipulation.PERMUTE_DIMS: ([a], {"axes": (1, 0)}),
        manipulation.FLIP: ([a], {"axis": (1,)}),
        manipulation.BROADCAST_TO: ([c], {"shape": (4, 2)}),
        manipulation.ASTYPE: ([a], {"dtype": XP.float32}),
        manipulation.ROLL: ([a], {"shift": (1,), "axis": (0,)}),
        manipulation.REPEAT: ([a], {"repeats": 2, "axis": 1}),
        manipulation.TILE: ([a], {"repetitions": (2, 1)}),
        indexing.INDEX_PUT: ([a, c], {"key": (slice(1, 3), [0, 0])}),
        indexing.GETITEM: ([a], {"key": (slice(1, 3), 0)}),
        scans.CUMULATIVE_SUM: ([a], {"axis": 0}),
        sorting.SORT: ([c], {"order": np.array([1, 0])}),
        linalg.TRIL: ([a], {"k": 0}),
        linalg.TRIU: ([a], {"k": 1}),
        windows.SLIDING_WINDOWS: ([a], {"window_shape": (2,), "axis": (0,)}),
        windows.OVERLAP_ADD: ([a], {"shape": (6,), "axis": (0,)}),
        einsum_family.CONTRACT: ([a, b], {"la": ("i", "j"), "lb": ("j", "k"), "to": ("i", "k")}),
    }
    declared = {
        rule
        for module in (affine_family, einsum_family, indexing, linalg, manipulation, reductions)
        + (scans, shaping, sorting, windows)
        for rule in vars(module).values()
        if isinstance(rule, Rule) and rule.not_saved
    }
    assert declared == set(known)
    return [pytest.param(rule, *case, id=rule.name) for rule, case in known.items()]


@pytest.mark.parametrize(("rule", "args", "params"), _rules_with_operands())
def test_a_rule_reads_what_matters_and_keeps_nothing_else(
    rule: Rule, args: list[Any], params: dict[str, Any]
) -> None:
    assert matters(rule, args, params) == read(rule, args)


# Memory -------------------------------------------------------------------------------------------


def test_a_step_takes_hardly_more_memory_than_by_hand() -> None:
    n = 200
    x, w = rng.normal(size=(n, n)), rng.normal(size=(n, n)) / n**0.5

    def by_hand() -> Any:
        h = [x]
        for _ in range(4):
            h.append(np.maximum(h[-1] @ w, 0.0))
        g = np.ones_like(x)
        total = np.zeros_like(w)
        for i in range(4, 0, -1):
            g = g * (h[i] > 0)
            total += h[i - 1].T @ g
            g = g @ w.T
        return total

    constant, leaf = MLArray(x, requires_grad=False, backend="numpy"), MLArray(w, backend="numpy")

    def ours() -> None:
        h = constant
        for _ in range(4):
            h = (h @ leaf).relu()
        leaf.zero_grad()
        h.sum().backward()

    ours()
    np.testing.assert_allclose(np.array(leaf.grad()), by_hand(), 1e-10)
    assert _peak(ours) < 1.5 * _peak(by_hand)


def _peak(run: Callable[[], Any]) -> int:
    run()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
