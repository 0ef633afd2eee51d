"""The conventions at kinks, ties and singular points, and that nan does not leak through them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import Value, elementwise, fused, ops
from smolml_value.transforms import grad, hessian
from tests.value.helpers import gradients, identical

inf, nan = math.inf, math.nan


def _logsumexp(*xs: Value) -> Value:
    return fused.logsumexp(xs)


# what it is, the function, where, its gradient there
CONVENTIONS: list[tuple[str, Callable[..., Value], tuple[float, ...], list[float]]] = [
    ("relu at 0", ops.relu, (0.0,), [0.0]),
    ("relu at -0", ops.relu, (-0.0,), [0.0]),
    ("leaky_relu at 0", ops.leaky_relu, (0.0,), [0.01]),
    ("leaky_relu(0.2) at 0", lambda x: x.leaky_relu(0.2), (0.0,), [0.2]),
    ("elu at 0", ops.elu, (0.0,), [1.0]),
    ("elu(2) at 0", lambda x: x.elu(2.0), (0.0,), [2.0]),
    ("abs at 0", ops.abs, (0.0,), [0.0]),
    ("abs(x) at -0", abs, (-0.0,), [0.0]),
    ("sign at 0", ops.sign, (0.0,), [0.0]),
    ("floor at a jump", ops.floor, (2.0,), [0.0]),
    ("ceil at a jump", ops.ceil, (2.0,), [0.0]),
    ("trunc at a jump", ops.trunc, (-2.0,), [0.0]),
    ("round at a jump", ops.round, (2.5,), [0.0]),
    ("remainder at a jump", ops.remainder, (6.0, 3.0), [1.0, -2.0]),
    ("x % 2 below 0", lambda x: x % 2, (-3.5,), [1.0]),
    ("7 % y", lambda y: 7 % y, (3.0,), [-2.0]),
    ("remainder by 0", ops.remainder, (1.0, 0.0), [1.0, -inf]),
    ("floor_divide at a jump", ops.floor_divide, (6.0, 3.0), [0.0, 0.0]),
    ("x // y", lambda x, y: x // y, (7.5, -2.0), [0.0, 0.0]),
    ("maximum, a tie", ops.maximum, (1.5, 1.5), [0.5, 0.5]),
    ("minimum, a tie", ops.minimum, (1.5, 1.5), [0.5, 0.5]),
    ("maximum, zeros of both signs", ops.maximum, (0.0, -0.0), [0.5, 0.5]),
    ("minimum, infinite tie", ops.minimum, (inf, inf), [0.5, 0.5]),
    ("maximum of x and x", lambda x: ops.maximum(x, x), (3.0,), [1.0]),
    ("maximum with an equal number", lambda x: x.maximum(2.0), (2.0,), [0.5]),
    ("maximum, no tie", ops.maximum, (1.0, 2.0), [0.0, 1.0]),
    ("minimum, no tie", ops.minimum, (1.0, 2.0), [1.0, 0.0]),
    ("clip inside", lambda x: x.clip(-1.0, 1.0), (0.5,), [1.0]),
    ("clip at the lower bound", lambda x: x.clip(-1.0, 1.0), (-1.0,), [1.0]),
    ("clip at the upper bound", lambda x: x.clip(-1.0, 1.0), (1.0,), [1.0]),
    ("clip above", lambda x: x.clip(-1.0, 1.0), (1.5,), [0.0]),
    ("clip below", lambda x: x.clip(-1.0, 1.0), (-1.5,), [0.0]),
    ("clip, only min, above", lambda x: x.clip(min=0.0), (9.0,), [1.0]),
    ("clip, only max, above", lambda x: x.clip(max=0.0), (9.0,), [0.0]),
    ("clip without bounds", lambda x: x.clip(), (9.0,), [1.0]),
    ("hypot at the origin", ops.hypot, (0.0, 0.0), [0.0, 0.0]),
    ("atan2 at the origin", ops.atan2, (0.0, 0.0), [0.0, 0.0]),
    ("where takes x", ops.where, (1.0, 2.0, 3.0), [0.0, 1.0, 0.0]),
    ("where takes y", ops.where, (0.0, 2.0, 3.0), [0.0, 0.0, 1.0]),
    ("where, nan holds", ops.where, (nan, 2.0, 3.0), [0.0, 1.0, 0.0]),
    # singular points: the IEEE limit
    ("sqrt at 0", ops.sqrt, (0.0,), [inf]),
    ("log at 0", ops.log, (0.0,), [inf]),
    ("log1p at -1", ops.log1p, (-1.0,), [inf]),
    ("reciprocal at 0", ops.reciprocal, (0.0,), [-inf]),
    ("1 / x at 0", lambda x: 1 / x, (0.0,), [-inf]),
    ("x / y at y = 0", lambda x, y: x / y, (1.0, 0.0), [inf, -inf]),
    ("asin at 1", ops.asin, (1.0,), [inf]),
    ("acos at -1", ops.acos, (-1.0,), [-inf]),
    ("acosh at 1", ops.acosh, (1.0,), [inf]),
    ("atanh at 1", ops.atanh, (1.0,), [inf]),
    # powers of 0
    ("x**2 at 0", lambda x: x**2, (0.0,), [0.0]),
    ("x**1 at 0", lambda x: x**1, (0.0,), [1.0]),
    ("x**0 at 0", lambda x: x**0, (0.0,), [0.0]),
    ("x**0 at inf", lambda x: x**0, (inf,), [0.0]),
    ("x**0.5 at 0", lambda x: x**0.5, (0.0,), [inf]),
    ("x**-1 at 0", lambda x: x**-1, (0.0,), [-inf]),
    ("0**y", lambda y: 0**y, (2.0,), [0.0]),
    ("0**y at y = 0", lambda y: 0**y, (0.0,), [0.0]),
    ("x**y at (0, 2)", lambda x, y: x**y, (0.0, 2.0), [0.0, 0.0]),
    ("x**y at (0, 0)", lambda x, y: x**y, (0.0, 0.0), [0.0, 0.0]),
    ("x**3 below 0", lambda x: x**3, (-2.0,), [12.0]),
    ("x**y below 0", lambda x, y: x**y, (-2.0, 3.0), [12.0, nan]),
    ("x**0.5 below 0", lambda x: x**0.5, (-2.0,), [nan]),
    ("1**y", lambda y: 1**y, (5.0,), [0.0]),
    # logarithms of sums: -inf counts for nothing, several inf share alike
    ("logaddexp of -inf", ops.logaddexp, (-inf, -inf), [0.0, 0.0]),
    ("logaddexp of -inf and x", ops.logaddexp, (-inf, 1.0), [0.0, 1.0]),
    ("logaddexp of inf", ops.logaddexp, (inf, inf), [0.5, 0.5]),
    ("logaddexp of inf and x", ops.logaddexp, (inf, 1.0), [1.0, 0.0]),
    ("logaddexp of inf and -inf", ops.logaddexp, (inf, -inf), [1.0, 0.0]),
    ("logsumexp of -inf", _logsumexp, (-inf, -inf), [0.0, 0.0]),
    ("logsumexp of -inf and x", _logsumexp, (-inf, 1.0, 1.0), [0.0, 0.5, 0.5]),
    ("logsumexp of inf", _logsumexp, (inf, 1.0, inf, -inf), [0.5, 0.0, 0.5, 0.0]),
    ("softmax of -inf", lambda *xs: fused.softmax(xs)[0], (-inf, -inf), [0.0, 0.0]),
    ("softplus of -inf", ops.softplus, (-inf,), [0.0]),
    # nan must not leak out of the branch that was not taken
    ("guarded sqrt", lambda x: ops.where(x > 0, x.sqrt(), 0.0), (0.0,), [0.0]),
    ("guarded log", lambda x: ops.where(x > 0, x * x.log(), 0.0), (0.0,), [0.0]),
    ("guarded log below 0", lambda x: ops.where(x > 0, x * x.log(), 0.0), (-1.0,), [0.0]),
    ("guarded division", lambda x: ops.where(x != 0, 1 / x, 1.0), (0.0,), [0.0]),
    ("guarded norm", lambda x: ops.where(x != 0, (x * x).sqrt(), 0.0), (0.0,), [0.0]),
    ("guard the argument too", lambda x: ops.where(x > 0, x, 1.0).log(), (0.0,), [0.0]),
    ("zero times sqrt", lambda x: x.sqrt() * 0.0, (0.0,), [0.0]),
    ("relu of log", lambda x: x.log().relu(), (0.0,), [0.0]),
    ("clipped log", lambda x: x.log().clip(min=-100.0), (0.0,), [0.0]),
    ("maximum of log and a number", lambda x: x.log().maximum(-100.0), (0.0,), [0.0]),
]


@pytest.mark.parametrize(("f", "at", "want"), [pytest.param(*c[1:], id=c[0]) for c in CONVENTIONS])
def test_convention(f: Callable[..., Value], at: tuple[float, ...], want: list[float]) -> None:
    got = gradients(f, *at)
    # the sign of a zero gradient is nobody's convention
    assert [g if g else 0.0 for g in got] == pytest.approx(want, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize("f", [ops.logaddexp, lambda *xs: fused.logsumexp(xs)])
def test_sums_of_infinite_powers_by_transforms(f: Callable[..., Any]) -> None:
    for at, want in [((-inf, -inf), (0.0, 0.0)), ((inf, inf), (0.5, 0.5))]:
        assert grad(f, (0, 1))(*at) == want
        assert hessian(lambda xs: f(*xs))(list(at)) == [[0.0, 0.0], [0.0, 0.0]]
    assert ops.logaddexp(-inf, -inf) == fused.logsumexp([-inf, -inf]).data == -inf
    assert [p.data for p in fused.softmax([-inf, -inf])] == [0.0, 0.0]


@pytest.mark.parametrize(
    "f",
    [
        pytest.param(lambda x: ops.where(x > 0, x, 0.0).sqrt(), id="sqrt of where"),
        pytest.param(lambda x: x.relu().sqrt(), id="sqrt of relu"),
        pytest.param(lambda x: (x - 1.0).maximum(0.0).sqrt(), id="sqrt of maximum"),
        pytest.param(lambda x: (x - 1.0).clip(min=0.0).sqrt(), id="sqrt of clip"),
    ],
)
def test_what_was_not_selected_gets_zero_of_an_infinite_cotangent(
    f: Callable[[Value], Value],
) -> None:
    assert gradients(f, 0.0) == [0.0]


def test_the_condition_of_where_gets_nothing_of_an_infinite_cotangent() -> None:
    condition, x = Value(1.0), Value(0.0)
    ops.where(condition, x, 1.0).sqrt().backward()
    assert (condition.grad, x.grad) == (0.0, inf)


def test_a_step_by_hand_follows_the_same_rule() -> None:
    singular = elementwise("singular", lambda xp, x: x, vjp=lambda xp, g, out, x: (g * xp.inf,))
    x = Value(0.0)
    for root in (x.sqrt(), singular(x)):
        root.grad = 0.0
        root._backward()
        assert identical(x.grad, 0.0)


@pytest.mark.parametrize("x", [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
def test_clip_equals_maximum_then_minimum(x: float) -> None:
    assert ops.clip(x, -1.0, 1.0) == ops.minimum(ops.maximum(x, -1.0), 1.0)
    # by position, by name, as a method, bound: one op
    spellings = [
        lambda v: ops.clip(v, -1.0, 1.0),
        lambda v: ops.clip(v, min=-1.0, max=1.0),
        lambda v: ops.clip(v, -1.0, max=1.0),
        lambda v: v.clip(-1.0, 1.0),
        lambda v: v.clip(max=1.0, min=-1.0),
        lambda v: ops.clip.bind(min=-1.0, max=1.0)(v),
    ]
    want = [1.0 if -1.0 <= x <= 1.0 else 0.0]
    assert [gradients(f, x) for f in spellings] == [want] * len(spellings)


def test_nan_goes_through_every_comparison() -> None:
    for made in (
        ops.maximum(nan, 1.0),
        ops.maximum(1.0, nan),
        ops.minimum(nan, 1.0),
        ops.minimum(1.0, nan),
        ops.clip(nan, 0.0, 1.0),
        ops.relu(nan),
        ops.leaky_relu(nan),
        ops.elu(nan),
        ops.abs(nan),
        ops.sign(nan),
    ):
        assert math.isnan(made)


@pytest.mark.parametrize(("x", "want"), [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-2.5, -2.0)])
def test_round_goes_to_even(x: float, want: float) -> None:
    assert ops.round(x) == want
