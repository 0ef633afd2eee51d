"""Second and third derivatives of every op at 0, 1, ties and bounds: all orders, and mpmath.

A partial that looks at numbers, as where(y == 0, 0, ...), must not cut a derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import mpmath
import pytest
from mpmath import mp

from smolml_value import Op, Value, grad, gradients, hessian, hvp, jvp, ops
from tests.value.helpers import close, operand_count, samples
from tests.value.oracle import ORACLE, PARAMETERS, second

Function = Callable[..., Any]
POINTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
CASES = [(name, params) for name in ops.names() for params in PARAMETERS.get(name, [{}])]
every_op = pytest.mark.parametrize(
    ("name", "params"), CASES, ids=[f"{name}{params or ''}" for name, params in CASES]
)


def places(op: Op, params: dict[str, float]) -> list[tuple[float, ...]]:
    """Zeros, ones, ties and bounds, and a few ordinary points."""
    count = operand_count(op)
    special = (*POINTS, *params.values())
    return [*product(special if count < 3 else (0.0, 1.0), repeat=count), *samples(op, 2)]


def twice(f: Function, xs: Sequence[float], i: int, j: int) -> dict[str, float]:
    """d/dx[j] of d/dx[i] in every way there is."""

    def at(k: int, x: Any, given: Sequence[Any]) -> list[Any]:
        return [*given[:k], x, *given[k + 1 :]]

    def along(k: int, ys: Any) -> Any:
        unit = [float(n == k) for n in range(len(xs))]
        return jvp(lambda zs: f(*zs), (ys,), (unit,))[1]

    unit = [float(n == j) for n in range(len(xs))]
    leaves = [Value(x) for x in xs]
    outer = grad(lambda x: grad(lambda ys: f(*ys))(at(j, x, xs))[i])
    return {
        "hessian": hessian(lambda ys: f(*ys))(list(xs))[i][j],
        "hvp": hvp(lambda ys: f(*ys))(list(xs), unit)[i],
        "grad of grad": outer(xs[j]),
        "gradients twice": float(gradients(gradients(f(*leaves), leaves)[i], leaves)[j]),
        "grad of jvp": grad(lambda ys: along(i, ys))(list(xs))[j],
        "jvp of grad": jvp(lambda ys: grad(lambda zs: f(*zs))(ys)[i], (list(xs),), (unit,))[1],
        "jvp of jvp": jvp(lambda ys: along(i, ys), (list(xs),), (unit,))[1],
    }


def smooth(f: Function, xs: Sequence[float], i: int, j: int) -> float | None:
    """The second derivative by mpmath, from both sides of the point; None where they differ."""
    found = []
    for nudge in (0, -1, 1):
        moved = [mpmath.mpf(x) + nudge * mpmath.mpf(10) ** -20 for x in xs]
        try:
            y = second(f, moved, i, j)
        except (ValueError, ZeroDivisionError, mpmath.libmp.ComplexResult):
            return None
        if isinstance(y, mpmath.mpc) or not mpmath.isfinite(y):
            return None
        found.append(float(y))
    near = all(close(a, found[0], 1e-8, 1e-8) for a in found)
    return found[0] if near and abs(found[0]) < 1e8 else None


@every_op
def test_all_orders_agree_and_with_mpmath(name: str, params: dict[str, float]) -> None:
    op = ops[name].bind(**params)
    count = operand_count(op)
    compared = 0
    with mp.workdps(80):
        for xs in places(op, params):
            for i, j in product(range(count), repeat=2):
                want = None
                if name in ORACLE:
                    want = smooth(lambda *a: ORACLE[name](*a, **params), xs, i, j)
                    if want is None:
                        continue
                found = twice(op, xs, i, j)
                want = found["hessian"] if want is None else want
                compared += 1
                for way, got in found.items():
                    assert close(got, want, 1e-9, 1e-12), f"d{i} d{j} at {xs}, {way}: {got}, {want}"
    assert compared >= count * count


def third_by_mpmath(f: Function, x: float) -> float | None:
    """From the left, from both sides and from the right; None where they differ."""
    try:
        found = [mp.diff(f, x, 3, direction=side) for side in (-1, 0, 1)]
    except (ValueError, ZeroDivisionError, mpmath.libmp.ComplexResult):
        return None
    if any(isinstance(y, mpmath.mpc) or not mpmath.isfinite(y) for y in found):
        return None
    agree = all(close(float(y), float(found[0]), 1e-8, 1e-8) for y in found)
    return float(found[0]) if agree and abs(found[0]) < 1e8 else None


@every_op
def test_third_derivatives(name: str, params: dict[str, float]) -> None:
    op = ops[name].bind(**params)
    if operand_count(op) != 1:
        return  # powers are below
    reverse: Any = grad(grad(grad(op)))
    mixed = grad(lambda x: jvp(lambda y: grad(op)(y), (x,), (1.0,))[1])
    with mp.workdps(40):
        for (x,) in places(op, params):
            want = mixed(x)
            if name in ORACLE:
                want = third_by_mpmath(lambda x: ORACLE[name](x, **params), x)
            if want is not None:
                assert close(reverse(x), want, 1e-9, 1e-9), (x, reverse(x), want)
                assert close(mixed(x), want, 1e-9, 1e-9), (x, mixed(x), want)


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 0.5])
def test_powers_to_third_order_in_both_arguments(y: float) -> None:
    # d3/dx2 dy of x**y = x**(y - 2) (2 y - 1 + y (y - 1) log x), at x = 2
    want = 2.0 ** (y - 2) * (2 * y - 1 + y * (y - 1) * math.log(2.0))
    power: Function = lambda x, y: x**y  # noqa: E731

    def xxy(y: float) -> Any:
        return grad(lambda y: grad(grad(lambda x: power(x, y)))(2.0))(y)

    def yxx(y: float) -> Any:
        return grad(grad(lambda x: grad(lambda y: power(x, y))(y)))(2.0)

    def xyx(y: float) -> Any:
        return grad(lambda x: grad(lambda y: grad(lambda x: power(x, y))(x))(y))(2.0)

    assert [xxy(y), yxx(y), xyx(y)] == pytest.approx([want] * 3, rel=1e-12)
