"""check_grads: passes what is right, to any order; says what is wrong, where, and why."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import (
    Op,
    Value,
    check_grads,
    custom_vjp,
    elementwise,
    fused,
    no_grad,
    ops,
    scalar,
    stop_gradient,
)
from smolml_value._checking.finite_differences import central
from tests.value.helpers import operand_count, samples

Function = Callable[..., Any]
NAMES = ops.names()


# What is right ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_op_passes_to_order_3(name: str) -> None:
    op = ops[name]
    for point in samples(op, 2):
        check_grads(op, point)
    check_grads(op, samples(op, 1)[0], order=3)
    if operand_count(op) > 1:
        check_grads(lambda x: op(*[x] * op.arity), samples(op, 1)[0][:1])


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: fused.fsum([x, y, x, 2.0]) ** 2,
        lambda x, y: fused.dot([x, y, 3.0], [y, y, x]),
        lambda x, y: fused.dot([x, 2.0], [1.0, y]) ** 2,
        lambda x, y: fused.mean([x * y, 1.0, y]) ** 2,
        lambda x, y: fused.logsumexp([x, y, x * y]),
        lambda x, y: fused.softmax([x, 0.5, y])[:1],
    ],
)
def test_fused_nodes_pass_to_order_3(f: Function) -> None:
    check_grads(f, (0.3, -0.8), order=3)


def test_containers_values_and_several_results() -> None:
    def f(p: Any, s: Any) -> Any:
        return {"a": p["w"][0] * s, "b": [p["w"][1].sin() / s, 2.0, None]}

    check_grads(f, ({"w": (0.5, Value(0.7))}, 2.0), order=3)
    check_grads(lambda p: p[0] * p[1] ** 2, [0.5, 0.7])  # a list is one argument
    check_grads(list, ())
    check_grads(lambda x: [], 1.0)


def test_scales_far_from_one() -> None:
    check_grads(lambda x: x.log(), 1e-3)
    check_grads(lambda x: 1 / x, 1e5)
    check_grads(lambda x: (50 * x).sin(), 0.3)
    check_grads(lambda x: 1e12 * x**2, 3.0)
    check_grads(lambda x: 1e-12 * x**2, 3.0)
    check_grads(lambda x: (x - 0.999).relu() ** 2, 1.0)  # a kink of second order nearby


def test_a_user_s_gradients_are_not_touched() -> None:
    x, w = Value(0.5), Value(2.0)
    check_grads(lambda x: (x * w).tanh(), x)
    assert (x.grad, w.grad) == (0.0, 0.0)
    with no_grad():
        check_grads(lambda x: (x * w).tanh(), x)


def test_large_arguments_are_sampled() -> None:
    calls = 0

    def f(xs: list[Any]) -> Any:
        nonlocal calls
        calls += 1
        return fused.dot(xs, [x * (i + 1.0) for i, x in enumerate(xs)])

    draw = random.Random(0)
    point = [draw.uniform(-1.0, 1.0) for _ in range(300)]
    check_grads(f, (point,), order=1, elements=5)
    assert calls < 60
    wrong = lambda xs: f(xs) + sum((x * x.data for x in xs), 0.0)
    with pytest.raises(AssertionError):  # random directions see every element
        check_grads(wrong, (point,), order=1, elements=1)


# What is wrong ---------------------------------------------------------------------------------


def op_with(partial: Any, forward: Any = lambda xp, x: xp.exp(x) + x * x) -> Op:
    return elementwise("op", forward, [partial])


def second_order_only() -> Op:
    """The first derivative is right in numbers, but computed from plain ones."""
    return op_with(lambda xp, out, x: float(x) * 3.0 * x, lambda xp, x: x**3)


WRONG: dict[str, tuple[Function, int, str]] = {
    "sign": (op_with(lambda xp, out, x: -xp.exp(x) - 2 * x), 1, "likely: a wrong sign"),
    "factor 2": (op_with(lambda xp, out, x: 2 * xp.exp(x) + 4 * x), 1, "2 times the numerical"),
    "missing term": (op_with(lambda xp, out, x: xp.exp(x)), 1, "a term of the rule is missing"),
    "None": (op_with(None), 1, "the dependence is lost"),
    "nan": (op_with(lambda xp, out, x: xp.log(x - x) - xp.log(x - x)), 1, "the rule gives nan"),
    "not depending": (
        op_with(lambda xp, out, x: 1.0 + 0.0 * x, lambda xp, x: xp.floor(x)),
        1,
        "does not change with this argument",
    ),
    "off by a little": (op_with(lambda xp, out, x: (xp.exp(x) + 2 * x) * (1 + 2e-6)), 1, "likely:"),
    "second order": (second_order_only(), 2, "half the numerical one"),
    "float()": (lambda x: x * float(x), 1, "half the numerical one"),
    "constant": (lambda x: x * 0.0 + stop_gradient(x) ** 2, 1, "the dependence is lost"),
    "kink": (lambda x: (x - 0.7).relu(), 1, "not a smooth point: the slope is 0 to the left"),
    "jump": (lambda x: ops.where(x >= 0.7, x, x + 1.0), 1, "do not settle"),
    "kink of second order": (lambda x: (x - 0.7).relu() ** 2, 2, "not a smooth point"),
    "outside the domain": (lambda x: (x - 0.7).sqrt(), 1, "not finite near this point"),
}


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_rules_are_caught_in_each_mode(name: str, mode: str) -> None:
    f, order, reason = WRONG[name]
    if order > 1:
        check_grads(f, 0.7, order=order - 1, modes=[mode])
    with pytest.raises(AssertionError) as caught:
        check_grads(f, 0.7, order=order, modes=[mode])
    message = str(caught.value)
    assert reason in message
    assert f"derivative of order {order}" in message
    assert f"(mode {'-'.join([mode] * order)}" in message


bent = elementwise("bent", lambda xp, x, y: x * x + 0.0 * y, [lambda xp, out, x, y: 3.0 * x, 1.0])
bare = op_with(lambda xp, out, x: 3.0 * float(x) * x + 2.0 * x, lambda xp, x: x**3 + x * x)


@pytest.mark.parametrize(
    ("f", "order", "reason"),
    [
        (lambda xs: bent(*xs), 1, "a term of the rule is missing or wrong"),
        (lambda xs: bare(xs[0]), 2, "its rule depends on the argument in a way that is not"),
    ],
)
def test_slopes_that_are_off_by_no_common_factor(f: Function, order: int, reason: str) -> None:
    """One of them should be 0, or the factor is of no kind that is known."""
    with pytest.raises(AssertionError, match=f"likely: .*{reason}"):
        check_grads(f, [0.7, 0.3], order=order)


def test_mixtures_of_results_are_compared_where_there_are_many() -> None:
    f = lambda xs: [x * (x.data if i == 17 else x) for i, x in enumerate(xs)]
    with pytest.raises(AssertionError, match="d a random direction / d a") as caught:
        check_grads(f, [1.0 + i for i in range(30)], order=1, modes=["rev"], elements=1)
    assert "a factor" not in str(caught.value)


def test_a_rule_that_is_wrong_in_reverse_mode_only() -> None:
    # forward mode transposes it twice, so both are wrong; a vjp that is not linear is not
    @custom_vjp
    def f(x: Any) -> Any:
        return x * 3.0

    f.defvjp(lambda x: (x * 3.0, None), lambda _, g: (3.0 * g * g,))
    for mode in ("fwd", "rev"):
        with pytest.raises(AssertionError):
            check_grads(lambda x: f(x) * 2.0, 0.7, order=1, modes=[mode])


def test_the_message_names_argument_element_and_both_numbers() -> None:
    def f(p: Any, s: Any) -> Any:
        return [s * 2.0, {"y": p["w"][0] * s + p["w"][1] * p["w"][1].data}]

    with pytest.raises(AssertionError) as caught:
        check_grads(f, ({"w": [1.0, 3.0]}, 2.0), order=1)
    message = str(caught.value)
    assert "mode fwd, 1 of 6 compared" in message
    assert "d the result[1]['y'] / d argument 0['w'][1]: automatic 3, numerical 6" in message


def test_misfits_are_counted_and_the_worst_are_listed() -> None:
    with pytest.raises(AssertionError) as caught:
        check_grads(lambda xs: [x * x.data for x in xs], [1.0, 2.0, 3.0, 4.0, 5.0], order=1)
    lines = str(caught.value).splitlines()
    assert "5 of 25 compared" in lines[0]
    assert [line.split(":")[0] for line in lines[1:4]] == [
        f"  d the result[{i}] / d argument 0[{i}]" for i in (4, 3, 2)
    ] or "d argument 0[4]" in lines[1]
    assert lines[4] == "  ... and 2 more"
    assert "half the numerical one" in lines[5]


def test_a_function_that_is_none() -> None:
    numbers = itertools.count(1.0)
    with pytest.raises(AssertionError, match="two calls with the same arguments gave other"):
        check_grads(lambda x: x * next(numbers), 1.0)
    with pytest.raises(AssertionError, match="other numbers when it is differentiated"):
        check_grads(lambda x: x * (1.0 if (x + 0.0)._prev else 2.0), 1.0)
    with pytest.raises(AssertionError, match="the size of the result depends on the numbers"):
        check_grads(lambda x: [x] * (1 + (float(x) > 1.0)), 1.0)


def test_wrong_calls() -> None:
    f: Function = lambda x: x
    with pytest.raises(ValueError, match="order of 1 or more, got 0"):
        check_grads(f, 1.0, order=0)
    with pytest.raises(ValueError, match="unknown mode 'forward'; expected 'fwd' or 'rev'"):
        check_grads(f, 1.0, modes=["forward"])
    with pytest.raises(TypeError, match="the int 1"):
        check_grads(f, 1)
    with pytest.raises(ZeroDivisionError):  # what f raises goes through
        check_grads(lambda x: 1 / 0, 1.0)


# The difference quotients themselves -------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "df", "x"),
    [
        (math.sin, math.cos, 1.0),
        (math.exp, math.exp, 20.0),
        (scalar.log, lambda x: 1 / x, 1e-4),
        (lambda x: x**7, lambda x: 7 * x**6, -30.0),
        (lambda x: math.sin(1e3 * x), lambda x: 1e3 * math.cos(1e3 * x), 0.3),
    ],
)
def test_quotients_are_as_close_as_they_say(f: Function, df: Function, x: float) -> None:
    (slope,), (error,), _ = central(lambda v: [f(v[0])], [x], [1.0], 2.0**-52)
    assert abs(slope - df(x)) <= error
    assert error <= 1e-5 * abs(df(x))


def test_quotients_along_a_direction() -> None:
    f = lambda v: [v[0] * v[1], v[0] ** 2]
    slope, _, _ = central(f, [2.0, 3.0], [0.5, -1.0], 2.0**-52)
    assert slope == pytest.approx([0.5 * 3.0 - 2.0, 2.0])
    assert central(f, [2.0, 3.0], [0.5, -1.0], 2.0**-52, step=0.25).step == 0.25
