"""Transforms within transforms, beside backward() and no_grad, on large graphs and in threads."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import gc
import math
import threading
from typing import Any

import pytest

from smolml_value import (
    GraphError,
    Value,
    checkpoint,
    custom_vjp,
    elementwise,
    fused,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    ops,
    value_and_grad,
    vjp,
)
from tests.value.orders import Function, nth, nth_forward, slope

# Nesting, closures, perturbation confusion -------------------------------------------------------


def test_perturbations_are_not_confused() -> None:
    # Siskind & Pearlmutter (2005): d/dx (x d/dy (x + y)) at 1 is 1, not 2
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert slope(lambda x: x * slope(lambda y: x + y)(1.0))(1.0) == 1.0
    assert slope(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * slope(lambda y: x + y)(1.0))(1.0) == 1.0


def test_inner_transforms_of_outer_variables() -> None:
    # d/dx of d/dy (x**2 y**3) at y = x is d/dx of 3 x**4
    f: Function = lambda x: grad(lambda y: x**2 * y**3)(x)
    assert grad(f)(2.0) == 12 * 8.0
    g: Function = lambda x: jvp(lambda y: x**2 * y**3, (x,), (x,))[1]
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


# Together with the graph that the user sees ------------------------------------------------------


def test_transforms_leave_the_gradients_of_the_user_alone() -> None:
    x, w = Value(3.0), Value(2.0)
    x.grad, w.grad = 11.0, 12.0
    f: Function = lambda x: (x * w).sin() * w
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


@pytest.mark.parametrize(("name", "at"), [("log", 0.0), ("sqrt", 0.0), ("asin", 1.0), ("exp", 1e3)])
def test_an_infinite_slope_is_not_near_that_of_other_numbers(name: str, at: float) -> None:
    x = Value(at)
    y = ops[name](x)
    assert gradients(y, [x])[0].data == math.inf
    x.data = y.data = 0.5
    with pytest.raises(GraphError, match=f"{name}: the data of an operand was set after"):
        gradients(y, [x])


# no_grad -----------------------------------------------------------------------------------------


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


# Large graphs, memory, threads -------------------------------------------------------------------


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
    square: Function = lambda x: long_chain(x, 20_000) ** 2
    assert grad(grad(square))(2.0) == pytest.approx(2 * 0.99999**20_000)
    assert hvp(square)(2.0, 1.0) == pytest.approx(2 * 0.99999**20_000)


def test_transforms_leave_no_reference_cycles() -> None:
    f: Function = lambda x: checkpoint(lambda x: (x * x).sin())(x) * x
    cube = custom_vjp(lambda x: x**3)
    cube.defvjp(lambda x: (x**3, x), lambda x, g: (3 * x * x * g,))
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
            cube(x).backward()
            del x
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_threads() -> None:
    w = Value(1.5)
    f: Function = lambda x: checkpoint(lambda x: (x * w).sin())(x) * grad(lambda y: y**3 * w)(x)
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
