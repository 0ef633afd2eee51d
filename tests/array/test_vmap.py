"""vmap beside a loop: every op and function, values and derivatives of orders 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, stack, vmap
from smolml_value import grad, ops
from tests.array.numeric import array, assert_same
from tests.array.paths import weighted
from tests.array.test_paths import CALLS, SHAPES
from tests.array.walk import every_op, operand_count, samples

Function = Callable[..., Any]
SIZE = 3

LOOPED = {
    "elements": "it looks at the Values in x.data",
}
"""What vmap calls once for each example, and why."""


class Counted:
    """A function that counts its calls."""

    def __init__(self, f: Function) -> None:
        self.f = f
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.f(*args)


def by_loop(f: Function, xs: Sequence[MLArray]) -> Any:
    """f of each example, one by one."""
    outs = [f(*(x[i] for x in xs)) for i in range(len(xs[0]))]
    if isinstance(outs[0], tuple):
        return [stack(column) for column in zip(*outs, strict=True)]
    return [stack(outs)]


def orders(f: Function, count: int) -> list[Function]:
    """f, its gradient, and a gradient of that."""
    every = tuple(range(count))
    first = grad(lambda *xs: weighted(f(*xs)), every)

    def slope(*xs: MLArray) -> Any:
        total: Any = 0.0
        for g in first(*xs):
            total = total + weighted(g.sin())
        return total

    return [f, first, grad(slope, every)]


def check(f: Function, xs: Sequence[MLArray], name: str, tolerance: float = 1e-10) -> None:
    """vmap and the loop give the same, and vmap calls f once if it is not in LOOPED."""
    for order, g in enumerate(orders(f, len(xs))):
        counted = Counted(g)
        got = vmap(counted)(*xs)
        wanted = by_loop(g, xs)
        for y, want in zip(got if isinstance(got, tuple) else [got], wanted, strict=True):
            assert_same(y, np.asarray(want), tolerance, tolerance)
        expected = 1 if name not in LOOPED else 1 + SIZE
        assert counted.calls == expected, f"{name}: order {order}, {counted.calls} calls"
    every = tuple(range(len(xs)))
    outside = grad(lambda *xs: weighted(vmap(f)(*xs).sin()), every)(*xs)
    beside = grad(lambda *xs: weighted(by_loop(f, xs)[0].sin()), every)(*xs)
    for y, want in zip(outside, beside, strict=True):
        assert_same(y, np.asarray(want), tolerance, tolerance)


@pytest.mark.parametrize("name", CALLS)
def test_every_function_beside_a_loop(name: str, backend: str) -> None:
    f, shapes = CALLS[name]
    check(f, [MLArray(array((SIZE, *shape), i)) for i, shape in enumerate(shapes)], name)


@every_op
def test_every_op_beside_a_loop(name: str, backend: str) -> None:
    op: Any = ops[name]
    shapes = [(SIZE, *shape) for shape in SHAPES[: operand_count(op)]]
    check(op, [MLArray(a) for a in samples(op, shapes)], name)
