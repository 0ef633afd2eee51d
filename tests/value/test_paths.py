"""Every op along every path: all find the gradient that backward finds, at singular points too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import (
    GraphError,
    Op,
    Value,
    elementwise,
    fused,
    grad,
    gradients,
    hessian,
    hvp,
    jvp,
    ops,
)
from smolml_value.node import product, topological
from tests.value.helpers import close, operand_count, samples
from tests.value.paths import NUMBERS, PATHS, TRANSFORMS, by_backward

Function = Callable[..., Any]

# Before an op: what has a partial of zero, or of infinity, at some of the points.
BEFORE: dict[str, Function] = {
    "relu": ops.relu,
    "times 0": lambda x: x * 0.0,
    "floor": ops.floor,
    "clip": lambda x: x.clip(1.0, 2.0),
    "sqrt": ops.sqrt,
}
# After an op: what has an infinite partial where the op is 0, or hides a nan.
AFTER: dict[str, Function] = {
    "sqrt": ops.sqrt,
    "log": ops.log,
    "reciprocal": ops.reciprocal,
    "** 0.5": lambda x: x**0.5,
    "times 0": lambda x: x * 0.0,
}
FUSED: dict[str, Function] = {
    "fsum": lambda x, y: fused.fsum([x, 2.0, y]),
    "mean": lambda x, y: fused.mean([y, x, 3.0]),
    "dot": lambda x, y: fused.dot([x, 0.0, y], [0.0, x, y]),
    "dot of pairs": lambda x, y: fused.dot([x, y], [y, x]),
    "logsumexp": lambda x, y: fused.logsumexp([x, y, 0.0]),
}
every_function = pytest.mark.parametrize("name", [*ops.names(), *FUSED])


def function(name: str) -> tuple[Function, int]:
    """An op or a fused function, and how many arguments it takes."""
    op: Any = FUSED[name] if name in FUSED else ops[name]
    return op, 2 if name in FUSED else operand_count(op)


def composed(f: Function) -> dict[str, Function]:
    """f after each of BEFORE, and before each of AFTER."""
    return {
        **{f"after {key}": lambda *xs, g=g: f(*map(g, xs)) for key, g in BEFORE.items()},
        **{f"before {key}": lambda *xs, g=g: g(f(*xs)) for key, g in AFTER.items()},
    }


def check(f: Function, at: tuple[float, ...], where: str) -> None:
    """All paths give what backward gives."""
    want = by_backward(f, at)
    for leaves, paths in ((at, PATHS | NUMBERS), (tuple(map(Value, at)), TRANSFORMS)):
        for name, path in paths.items():
            got = [float(g) for g in path(f, leaves)]
            same = all(g == w or close(g, w, 1e-9) for g, w in zip(got, want, strict=True))
            assert same, f"{where} at {at}, {name}: {got}, and backward {want}"


@every_function
def test_all_paths_agree_with_backward(name: str) -> None:
    f, count = function(name)
    for at in itertools.product((0.0, 1.0, -10.0), repeat=count):
        check(f, at, name)
    for how, g in composed(f).items():
        for at in itertools.product((0.0, -10.0), repeat=count):
            check(g, at, f"{name} {how}")


@pytest.mark.parametrize("slope", [-2.5, -1.0, 0.0, 1.0, 2.0])
def test_all_paths_through_a_rule_that_gives_a_constant(slope: float) -> None:
    op = elementwise("times", lambda xp, x: slope * x, (lambda xp, out, x: slope,))
    for at in (1.5, 0.0, math.inf):
        assert by_backward(op, (at,)) == [slope]
        check(op, (at,), op.name)
        check(lambda x: op(x * x), (at,), "its square")


@pytest.mark.parametrize("name", FUSED)
def test_all_paths_of_fused_functions_agree_at_extremes(name: str) -> None:
    for at in itertools.product((math.inf, -math.inf, 1.0, 1000.0), repeat=2):
        check(FUSED[name], at, name)


KEEPING: dict[str, Op] = {
    "where": ops.where,
    "three operands": elementwise(
        "three",
        lambda xp, x, y, z: x * y * xp.exp(z),
        (
            lambda xp, out, x, y, z: y * xp.exp(z),
            lambda xp, out, x, y, z: x * xp.exp(z),
            lambda xp, out, x, y, z: out,
        ),
    ),
    "vjp": elementwise(
        "square", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (2.0 * g * out / x,)
    ),
}
"""Ops whose nodes keep all the numbers they were computed with."""


@pytest.mark.parametrize("others", [1.0, -3.0, math.inf, math.nan])
@pytest.mark.parametrize("name", [*ops.names(), *FUSED, *KEEPING])
def test_what_is_set_after_recording_changes_no_derivative(name: str, others: float) -> None:
    """Those of first and second order are as they were, or refused."""
    op: Any = KEEPING.get(name) or function(name)[0]
    at = (0.5, 1.25) if name in FUSED else samples(op, 1)[0]
    leaves = [Value(x) for x in at]
    out = op(*leaves)

    def found() -> list[list[float]]:
        first = gradients(out, leaves)
        return [list(map(float, gs)) for gs in (first, *(gradients(g, leaves) for g in first))]

    wanted = found()
    for v in (*leaves, out):
        v.data = others
    try:
        rows = found()
    except GraphError:
        assert name not in KEEPING
    else:
        for row, want in zip(rows, wanted, strict=True):
            assert all(close(a, b, 1e-12) for a, b in zip(row, want, strict=True)), (rows, wanted)


@every_function
def test_all_orders_of_second_derivatives_agree(name: str) -> None:
    f, count = function(name)
    points = [(0.5, 1.25)] if name in FUSED else samples(ops[name], 1)
    for at in points:
        wanted = hessian(lambda xs: f(*xs))(list(at))
        leaves = [Value(x) for x in at]
        slopes = gradients(f(*leaves), leaves)
        for i in range(count):
            unit = [float(i == j) for j in range(count)]
            ways = {
                "hvp": hvp(lambda xs: f(*xs))(list(at), unit),
                "gradients twice": [float(h) for h in gradients(slopes[i], leaves)],
                "reverse over forward": grad(
                    lambda xs, unit=unit: jvp(lambda ys: f(*ys), (xs,), (unit,))[1]
                )(list(at)),
            }
            for way, found in ways.items():
                same = all(close(a, b, 1e-7, 1e-9) for a, b in zip(found, wanted[i], strict=True))
                assert same, f"{name} at {at}, {way}: {found}, and hessian {wanted[i]}"


# The engine's loop, which has the product written out -------------------------------------------

_STEPS: list[Function] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: 3.0 - x,
    lambda x, y: x * 0.0,
    lambda x, y: x.sqrt(),
    lambda x, y: x.log(),
    lambda x, y: x.relu(),
    lambda x, y: ops.maximum(x, y),
    lambda x, y: ops.where(x > 0.5, y, x),
    lambda x, y: fused.dot([x, y], [y, 0.0]),
]


@given(
    st.lists(
        st.tuples(st.integers(0, len(_STEPS) - 1), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.5, math.inf]), min_size=2, max_size=2),
)
def test_the_loop_is_product_along_the_edges(
    program: list[tuple[int, int, int]], start: list[float]
) -> None:
    nodes = [Value(x) for x in start]
    for which, i, j in program:
        nodes.append(_STEPS[which](nodes[i % len(nodes)], nodes[j % len(nodes)]))
    root = nodes[-1]
    order = topological([root])
    wanted = {id(v): 0.0 for v in order} | {id(root): 1.0}
    for v in reversed(order):
        assert isinstance(v, Value)
        parents = v._parents()
        assert [p for p, _ in v._edges()] == list(parents)
        assert [x for x in v._operands() if isinstance(x, Value)] == list(parents)
        cotangents = v._cotangents(wanted[id(v)])
        for (parent, partial), c in zip(v._edges(), cotangents, strict=True):
            assert close(c, product(wanted[id(v)], partial))
            wanted[id(parent)] += c
    root.backward()
    for v in order:
        assert isinstance(v, Value)
        assert v.grad == wanted[id(v)] or close(v.grad, wanted[id(v)], 1e-9, 1e-9)


def test_a_topological_order_has_parents_first_and_leaves_out_what_is_behind_a_stop() -> None:
    x, y = Value(1.0), Value(2.0)
    z = x * y
    w = z + x
    u = w * z
    order = topological([u, w])
    assert sorted(map(id, order)) == sorted(map(id, [x, y, z, w, u]))
    place = {id(v): i for i, v in enumerate(order)}
    assert all(place[id(p)] < place[id(v)] for v in order for p in v._parents())
    assert list(map(id, topological([u], {id(z), id(x)}))) == [id(w), id(u)]
    for _ in range(100_000):  # no recursion
        u = u + 1.0
    assert len(topological([u])) == 100_005
