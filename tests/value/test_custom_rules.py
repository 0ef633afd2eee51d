"""Derivatives of one's own: stop_gradient, custom_vjp, checkpoint."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import (
    GraphError,
    Value,
    checkpoint,
    custom_vjp,
    elementwise,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
)
from tests.value.orders import Function, nth, nth_forward

# Rules of one's own ------------------------------------------------------------------------------


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
    _, tangent = jvp(power, (2.0, 3.0), (0.5, -2.0))
    assert tangent == pytest.approx(0.5 * 12.0 - 2.0 * 8 * math.log(2))
    direct: Function = lambda x: x**x
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
    f: Function = lambda p: both(p)["product"] ** 2 + both(p)["sum"]
    plain: Function = lambda p: both.f(p)["product"] ** 2 + both.f(p)["sum"]
    x = [2.0, 3.0]
    assert grad(f)(x) == grad(plain)(x)
    assert jacobian(both)(x) == jacobian(both.f)(x)
    assert jvp(both, (x,), ([0.5, -2.0],)) == jvp(both.f, (x,), ([0.5, -2.0],))
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


# checkpoint --------------------------------------------------------------------------------------


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
    flat: Function = lambda f: lambda p: total(f)(*p)
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
    plain: Function = lambda x: (x * w + inner).tanh() * 1.5
    plain(plain(x)).backward()
    assert got == pytest.approx((x.grad, w.grad, b.grad, inner.grad))
    assert grad(lambda w: checkpoint(lambda x: x * w * w)(Value(3.0)))(2.0) == 12.0
    assert grad(grad(lambda w: checkpoint(lambda x: x * w**3)(Value(3.0))))(2.0) == 36.0


def test_checkpoints_nest() -> None:
    f: Function = lambda x: x.sin() * x
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


inf, nan = math.inf, math.nan
FURTHER = [(1.0, 2.0), (2.0, 1.0), (1.0, -1.0), (1.0, 1.0 + 1e-9), (1e-9, 0.0), (0.0, 1e-9)]
FURTHER += [(1.0, nan), (nan, 1.0), (inf, nan), (1.0, inf), (inf, 1.0), (inf, -inf)]
"""Numbers that are not the same."""
NEAR = [(1.0, 1.0), (1.0, 1.0 + 1e-13), (-1.0, -1.0 - 1e-13), (1e-9, 1e-9), (0.0, -0.0)]
NEAR += [(inf, inf), (-inf, -inf), (nan, nan)]
"""Numbers that are the same but for rounding."""


@pytest.mark.parametrize("pair", FURTHER)
def test_checkpoint_notices_any_other_number(pair: tuple[float, float]) -> None:
    draws = iter(pair)
    y = checkpoint(lambda x: x * 0.0 + next(draws))(Value(3.0))
    with pytest.raises(GraphError, match="gave other numbers when it was computed again"):
        y.backward()


@pytest.mark.parametrize("pair", NEAR)
def test_checkpoint_takes_rounding_for_the_same(pair: tuple[float, float]) -> None:
    draws = iter(pair)
    x = Value(3.0)
    checkpoint(lambda x: x * 2.0 - 6.0 + next(draws))(x).backward()
    assert x.grad == 2.0


def memory(make: Callable[[], Any]) -> int:
    """The bytes that what is made holds on to."""
    gc.collect()
    tracemalloc.start()
    kept = make()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept is not None
    return held


def test_checkpoint_holds_nothing_of_what_is_inside() -> None:
    w = Value(0.99)

    def chain(x: Any) -> Any:
        for _ in range(10_000):  # much beside the freed tuples that Python keeps
            x = x * w + 0.01
        return x

    def nested(x: Any) -> Any:
        return checkpoint(chain)(checkpoint(chain)(x) * w)

    checkpoint(grad(chain))(Value(1.0))  # imports what it needs
    stored = memory(lambda: chain(Value(1.0)))
    assert memory(lambda: checkpoint(chain)(Value(1.0))) < stored / 5
    assert memory(lambda: checkpoint(nested)(Value(1.0))) < stored / 5
    assert memory(lambda: checkpoint(grad(chain))(Value(1.0))) < stored / 5


def test_an_argument_that_gets_nothing() -> None:
    """Its cotangent is None: in both modes, and by hand, as if the result did not depend on it."""

    @custom_vjp
    def first(x: Any, y: Any) -> Any:
        return x * y

    first.defvjp(lambda x, y: (x * y, y), lambda y, g: (g * y, None))
    assert grad(first, (0, 1))(2.0, 3.0) == (3.0, 0.0)
    assert jvp(first, (2.0, 3.0), (1.0, 1.0)) == (6.0, 3.0)
    assert jvp(lambda y: first(2.0, y), (3.0,), (1.0,)) == (6.0, 0.0)
    x, y = Value(2.0), Value(3.0)
    out: Any = first(x, y)
    out.grad = 1.0
    for v in (out, *out._children):
        v._backward()
    assert (x.grad, y.grad) == (3.0, 0.0)


def test_a_custom_function_shows_its_name() -> None:
    power, _ = made_custom()
    assert repr(power) == "<custom_vjp power>"


def test_an_op_with_a_vjp_of_its_own_has_derivatives_of_both_modes() -> None:
    cube = elementwise("cube", lambda xp, x: x**3, vjp=lambda xp, g, out, x: (3.0 * g * x**2,))
    for order, wanted in enumerate([8.0, 12.0, 12.0, 6.0, 0.0]):
        assert nth(cube, order)(2.0) == nth_forward(cube, order)(2.0) == wanted
