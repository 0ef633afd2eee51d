"""Transforms of functions of floats and Values: closed forms, containers, matrices, adjoints."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import itertools
import math
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import (
    Value,
    elementwise_grad,
    fused,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    ops,
    value_and_grad,
    vjp,
)
from tests.value.orders import Function, nth, nth_forward, slope

# Closed forms ------------------------------------------------------------------------------------


CLOSED: dict[str, tuple[Function, list[Callable[[float], float]]]] = {
    "sin": (
        lambda x: x.sin(),
        [math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin],
    ),
    "exp": (lambda x: x.exp(), [math.exp] * 4),
    "x**5": (
        lambda x: x**5,
        [
            lambda x: 5 * x**4,
            lambda x: 20 * x**3,
            lambda x: 60 * x**2,
            lambda x: 120 * x,
        ],
    ),
    "x**-1.5": (
        lambda x: x**-1.5,
        [
            lambda x: -1.5 * x**-2.5,
            lambda x: 3.75 * x**-3.5,
            lambda x: -13.125 * x**-4.5,
            lambda x: 59.0625 * x**-5.5,
        ],
    ),
    "2**x": (
        lambda x: 2**x,
        [
            lambda x: 2**x * math.log(2),
            lambda x: 2**x * math.log(2) ** 2,
            lambda x: 2**x * math.log(2) ** 3,
            lambda x: 2**x * math.log(2) ** 4,
        ],
    ),
    "tanh": (
        lambda x: x.tanh(),
        [
            lambda x: 1 - math.tanh(x) ** 2,
            lambda x: -2 * math.tanh(x) * (1 - math.tanh(x) ** 2),
            lambda x: (1 - math.tanh(x) ** 2) * (6 * math.tanh(x) ** 2 - 2),
            lambda x: (1 - math.tanh(x) ** 2) * (16 * math.tanh(x) - 24 * math.tanh(x) ** 3),
        ],
    ),
    "log": (
        lambda x: x.log(),
        [lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4],
    ),
    "1/x": (
        lambda x: 1 / x,
        [lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4, lambda x: 24 / x**5],
    ),
}


@pytest.mark.parametrize("mode", [nth, nth_forward])
@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_to_order_4(name: str, mode: Callable[[Function, int], Function]) -> None:
    f, derivatives = CLOSED[name]
    for x in (0.3, 0.9, 1.7):
        for order, closed in enumerate(derivatives, 1):
            got = mode(f, order)(x)
            assert type(got) is float
            assert got == pytest.approx(closed(x), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("order", range(1, 5))
def test_every_mixture_of_modes_gives_the_same(order: int) -> None:
    f: Function = lambda x: (x * x.sin()).exp() / (1 + x**2)
    want = nth(f, order)(0.7)
    for pattern in range(2**order):
        g = f
        for k in range(order):
            g = grad(g) if pattern >> k & 1 else slope(g)
        assert g(0.7) == pytest.approx(want, rel=1e-11)


# Containers, argnums, options --------------------------------------------------------------------


class Point(NamedTuple):
    x: Any
    y: Any


Pair = namedtuple("Pair", "first second")


def test_gradients_come_in_the_containers_of_the_arguments() -> None:
    def f(p: Any) -> Any:
        return p["a"][0] * p["b"].x + p["b"].y ** 2 * p["a"][1][0]

    tree = {"a": [2.0, (3.0,)], "b": Point(5.0, 7.0), "none": None}
    got = grad(f)(tree)
    assert got == {"a": [5.0, (49.0,)], "b": Point(2.0, 42.0), "none": None}
    assert type(got["b"]) is Point
    assert type(grad(lambda p: p.first * p.second)(Pair(2.0, 3.0))) is Pair
    ordered = grad(lambda d: d["u"] * d["v"])(OrderedDict(u=2.0, v=3.0))
    assert isinstance(ordered, OrderedDict)
    assert ordered == {"u": 3.0, "v": 2.0}


def test_values_come_out_as_values() -> None:
    x = Value(3.0)
    got = grad(lambda p: p[0] * p[1])([x, 4.0])
    assert isinstance(got[0], Value)
    assert (got[0].data, got[1]) == (4.0, 3.0)
    assert type(got[1]) is float


def test_argnums() -> None:
    f: Function = lambda x, y, z: x * y**2 * z
    assert grad(f)(2.0, 3.0, 5.0) == 45.0
    assert grad(f, 1)(2.0, 3.0, 5.0) == 60.0
    assert grad(f, -1)(2.0, 3.0, 5.0) == 18.0
    assert grad(f, (2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert grad(f, [1])(2.0, 3.0, 5.0) == (60.0,)
    assert jacobian(f, 1)(2.0, 3.0, 5.0) == 60.0
    assert jacobian(lambda x, y: [x * y, x + y], (0, 1))(2.0, 3.0) == [(3.0, 2.0), (1.0, 1.0)]
    assert hessian(f, (0, 1))(2.0, 3.0, 5.0) == ((0.0, 30.0), (30.0, 20.0))
    assert elementwise_grad(f, 1)(2.0, 3.0, 5.0) == 60.0


def test_keyword_and_other_arguments_pass_through() -> None:
    def f(x: Any, label: str, *, power: int = 2, flip: bool = False) -> Any:
        assert label == "it"
        return -(x**power) if flip else x**power

    assert grad(f)(3.0, "it", power=3, flip=True) == -27.0
    assert value_and_grad(f)(3.0, "it") == (9.0, 6.0)
    assert jacobian(f)(3.0, "it", power=1) == 1.0
    assert hvp(f)(3.0, 1.0, "it", power=3) == 18.0


def test_aux() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y, {"y": y, "note": "kept", "numbers": [1, y]}

    (value, aux), slope = value_and_grad(f, has_aux=True)(3.0)
    assert (value, slope) == (9.0, 6.0)
    assert aux == {"y": 9.0, "note": "kept", "numbers": [1, 9.0]}
    assert type(aux["y"]) is float
    assert grad(f, has_aux=True)(3.0) == (6.0, aux)


def test_numbers_in_numbers_out() -> None:
    for made in (
        *value_and_grad(lambda x: x * x)(3.0),
        *jvp(lambda x: x * x, (3.0,), (1.0,)),
        vjp(lambda x: x * x, 3.0)[0],
        *vjp(lambda x: x * x, 3.0)[1](1.0),
        jacobian(lambda x: x * x)(3.0),
        hessian(lambda x: x * x)(3.0),
        hvp(lambda x: x * x)(3.0, 1.0),
        elementwise_grad(lambda x: x * x)(3.0),
    ):
        assert type(made) is float


def test_transforms_say_what_they_made() -> None:
    def cost(x: Any) -> Any:
        return x

    assert grad(cost).__name__ == grad(cost).__qualname__ == "grad(cost)"
    assert hessian(cost).__name__ == "hessian(cost)"
    assert "cost" in (jacobian(cost).__doc__ or "")


def test_the_identity_and_inner_results_as_results() -> None:
    assert grad(lambda x: x)(3.0) == 1.0
    assert jacobian(lambda x: [x, x])(3.0) == [1.0, 1.0]
    assert jvp(lambda x: (x, 2 * x), (3.0,), (1.0,)) == ((3.0, 6.0), (1.0, 2.0))
    x = Value(3.0)
    assert grad(lambda x: x)(x).data == 1.0


# The four matrices -------------------------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    total = 0.0
    for a, b in itertools.pairwise(x):
        total = total + 100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2
    return total


def rosenbrock_hessian(x: list[float]) -> list[list[float]]:
    n = len(x)
    h = [[0.0] * n for _ in x]
    for i in range(n - 1):
        h[i][i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i + 1][i + 1] += 200.0
        h[i][i + 1] = h[i + 1][i] = -400.0 * x[i]
    return h


def test_hessian_of_rosenbrock_equals_the_closed_form() -> None:
    x = [-1.2, 1.0, 0.3, -0.7, 1.9]
    got = hessian(rosenbrock)(x)
    for row, want in zip(got, rosenbrock_hessian(x), strict=True):
        assert row == pytest.approx(want, rel=1e-13, abs=1e-12)


def test_hvp_is_the_hessian_times_v() -> None:
    x, v = [-1.2, 1.0, 0.3, -0.7, 1.9], [0.3, -2.0, 1.0, 0.7, 0.1]
    want = [sum(a * b for a, b in zip(row, v, strict=True)) for row in rosenbrock_hessian(x)]
    assert hvp(rosenbrock)(x, v) == pytest.approx(want, rel=1e-12)
    inner: Function = lambda x: sum(
        (g * w for g, w in zip(grad(rosenbrock)(x), v, strict=True)), 0.0
    )
    assert grad(inner)(x) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("size", [(2, 5), (5, 2), (3, 3), (1, 4), (4, 1)])
def test_jacobian_by_rows_and_by_columns(size: tuple[int, int]) -> None:
    n, m = size
    f: Function = lambda x: [
        sum((a * (i + j + 1.0)).sin() for j, a in enumerate(x)) for i in range(m)
    ]
    x = [0.1 * j + 0.2 for j in range(n)]
    got = jacobian(f)(x)
    for i in range(m):
        for j in range(n):
            assert got[i][j] == pytest.approx((i + j + 1.0) * math.cos(x[j] * (i + j + 1.0)))


def test_jacobian_of_containers() -> None:
    got = jacobian(lambda p: {"s": p[0] + p[1], "p": (p[0] * p[1], 7.0)})([2.0, 3.0])
    assert got == {"s": [1.0, 1.0], "p": ([3.0, 2.0], [0.0, 0.0])}


def test_a_jacobian_is_differentiated_again() -> None:
    f: Function = lambda x: [x[0] ** 2 * x[1], x[1] ** 3]
    got = jacobian(jacobian(f))([2.0, 3.0])
    assert got == [[[6.0, 4.0], [4.0, 0.0]], [[0.0, 0.0], [0.0, 18.0]]]
    x, y = Value(2.0), Value(3.0)
    jacobian(f)([x, y])[0][0].backward()  # d(2xy)
    assert (x.grad, y.grad) == (6.0, 4.0)


# <v, J u> = <J' v, u> ----------------------------------------------------------------------------


numbers = st.floats(-1.5, 1.5)
# none of them makes large numbers larger, so that rounding stays small, too
UNARY: list[Function] = [
    lambda x: x.tanh(),
    lambda x: x.sin(),
    lambda x: x.tanh().exp(),
    lambda x: x.sigmoid(),
]
BINARY: list[Function] = [
    lambda x, y: x * y.cos(),
    lambda x, y: x - y,
    lambda x, y: x / (2.0 + y * y),
    lambda x, y: ops.hypot(x, y + 3.0),
    lambda x, y: ops.where(x > y, x * y.tanh(), x + y),
    lambda x, y: fused.dot([x, y], [y.sin(), 0.5]),
]


@st.composite
def programs(draw: st.DrawFn) -> tuple[Function, int]:
    """A random program from some numbers to several, and how many it takes."""
    count = draw(st.integers(1, 4))
    steps = draw(
        st.lists(
            st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)),
            min_size=1,
            max_size=12,
        )
    )

    def f(xs: list[Any]) -> list[Any]:
        made = list(xs)
        for op, i, j in steps:
            x, y = made[i % len(made)], made[j % len(made)]
            made.append(UNARY[op](x) if op < len(UNARY) else BINARY[op - len(UNARY)](x, y))
        return made[-3:]

    return f, count


@given(programs(), st.data())
def test_forward_and_reverse_mode_are_adjoint(program: tuple[Function, int], data: Any) -> None:
    f, n = program
    draw: Function = lambda k: data.draw(st.lists(numbers, min_size=k, max_size=k))
    x, u = draw(n), draw(n)
    y, ju = jvp(f, (x,), (u,))
    v = draw(len(y))
    same, pullback = vjp(f, x)
    (jv,) = pullback(v)
    assert y == same
    left = sum(a * b for a, b in zip(v, ju, strict=True))
    right = sum(a * b for a, b in zip(jv, u, strict=True))
    scale = 1.0 + sum(abs(a * b) for a, b in zip(v, ju, strict=True))
    assert left == pytest.approx(right, rel=1e-9, abs=1e-9 * scale)


@given(programs(), st.data())
def test_gradients_equal_backward(program: tuple[Function, int], data: Any) -> None:
    f, n = program
    x = data.draw(st.lists(numbers, min_size=n, max_size=n))
    scalar: Function = lambda xs: sum(f(xs), 0.0)
    leaves = [Value(a) for a in x]
    scalar(leaves).backward()
    want = [leaf.grad for leaf in leaves]
    assert grad(scalar)(x) == pytest.approx(want, abs=1e-10 * (1.0 + max(map(abs, want))))
    # the same, walked with operands
    traced = [float(g) for g in gradients(scalar(leaves), leaves)]
    assert traced == pytest.approx(want, abs=1e-10 * (1.0 + max(map(abs, want))))


@given(programs(), st.data())
def test_the_hessian_is_symmetric_in_every_mode(program: tuple[Function, int], data: Any) -> None:
    f, n = program
    x = data.draw(st.lists(numbers, min_size=n, max_size=n))
    scalar: Function = lambda xs: sum(f(xs), 0.0)
    h = hessian(scalar)(x)
    scale = 1e-9 * (1.0 + max(abs(a) for row in h for a in row))
    for i in range(n):
        unit = [float(i == j) for j in range(n)]
        assert hvp(scalar)(x, unit) == pytest.approx(h[i], abs=scale)
        assert [row[i] for row in h] == pytest.approx(h[i], abs=scale)
