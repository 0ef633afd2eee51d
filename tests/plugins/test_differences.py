"""The numerical derivatives that ops are held against: right where they say that they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import ops
from smolml_value._checking.complex_step import complex_step
from smolml_value._checking.finite_differences import derivative

FUNCTIONS: list[tuple[str, Callable[[float], float], Callable[[float], float]]] = [
    ("sin", math.sin, math.cos),
    ("exp", math.exp, math.exp),
    ("tan", math.tan, lambda x: 1 + math.tan(x) ** 2),
    ("cubic", lambda x: x**3 - x, lambda x: 3 * x * x - 1),
    ("rational", lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
]


@pytest.mark.parametrize(("name", "f", "slope"), FUNCTIONS, ids=[n for n, _, _ in FUNCTIONS])
@given(x=st.floats(-1.2, 1.2))
def test_differences_are_as_good_as_they_claim(
    name: str, f: Callable[[float], float], slope: Callable[[float], float], x: float
) -> None:
    got = derivative(f, x, 0.05)
    assert abs(got.slope - slope(x)) <= 10 * got.error + 1e-13
    assert abs(got.slope - slope(x)) <= 1e-9 * (1 + abs(slope(x)))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6])
def test_differences_at_every_scale(scale: float) -> None:
    got = derivative(lambda x: math.sin(x / scale), 0.7 * scale, 0.05 * scale)
    assert got.slope == pytest.approx(math.cos(0.7) / scale, rel=1e-10)


@pytest.mark.parametrize("f", [abs, lambda x: float(x > 0), lambda x: max(x, 0.0)])
def test_a_kink_or_a_jump_shows_in_the_error(f: Callable[[float], float]) -> None:
    # nearer than the smallest step, but not at 0, where symmetric differences of |x| agree on 0
    assert derivative(f, 0.0003, 0.05).error > 1e-3


def test_steps_that_end_before_a_kink_are_trusted() -> None:
    got = derivative(abs, 0.01, 0.05)
    assert got.slope == 1.0
    assert got.error < 1e-12


def test_nan_is_not_taken_for_a_derivative() -> None:
    got = derivative(lambda x: math.nan, 0.0, 0.1)
    assert not got.error < 1e300


CONTINUED: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "log": lambda x: 1 / x, "sqrt": lambda x: 0.5 / math.sqrt(x),
    "sin": math.cos, "cos": lambda x: -math.sin(x), "tan": lambda x: 1 / math.cos(x) ** 2,
    "sinh": math.cosh, "cosh": math.sinh, "tanh": lambda x: 1 / math.cosh(x) ** 2,
    "asin": lambda x: 1 / math.sqrt(1 - x * x), "acos": lambda x: -1 / math.sqrt(1 - x * x),
    "atan": lambda x: 1 / (1 + x * x), "asinh": lambda x: 1 / math.sqrt(1 + x * x),
    "atanh": lambda x: 1 / (1 - x * x), "expm1": math.exp, "log1p": lambda x: 1 / (1 + x),
    "log2": lambda x: 1 / (x * math.log(2)), "log10": lambda x: 1 / (x * math.log(10)),
    "abs": lambda x: 1.0, "relu": lambda x: 1.0, "square": lambda x: 2 * x,
    "sigmoid": lambda x: 0.25 / math.cosh(x / 2) ** 2,
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUED)
@given(x=st.floats(0.05, 0.95))
def test_the_complex_step_is_exact(name: str, x: float) -> None:
    got = complex_step(ops[name].forward, (x,), 0)
    assert got == pytest.approx(CONTINUED[name](x), rel=1e-14)


@given(x=st.floats(0.1, 2.0), y=st.floats(0.1, 2.0))
def test_of_several_operands(x: float, y: float) -> None:
    def forward(xp: Any, x: Any, y: Any) -> Any:
        return xp.where(x > y, x**y, y / x) - xp.maximum(x, 2 * y) + 1

    dx, dy = (complex_step(forward, (x, y), i) for i in range(2))
    bigger = x > 2 * y
    wanted_x = (y * x ** (y - 1) if x > y else -y / (x * x)) - bigger
    wanted_y = (x**y * math.log(x) if x > y else 1 / x) - 2 * (not bigger)
    assert dx == pytest.approx(wanted_x, rel=1e-12, abs=1e-12)
    assert dy == pytest.approx(wanted_y, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ["erf", "floor", "gelu"])
def test_where_there_is_no_continuation_there_is_no_answer(name: str) -> None:
    assert complex_step(ops[name].forward, (0.5,), 0) is None
