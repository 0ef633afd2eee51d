"""Transforms of functions of floats and Values: values, containers, nesting, errors, threads."""

from __future__ import annotations

import gc
import itertools
import math
import threading
import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import GraphError, Value, elementwise, fused, no_grad, ops
from smolml_value.transforms import (
    checkpoint,
    custom_vjp,
    elementwise_grad,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

Function = Callable[..., Any]


def nth(f: Function, order: int) -> Function:
    for _ in range(order):
        f = grad(f)
    return f


def slope(f: Function) -> Function:
    """The derivative of f by forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def nth_forward(f: Function, order: int) -> Function:
    for _ in range(order):
        f = slope(f)
    return f


# Closed forms ----------------------------------------------------------------------------------

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
    f: Function = lambda x: (x * x.sin()).exp() / (1 + x**2)  # noqa: E731
    want = nth(f, order)(0.7)
    for pattern in range(2**order):
        g = f
        for k in range(order):
            g = grad(g) if pattern >> k & 1 else slope(g)
        assert g(0.7) == pytest.approx(want, rel=1e-11)


# Containers, argnums, options ------------------------------------------------------------------


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
    f: Function = lambda x, y, z: x * y**2 * z  # noqa: E731
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

    assert grad(cost).__name__ == "grad(cost)"
    assert hessian(cost).__name__ == "hessian(cost)"
    assert "cost" in (jacobian(cost).__doc__ or "")


def test_the_identity_and_inner_results_as_results() -> None:
    assert grad(lambda x: x)(3.0) == 1.0
    assert jacobian(lambda x: [x, x])(3.0) == [1.0, 1.0]
    assert jvp(lambda x: (x, 2 * x), (3.0,), (1.0,)) == ((3.0, 6.0), (1.0, 2.0))
    x = Value(3.0)
    assert grad(lambda x: x)(x).data == 1.0


# The four matrices -----------------------------------------------------------------------------


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
    )  # noqa: E731
    assert grad(inner)(x) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("size", [(2, 5), (5, 2), (3, 3), (1, 4), (4, 1)])
def test_jacobian_by_rows_and_by_columns(size: tuple[int, int]) -> None:
    n, m = size
    f: Function = lambda x: [
        sum((a * (i + j + 1.0)).sin() for j, a in enumerate(x)) for i in range(m)
    ]  # noqa: E731
    x = [0.1 * j + 0.2 for j in range(n)]
    got = jacobian(f)(x)
    for i in range(m):
        for j in range(n):
            assert got[i][j] == pytest.approx((i + j + 1.0) * math.cos(x[j] * (i + j + 1.0)))


def test_jacobian_of_containers() -> None:
    got = jacobian(lambda p: {"s": p[0] + p[1], "p": (p[0] * p[1], 7.0)})([2.0, 3.0])
    assert got == {"s": [1.0, 1.0], "p": ([3.0, 2.0], [0.0, 0.0])}


def test_a_jacobian_is_differentiated_again() -> None:
    f: Function = lambda x: [x[0] ** 2 * x[1], x[1] ** 3]  # noqa: E731
    got = jacobian(jacobian(f))([2.0, 3.0])
    assert got == [[[6.0, 4.0], [4.0, 0.0]], [[0.0, 0.0], [0.0, 18.0]]]
    x, y = Value(2.0), Value(3.0)
    jacobian(f)([x, y])[0][0].backward()  # d(2xy)
    assert (x.grad, y.grad) == (6.0, 4.0)


# <v, J u> = <J' v, u> ---------------------------------------------------------------------------

numbers = st.floats(-1.5, 1.5)
UNARY = [lambda x: x.tanh(), lambda x: x.sin(), lambda x: x.exp(), lambda x: x.sigmoid()]
BINARY: list[Function] = [
    lambda x, y: x * y,
    lambda x, y: x - y,
    lambda x, y: x / (2.0 + y * y),
    lambda x, y: ops.hypot(x, y + 3.0),
    lambda x, y: ops.where(x > y, x * y, x + y),
    lambda x, y: fused.dot([x, y], [y, x]),
]


@st.composite
def programs(draw: st.DrawFn) -> tuple[Function, int]:
    """A random program from some numbers to several, and how many it takes."""
    count = draw(st.integers(1, 4))
    steps = draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)), min_size=1)
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
    draw: Function = lambda k: data.draw(st.lists(numbers, min_size=k, max_size=k))  # noqa: E731
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
    scalar: Function = lambda xs: sum(f(xs), 0.0)  # noqa: E731
    leaves = [Value(a) for a in x]
    scalar(leaves).backward()
    want = [leaf.grad for leaf in leaves]
    assert grad(scalar)(x) == pytest.approx(want, rel=1e-12, abs=1e-300)
    # the same, walked with operands
    traced = [float(g) for g in gradients(scalar(leaves), leaves)]
    assert traced == pytest.approx(want, rel=1e-12, abs=1e-300)


@given(programs(), st.data())
def test_the_hessian_is_symmetric_in_every_mode(program: tuple[Function, int], data: Any) -> None:
    f, n = program
    x = data.draw(st.lists(numbers, min_size=n, max_size=n))
    scalar: Function = lambda xs: sum(f(xs), 0.0)  # noqa: E731
    h = hessian(scalar)(x)
    scale = 1e-9 * (1.0 + max(abs(a) for row in h for a in row))
    for i in range(n):
        unit = [float(i == j) for j in range(n)]
        assert hvp(scalar)(x, unit) == pytest.approx(h[i], abs=scale)
        assert [row[i] for row in h] == pytest.approx(h[i], abs=scale)


# Nesting, closures, perturbation confusion -------------------------------------------------------


def test_perturbations_are_not_confused() -> None:
    # Siskind & Pearlmutter (2005): d/dx (x d/dy (x + y)) at 1 is 1, not 2
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert slope(lambda x: x * slope(lambda y: x + y)(1.0))(1.0) == 1.0
    assert slope(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * slope(lambda y: x + y)(1.0))(1.0) == 1.0


def test_inner_transforms_of_outer_variables() -> None:
    # d/dx of d/dy (x**2 y**3) at y = x is d/dx of 3 x**4
    f: Function = lambda x: grad(lambda y: x**2 * y**3)(x)  # noqa: E731
    assert grad(f)(2.0) == 12 * 8.0
    g: Function = lambda x: jvp(lambda y: x**2 * y**3, (x,), (x,))[1]  # noqa: E731
    assert grad(g)(2.0) == 3 * 5 * 16.0
    assert jvp(g, (2.0,), (1.0,)) == (3 * 32.0, 3 * 5 * 16.0)
    assert hessian(lambda x: grad(lambda y: (x * y).exp())(x))(0.5) == pytest.approx(
        hessian(lambda x: x * (x * x).exp())(0.5)
    )


def test_the_same_object_twice() -> None:
    x = Value(3.0)
    a, b = grad(lambda x, y: x * y**2, (0, 1))(x, x)
    assert (a.data, b.data) == (9.0, 18.0)
    assert jvp(lambda x, y: x * y, (x, x), (1.0, 0.0))[1].data == 3.0
    assert x.grad == 0.0


def test_unrolled_gradient_descent_is_differentiated() -> None:
    def after(rate: Any, steps: int = 20) -> Any:
        x = 1.0
        for _ in range(steps):
            x = x - rate * grad(lambda x: 0.5 * x * x)(x)
        return x

    assert grad(after)(0.1) == pytest.approx(-20 * 0.9**19, rel=1e-12)
    assert grad(grad(after))(0.1) == pytest.approx(20 * 19 * 0.9**18, rel=1e-12)


# Together with the graph that the user sees -----------------------------------------------------


def test_transforms_leave_the_gradients_of_the_user_alone() -> None:
    x, w = Value(3.0), Value(2.0)
    x.grad, w.grad = 11.0, 12.0
    f: Function = lambda x: (x * w).sin() * w  # noqa: E731
    grad(f)(x)
    value_and_grad(f)(x)
    vjp(f, x)[1](1.0)
    jvp(f, (x,), (1.0,))
    jacobian(f)(x)
    hessian(f)(x)
    hvp(f)(x, 1.0)
    gradients(f(x), [x, w])
    checkpoint(f)(x)
    float(grad(grad(f))(x))
    assert (x.grad, w.grad) == (11.0, 12.0)


def test_transforms_mix_with_backward() -> None:
    x = Value(2.0)
    grad(lambda x: x**3)(x).backward()
    assert x.grad == 12.0  # d(3 x**2)
    value, slope = value_and_grad(lambda x: x**3)(x)
    (value + slope * slope).backward()
    assert x.grad == 12.0 + 12.0 + 2 * 12.0 * 12.0
    w, y = Value(3.0), Value(2.0)
    grad(lambda y: w * y**2)(y).backward()  # d(2 w y)
    assert (w.grad, y.grad) == (4.0, 6.0)
    y.grad = 0.0
    jvp(lambda y: y**3, (y,), (w,))[1].backward()  # d(3 y**2 w)
    assert (y.grad, w.grad) == (36.0, 4.0 + 12.0)


def test_backward_inside_a_function_is_not_part_of_its_derivative() -> None:
    w = Value(2.0)

    def f(x: Any) -> Any:
        (w * w).backward()
        return x * w.grad

    assert grad(f)(5.0) == 4.0
    assert w.grad == 4.0


def test_gradients_of_nodes() -> None:
    x, y = Value(2.0), Value(3.0)
    u = x * y
    z = u * x
    dx, dy, du = gradients(z, [x, y, u])
    assert (dx.data, dy.data, du.data) == (12.0, 4.0, 2.0)
    assert gradients(dx, [y])[0].data == 4.0
    assert gradients(z, [Value(1.0)])[0].data == 0.0
    assert gradients(z, [z])[0].data == 1.0
    assert gradients(z, [x], 10.0)[0].data == 120.0
    assert gradients(z, [x, x])[1].data == 12.0
    assert (x.grad, y.grad, u.grad) == (0.0, 0.0, 0.0)
    g = gradients(z, [x], Value(1.0))[0]
    g.backward()
    assert (x.grad, y.grad) == (2 * 3.0, 2 * 2.0)


def test_numbers_changed_after_recording_give_no_wrong_gradient() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * y
    x.data = 10.0
    with pytest.raises(GraphError, match=r"multiply: the data of an operand was set after"):
        gradients(z, [y])
    s = x + y
    x.data = 5.0
    assert gradients(s, [x])[0].data == 1.0  # it does not matter here
    picked = ops.where(Value(1.0), x, y) * 2.0
    x.data = 7.0
    assert gradients(picked, [x])[0].data == 2.0
    d = fused.dot([x], [y])
    y.data = 30.0
    with pytest.raises(GraphError, match="dot"):
        gradients(d, [x])
    value, pullback = vjp(lambda x: x * y, 2.0)
    y.data = 40.0
    assert (value, pullback(1.0)) == (60.0, (30.0,))


# no_grad ---------------------------------------------------------------------------------------


def test_inside_no_grad_the_result_is_a_constant() -> None:
    x = Value(3.0)
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        value, slope = value_and_grad(lambda x: x * x)(x)
        _, tangent = jvp(lambda x: x * x, (x,), (1.0,))
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
    for made in (value, slope, tangent):
        assert isinstance(made, Value)
        assert made._prev == set()
    assert (value.data, slope.data, tangent.data) == (9.0, 6.0, 6.0)


def test_no_grad_inside_the_function_is_kept() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            frozen = x * x
            slope = grad(lambda y: y**3)(x)
        return x * frozen * slope

    assert grad(f)(2.0) == 4.0 * 12.0


def untyped(x: Any) -> Any:
    """Something of the wrong type, that the type checker would refuse."""
    return x


# Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, "use jacobian, elementwise_grad, or sum"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "is a return missing"),
        (lambda: grad(lambda x: (x, 1))(1.0), TypeError, "has_aux=True"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "return one number, got a str"),
        (lambda: value_and_grad(lambda x: x, has_aux=True)(1.0), TypeError, r"\(result, aux\)"),
        (lambda: grad(lambda x: x)(3), TypeError, r"argument 0 is the int 3, .*; write 3.0"),
        (lambda: grad(lambda x: x)(True), TypeError, r"argument 0 is the bool True.*write 1.0"),
        (lambda: grad(lambda x: x)("s"), TypeError, r"argument 0 is a str \('s'\).*partial"),
        (
            lambda: grad(lambda p: p)({"w": [1.0, 2]}),
            TypeError,
            r"argument 0\['w'\]\[1\] is the int 2",
        ),
        (lambda: grad(lambda x: x, 1)(1.0), IndexError, r"argnums 1 .* 1 positional argument$"),
        (lambda: grad(lambda x: x, (0, -3))(1.0, 2.0), IndexError, r"argnums -3"),
        (lambda: grad(lambda x, y: x, (0, -2))(1.0, 2.0), ValueError, "each argument once"),
        (lambda: grad(lambda x: x, ())(1.0), ValueError, "each argument once"),
        (lambda: grad(lambda x: x, untyped("x"))(1.0), TypeError, "argnums must be an int"),
        (lambda: grad(lambda x: x)(x=1.0), IndexError, "called with 0 positional arguments"),
        (lambda: jvp(lambda x: x, (1.0,), ()), TypeError, "expected a tuple of 1"),
        (lambda: jvp(lambda x: x, untyped(1.0), untyped(1.0)), TypeError, r"write \(x,\) for one"),
        (lambda: jvp(lambda x: x, ([1.0],), (1.0,)), TypeError, r"a list of 1 at \[0\]"),
        (lambda: jvp(lambda x: x, (1.0,), ([1.0],)), TypeError, r"a number or an array at \[0\]"),
        (lambda: jvp(lambda x: x, ({"a": 1.0},), ({"b": 1.0},)), TypeError, "with the keys 'a'"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), TypeError, r"tangents\[0\] is a str"),
        (lambda: jvp(lambda x: x, (1,), (1.0,)), TypeError, r"primals\[0\] is the int 1"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), TypeError, "expected a list of 2, got float"),
        (lambda: vjp(lambda x: x, 1.0)[1](None), TypeError, "expected a number or an array"),
        (lambda: jacobian(lambda x: "a")(1.0), TypeError, "jacobian: .* got a str"),
        (lambda: gradients(1.0, [Value(1.0)]), TypeError, "for functions of floats use grad"),
        (lambda: gradients(Value(1.0), untyped(Value(1.0))), TypeError, r"write \[x\] for one"),
        (lambda: gradients(Value(1.0), [2.0]), TypeError, "input 0 is a float"),
        (lambda: hessian(lambda x: [x])(1.0), TypeError, "use jacobian"),
        (lambda: elementwise_grad(lambda x: [x, x])(1.0), TypeError, "the result has shape"),
    ],
)
def test_errors_say_what_to_do(call: Function, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_a_constant_result_warns_and_has_a_zero_gradient() -> None:
    for f in (lambda p: 3.0, lambda p: Value(3.0), lambda p: stop_gradient(p[0]), lambda p: 7):
        with pytest.warns(UserWarning, match="returned a constant") as caught:
            got = grad(f)([1.0, Value(2.0)])
        assert caught[0].filename == __file__
        assert got[0] == 0.0
        assert isinstance(got[1], Value)
        assert got[1].data == 0.0
    with pytest.warns(UserWarning, match="returned a constant") as caught:
        assert jacobian(lambda p: [1.0, 2.0])(1.0) == [0.0, 0.0]
    assert caught[0].filename == __file__


def test_an_argument_that_is_not_used_has_a_zero_gradient() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert grad(lambda x, y: x * 2.0, (0, 1))(1.0, 5.0) == (2.0, 0.0)
        w = Value(2.0)
        assert grad(lambda x: w * w)(1.0) == 0.0
        assert jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
        assert vjp(lambda x: [x, 3.0], 1.0)[1]([1.0, 1.0]) == (1.0,)


def test_an_exception_leaves_nothing_behind() -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def broken(x: Any) -> Any:
        (x * x).backward()
        raise Stop

    x = Value(3.0)
    for call in (
        lambda: grad(broken)(x),
        lambda: grad(grad(broken))(3.0),
        lambda: jvp(broken, (x,), (1.0,)),
        lambda: jacobian(broken)(x),
        lambda: checkpoint(broken)(x),
    ):
        before = x.grad
        with pytest.raises(Stop):
            call()
        x.grad = before
    with no_grad():
        with pytest.raises(Stop):
            grad(broken)(3.0)
        assert (x * x)._prev == set()
    # the depth is back at 0: floats in, floats out, and nothing is recorded for later
    assert type(grad(lambda x: x * x)(3.0)) is float
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert (x * x)._prev == {x}


# Guarded points: no nan of second order where the first order has a convention -------------------

GUARDED: dict[str, tuple[Function, float, float]] = {
    "where sqrt": (lambda x: ops.where(x > 0, x.sqrt(), 0.0), 0.0, 0.0),
    "where log": (lambda x: ops.where(x > 0, x * x.log(), 0.0), 0.0, 0.0),
    "where 1/x": (lambda x: ops.where(x != 0, 1 / x, 3.0), 0.0, 0.0),
    "relu": (lambda x: x.relu() ** 2, 0.0, 0.0),
    "abs": (lambda x: abs(x) * x, 0.0, 0.0),
    "maximum tie": (lambda x: x.maximum(0.0) * x, 0.0, 0.0),
    "hypot": (lambda x: ops.hypot(x, 0.0), 0.0, 0.0),
    "x**2": (lambda x: x**2, 0.0, 0.0),
    "x**0": (lambda x: x**0 + x, 0.0, 1.0),
    "clip": (lambda x: x.clip(0.0, 1.0) * x, 0.0, 0.0),
    "where exp": (lambda x: ops.where(x < 1, x, (1000 * x).exp()), 0.9, 1.0),
}


@pytest.mark.parametrize("name", GUARDED)
def test_second_derivatives_at_guarded_points_are_numbers(name: str) -> None:
    f, x, first = GUARDED[name]
    assert grad(f)(x) == first
    for second in (
        jvp(f, (x,), (1.0,))[1],
        grad(grad(f))(x),
        hvp(f)(x, 1.0),
        jvp(lambda x: jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1],
        grad(lambda x: jvp(f, (x,), (1.0,))[1])(x),
        grad(grad(grad(f)))(x),
    ):
        assert math.isfinite(second)


# Rules of one's own ----------------------------------------------------------------------------


def test_stop_gradient() -> None:
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,)) == (9.0, 3.0)
    tree = stop_gradient({"a": [1, "text", Value(2.0)], "b": None})
    assert tree == {"a": [1, "text", 2.0], "b": None}


def made_custom() -> Any:
    calls: list[str] = []

    @custom_vjp
    def power(x: Any, y: Any) -> Any:
        calls.append("plain")
        return x**y

    def forward(x: Any, y: Any) -> Any:
        calls.append("forward")
        out = x**y
        return out, (x, y, out)

    def backward(kept: Any, g: Any) -> Any:
        calls.append("backward")
        x, y, out = kept
        return g * y * x ** (y - 1), g * out * x.log()

    power.defvjp(forward, backward)
    return power, calls


def test_custom_vjp() -> None:
    power, calls = made_custom()
    assert power(2.0, 3.0) == 8.0
    assert calls == ["plain"]
    x, y = Value(2.0), Value(3.0)
    power(x, y).backward()
    assert [x.grad, y.grad] == pytest.approx([12.0, 8 * math.log(2)])
    assert calls == ["plain", "forward", "backward"]
    assert grad(lambda x: power(x, Value(3.0)))(2.0) == 12.0
    direct: Function = lambda x: x**x  # noqa: E731
    for order in (1, 2, 3):
        want = nth(direct, order)(2.0)
        assert nth(lambda x: power(x, x), order)(2.0) == pytest.approx(want)
        assert nth_forward(lambda x: power(x, x), order)(2.0) == pytest.approx(want)


def test_custom_vjp_of_several_results_and_containers() -> None:
    @custom_vjp
    def both(p: Any) -> Any:
        return {"sum": p[0] + p[1], "product": p[0] * p[1]}

    both.defvjp(
        lambda p: (both.f(p), p),
        lambda p, g: ([g["sum"] + g["product"] * p[1], g["sum"] + g["product"] * p[0]],),
    )
    f: Function = lambda p: both(p)["product"] ** 2 + both(p)["sum"]  # noqa: E731
    plain: Function = lambda p: both.f(p)["product"] ** 2 + both.f(p)["sum"]  # noqa: E731
    x = [2.0, 3.0]
    assert grad(f)(x) == grad(plain)(x)
    assert jacobian(both)(x) == jacobian(both.f)(x)
    for row, want in zip(hessian(f)(x), hessian(plain)(x), strict=True):
        assert row == pytest.approx(want)
    values = [Value(2.0), Value(3.0)]
    f(values).backward()
    assert [v.grad for v in values] == grad(plain)(x)


def test_custom_vjp_may_leave_arguments_out() -> None:
    @custom_vjp
    def scaled(x: Any, factor: float, note: Any) -> Any:
        return x * factor

    scaled.defvjp(lambda x, factor, note: (x * factor, factor), lambda k, g: (k * g, None, None))
    assert grad(lambda x: scaled(x, 3.0, "text") * 2)(1.0) == 6.0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (None, r"call wrong.defvjp\(forward, backward\) first"),
        ((lambda x: x, lambda k, g: (g,)), r"must return a tuple \(result, residuals\)"),
        ((lambda x: (x, None), lambda k, g: g), r"expected a tuple of 1, one cotangent"),
        ((lambda x: (x, None), lambda k, g: (g, g)), r"expected a tuple of 1"),
        ((lambda x: (x, None), lambda k, g: ([g],)), r"cotangent 0 of its backward: expected"),
    ],
)
def test_wrong_custom_rules_are_refused(rule: Any, message: str) -> None:
    @custom_vjp
    def wrong(x: Any) -> Any:
        return x * 1.0

    if rule is not None:
        wrong.defvjp(*rule)
    with pytest.raises(TypeError, match=message):
        grad(lambda x: wrong(x * 1.0))(2.0)
    x = Value(2.0)
    with pytest.raises(TypeError, match=message):
        wrong(x * 1.0).backward()
    assert x.grad == 0.0


# checkpoint ------------------------------------------------------------------------------------


def test_checkpoint_computes_again_instead_of_storing() -> None:
    calls = []

    def f(x: Any, y: Any) -> Any:
        calls.append(1)
        return (x * y).sin() * x, x + y

    def total(f: Function) -> Function:
        return lambda x, y: f(x, y)[0] * f(x, y)[1]

    kept = checkpoint(f)
    x, y = Value(2.0), Value(3.0)
    a, b = kept(x, y)
    assert len(calls) == 1
    assert a._prev == b._prev  # nothing but the hub in between
    (a * b).backward()
    assert len(calls) == 2  # once for both results
    want = grad(total(f), (0, 1))(2.0, 3.0)
    assert (x.grad, y.grad) == pytest.approx(want)
    assert grad(total(kept), (0, 1))(2.0, 3.0) == pytest.approx(want)
    assert checkpoint(lambda x: x * 2)(3.0) == 6.0
    point = (2.0, 3.0)
    flat: Function = lambda f: lambda p: total(f)(*p)  # noqa: E731
    for row, wanted in zip(hessian(flat(kept))(point), hessian(flat(f))(point), strict=True):
        assert row == pytest.approx(wanted)
    u = (1.0, -2.0)
    for got, wanted in zip(jvp(kept, point, u), jvp(f, point, u), strict=True):
        assert got == pytest.approx(wanted)
    assert hvp(flat(kept))(point, u) == pytest.approx(hvp(flat(f))(point, u))


def test_checkpoint_differentiates_what_it_closes_over() -> None:
    w, b = Value(2.0), Value(0.5)
    inner = w * b  # not a leaf
    layer = checkpoint(lambda x: (x * w + inner).tanh() * Value(1.5))
    x = Value(0.3)
    layer(layer(x)).backward()
    got = (x.grad, w.grad, b.grad, inner.grad)
    x.grad = w.grad = b.grad = 0.0
    plain: Function = lambda x: (x * w + inner).tanh() * 1.5  # noqa: E731
    plain(plain(x)).backward()
    assert got == pytest.approx((x.grad, w.grad, b.grad, inner.grad))
    assert grad(lambda w: checkpoint(lambda x: x * w * w)(Value(3.0)))(2.0) == 12.0
    assert grad(grad(lambda w: checkpoint(lambda x: x * w**3)(Value(3.0))))(2.0) == 36.0


def test_checkpoints_nest() -> None:
    f: Function = lambda x: x.sin() * x  # noqa: E731
    nested = checkpoint(lambda x: checkpoint(f)(checkpoint(f)(x)))
    for order in (1, 2, 3):
        want = nth(lambda x: f(f(x)), order)(0.7)
        assert nth(nested, order)(0.7) == pytest.approx(want)


def test_checkpoint_notices_other_numbers() -> None:
    numbers = iter([1.0, 2.0, 3.0])
    x = Value(3.0)
    y = checkpoint(lambda x: x * next(numbers))(x)
    with pytest.raises(GraphError, match="gave other numbers when it was computed again"):
        y.backward()
    assert x.grad == 0.0
    w = Value(2.0)
    y = checkpoint(lambda x: x * w)(x)
    w.data = 4.0
    with pytest.raises(GraphError, match="data must not be set"):
        y.backward()
    x.data = 9.0  # what was given to it is another matter
    w.data = 2.0
    y.backward()
    assert (x.grad, w.grad) == (2.0, 3.0)


# Large graphs, memory, threads -----------------------------------------------------------------


def long_chain(x: Any, count: int = 100_000) -> Any:
    y = x
    for _ in range(count // 2):
        y = y * 0.99999 + 0.00001
    return y


def test_large_graphs_need_no_recursion() -> None:
    want = 0.99999**50_000
    assert grad(long_chain)(2.0) == pytest.approx(want)
    assert jvp(long_chain, (2.0,), (1.0,))[1] == pytest.approx(want)
    x = Value(2.0)
    (g,) = gradients(long_chain(x), [x])
    assert g.data == pytest.approx(want)
    assert gradients(g, [x])[0].data == 0.0
    square: Function = lambda x: long_chain(x, 20_000) ** 2  # noqa: E731
    assert grad(grad(square))(2.0) == pytest.approx(2 * 0.99999**20_000)
    assert hvp(square)(2.0, 1.0) == pytest.approx(2 * 0.99999**20_000)


def test_transforms_leave_no_reference_cycles() -> None:
    f: Function = lambda x: checkpoint(lambda x: (x * x).sin())(x) * x  # noqa: E731
    power, _ = made_custom()
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            x = Value(0.7)
            g = grad(f)(x)
            g.backward()
            (h,) = gradients(g, [x])
            del g, h
            hessian(f)(0.7)
            jvp(f, (x,), (1.0,))
            vjp(f, x)[1](1.0)
            power(x, x).backward()
            del x
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_threads() -> None:
    w = Value(1.5)
    f: Function = lambda x: checkpoint(lambda x: (x * w).sin())(x) * grad(lambda y: y**3 * w)(x)  # noqa: E731
    want = (grad(f)(0.7), grad(grad(f))(0.7), hvp(f)(0.7, 1.0))
    shared = grad(f)(Value(0.7))
    found: list[Any] = []

    def work() -> None:
        for _ in range(20):
            found.append((grad(f)(0.7), grad(grad(f))(0.7), hvp(f)(0.7, 1.0)))
            found.append(gradients(shared, [w])[0].data)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    slope = gradients(shared, [w])[0].data
    assert len(found) == 4 * 20 * 2
    assert all(got in (want, slope) for got in found)
    assert w.grad == 0.0


def test_a_plugin_op_has_every_order() -> None:
    cube = elementwise("cube", lambda xp, x: x * x * x, [lambda xp, out, x: 3 * x * x])
    composite = elementwise("composite", lambda xp, x: xp.exp(xp.sin(x)))
    by_vjp = elementwise(
        "by_vjp",
        lambda xp, x, y: x * x * y,
        vjp=lambda xp, g, out, x, y: (2 * g * x * y, g * x * x),
    )
    assert [nth(cube, k)(2.0) for k in (1, 2, 3, 4)] == [12.0, 12.0, 6.0, 0.0]
    assert [nth_forward(cube, k)(2.0) for k in (1, 2, 3, 4)] == [12.0, 12.0, 6.0, 0.0]
    want = grad(grad(lambda x: x.sin().exp()))(0.4)
    assert grad(grad(composite))(0.4) == pytest.approx(want)
    assert hessian(by_vjp, (0, 1))(2.0, 3.0) == ((6.0, 4.0), (4.0, 0.0))
    assert jvp(by_vjp, (2.0, 3.0), (1.0, 1.0)) == (12.0, 16.0)
