"""Values and derivatives of first to third order against mpmath's, to 1e-12."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from mpmath import mp

import smolml_special
from smolml_array import MLArray
from smolml_value import Op, Value
from smolml_value.transforms import gradients

Exact = Callable[..., Any]

EXACT: dict[str, Exact] = {
    "betaln": lambda a, b: mp.log(mp.beta(a, b)),
    "digamma": mp.digamma,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfinv": mp.erfinv,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "gammaln": mp.loggamma,
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "iv": lambda x: mp.besseli(1, x),
    "log_expit": lambda x: -mp.log(1 + mp.exp(-x)),
    "log_ndtr": lambda x: mp.log(mp.ncdf(x)),
    "logit": lambda p: mp.log(p / (1 - p)),
    "ndtr": mp.ncdf,
    "polygamma": lambda x: mp.psi(1, x),
    "softsign": lambda x: x / (1 + abs(x)),
    "xlogy": lambda x, y: x * mp.log(y),
}
NAMES = sorted(EXACT)


def points(op: Op, count: int = 20) -> list[tuple[float, ...]]:
    """Points all over the domain, the same ones in every run."""
    draw = random.Random(op.name)
    return [tuple(draw.uniform(low, high) for low, high in op.domain) for _ in range(count)]


def derivative(name: str, point: tuple[float, ...], orders: tuple[int, ...]) -> float:
    """A derivative of the exact function: orders[i] times to operand i."""
    with mp.workdps(50):
        exact = [mpmath.mpf(x) for x in point]
        if sum(orders) == 0:
            return float(EXACT[name](*exact))
        if len(point) == 1:
            return float(mp.diff(EXACT[name], exact[0], orders[0]))
        return float(mp.diff(EXACT[name], tuple(exact), orders))


def close(got: float, wanted: float, tolerance: float) -> bool:
    # relative, and absolute where the function crosses zero
    return abs(got - wanted) <= tolerance * max(1.0, abs(wanted))


def test_every_op_is_compared() -> None:
    assert set(NAMES) == set(smolml_special.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_values(name: str) -> None:
    op = getattr(smolml_special, name)
    for point in points(op):
        wanted = derivative(name, point, (0,) * op.arity)
        assert close(op(*point), wanted, 1e-13), point


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str) -> None:
    op = getattr(smolml_special, name)
    where = points(op)
    arrays = [MLArray(column) for column in map(list, zip(*where, strict=True))]
    op(*arrays).backward()
    for k, point in enumerate(where):
        leaves = [Value(x) for x in point]
        op(*leaves).backward()
        for i, leaf in enumerate(leaves):
            orders = tuple(int(i == j) for j in range(op.arity))
            wanted = derivative(name, point, orders)
            assert close(leaf.grad, wanted, 1e-12), (point, i)
            assert close(arrays[i].grad().to_list()[k], wanted, 1e-12), (point, i)


@pytest.mark.parametrize("name", [n for n in NAMES if getattr(smolml_special, n).arity == 1])
@pytest.mark.parametrize("backend", ["numpy", "pure"])
def test_higher_orders(name: str, backend: str) -> None:
    op = getattr(smolml_special, name)
    where = [point for point in points(op, 6) if name != "softsign" or abs(point[0]) > 0.1]
    array = MLArray([x for (x,) in where], backend=backend)
    on_array: Any = op(array)
    on_values = [(leaf, op(leaf)) for leaf in (Value(x) for (x,) in where)]
    for order in (1, 2, 3):
        (on_array,) = gradients(on_array, [array])
        on_values = [(leaf, gradients(out, [leaf])[0]) for leaf, out in on_values]
        for k, point in enumerate(where):
            wanted = derivative(name, point, (order,))
            assert close(on_values[k][1].data, wanted, 1e-11), (point, order)
            assert close(on_array.to_list()[k], wanted, 1e-11), (point, order)


@pytest.mark.parametrize("x", [0.0, 1e-9, -1e-9, -3.0])
def test_bessel_near_and_below_zero(x: float) -> None:
    # the textbook's I0 - I1 / x is 0 / 0 there
    leaf = Value(x)
    smolml_special.i1(leaf).backward()
    with mp.workdps(50):
        wanted = float(mp.diff(lambda t: mp.besseli(1, t), mpmath.mpf(x)))
    assert close(leaf.grad, wanted, 1e-12)


@pytest.mark.parametrize("x", [-0.5, -1.5, -2.25, -7.75])
def test_the_gamma_family_left_of_zero(x: float) -> None:
    leaf = Value(x)
    first = gradients(smolml_special.gammaln(leaf), [leaf])[0]
    second = gradients(first, [leaf])[0]
    with mp.workdps(50):
        assert close(first.data, float(mp.digamma(mpmath.mpf(x))), 1e-12)
        assert close(second.data, float(mp.psi(1, mpmath.mpf(x))), 1e-11)


def test_far_out() -> None:
    # where the naive formulas are inf / inf, 0 / 0 or 1 - 1
    for name, x, wanted, slope in [
        ("softsign", 1e300, 1.0, 0.0),
        ("softsign", float("-inf"), -1.0, 0.0),
        ("expit", 800.0, 1.0, 0.0),
        ("log_expit", -800.0, -800.0, 1.0),
        ("erfc", 30.0, 0.0, 0.0),
    ]:
        leaf = Value(x)
        out = getattr(smolml_special, name)(leaf)
        out.backward()
        assert close(out.data, wanted, 1e-12), name
        assert close(leaf.grad, slope, 1e-12), name
    leaf = Value(-30.0)
    smolml_special.log_ndtr(leaf).backward()
    with mp.workdps(50):
        t = mpmath.mpf(-30)
        assert close(leaf.grad, float(mp.npdf(t) / mp.ncdf(t)), 1e-12)
