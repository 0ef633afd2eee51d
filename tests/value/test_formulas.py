"""Formulas of partials: what rules write that use symbols in ways which the table's ops do not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import elementwise
from smolml_value._showing.formulas import partial_formula
from smolml_value._showing.op_html import op_html

Rule = Callable[..., Any]


def shown(rule: Rule, x: float | None = None) -> tuple[str, float | None]:
    """The formula of a rule of x, and its number; x is not known by default."""
    op = elementwise("op", lambda xp, x: xp.positive(x), (rule,))
    return partial_formula(op, 0, ["x"], "y", [x, x])


# per rule its formula, and what it computes as a function of x
WRITTEN: dict[str, tuple[Rule, str, Callable[[float], float]]] = {
    "plus the opposite": (
        lambda xp, out, x: xp.exp(x) + -x,
        "exp(x) − x",
        lambda x: math.exp(x) - x,
    ),
    "less nothing": (lambda xp, out, x: x - 0.0, "x", lambda x: x),
    "less than nothing": (lambda xp, out, x: 0.0 - x, "−x", lambda x: -x),
    "once": (lambda xp, out, x: x * 1.0, "x", lambda x: x),
    "by one": (lambda xp, out, x: x / 1.0, "x", lambda x: x),
    "to the power 0": (lambda xp, out, x: x**0.0, "1", lambda x: 1.0),
    "the opposite of a number": (lambda xp, out, x: -(x**0.0), "−1", lambda x: -1.0),
    "the opposite twice": (lambda xp, out, x: -xp.negative(x), "x", lambda x: x),
    "a sign that says nothing": (lambda xp, out, x: +x, "x", lambda x: x),
    "the absolute value": (lambda xp, out, x: abs(x), "|x|", abs),
    "what no namespace has": (
        lambda xp, out, x: getattr(xp, "__nothing__", xp.exp)(x),
        "exp(x)",
        math.exp,
    ),
    "a constant of xp": (lambda xp, out, x: xp.pi * x, "3.142 · x", lambda x: math.pi * x),
    "a plain function": (lambda xp, out, x: xp.map_scalar(math.cos, x), "cos(x)", math.cos),
}


@pytest.mark.parametrize(("rule", "text", "f"), WRITTEN.values(), ids=WRITTEN)
def test_a_formula_is_short_and_its_number_right(
    rule: Rule, text: str, f: Callable[[float], float]
) -> None:
    written, number = shown(rule)
    assert written == text
    assert number is None or number == f(2.0) == f(3.0)
    for x in (2.0, -0.5):
        written, number = shown(rule, x)
        assert written == text
        assert number == pytest.approx(f(x), rel=1e-15)


def test_a_rule_that_chooses_shows_the_branch_that_is_taken_or_nothing() -> None:
    def rule(xp: Any, out: Any, x: Any) -> Any:
        return 2.0 * x if x > 0.0 else 3.0 * x

    assert shown(rule, 1.5) == ("2 · x", 3.0)
    assert shown(rule, -1.5) == ("3 · x", -4.5)
    assert shown(rule) == ("", None)


def test_a_plain_function_without_a_name_or_a_number() -> None:
    assert shown(lambda xp, out, x: xp.map_scalar(lambda v: 2.0 * v, x), 1.0) == ("", None)
    assert shown(lambda xp, out, x: xp.map_scalar(math.log, x), -1.0) == ("log(x)", None)


def test_a_notebook_is_told_that_a_vjp_is_given_as_a_whole() -> None:
    op = elementwise("op", lambda xp, x: 2.0 * x, vjp=lambda xp, g, out, x: (2.0 * g,))
    assert '>vjp</td><td style="text-align:left">given as a whole<' in op_html(op)
