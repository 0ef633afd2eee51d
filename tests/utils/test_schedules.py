"""Schedules: their ends, what lies beyond them, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_utils import cosine_decay, linear_warmup, optimizers, step_decay

RATES = st.floats(0.0, 1e3)
STEPS = st.integers(1, 1000)


@given(RATES, RATES, STEPS)
def test_ends(rate: float, other: float, steps: int) -> None:
    assert cosine_decay(0, rate, steps, other) == pytest.approx(rate, rel=1e-12, abs=1e-12)
    assert linear_warmup(0, rate, steps, other) == other
    for beyond in (steps, steps + 1, 10 * steps):  # where they stay
        assert cosine_decay(beyond, rate, steps, other) == other
        assert linear_warmup(beyond, rate, steps, other) == pytest.approx(
            rate, rel=1e-12, abs=1e-12
        )
    assert step_decay(steps - 1, rate, steps) == rate
    assert step_decay(steps, rate, steps, 0.5) == 0.5 * rate


@given(st.integers(0, 999), STEPS)
def test_between(step: int, steps: int) -> None:
    done = min(step, steps) / steps
    half_angle = math.cos(0.5 * math.pi * done) ** 2
    assert cosine_decay(step, 2.0, steps, 1.0) == pytest.approx(1.0 + half_angle, rel=1e-14)
    assert linear_warmup(step, 2.0, steps, 1.0) == pytest.approx(1.0 + done, rel=1e-14)
    product = 2.0
    for _ in range(step // steps):
        product *= 0.5
    assert step_decay(step, 2.0, steps, 0.5) == product


@pytest.mark.parametrize("name", ["cosine_decay", "linear_warmup", "step_decay"])
def test_what_is_refused(name: str) -> None:
    schedule: Any = getattr(optimizers, name)
    for args, shown in (((-1, 0.1, 5), "step"), ((1, -0.1, 5), "rate"), ((1, math.nan, 5), "rate")):
        with pytest.raises(
            ValueError, match=rf"^{name}: {shown} must be a finite number, at least 0"
        ):
            schedule(*args)
    for steps in (0, -3):
        with pytest.raises(
            ValueError, match=rf"^{name}: (every|steps) must be above 0, got {steps}$"
        ):
            schedule(1, 0.1, steps)
    with pytest.raises(ValueError, match=rf"^{name}: (factor|end|start) must be a finite number"):
        schedule(1, 0.1, 5, -1.0)
    with pytest.raises(TypeError, match=rf"^{name}: rate: expected a number"):
        schedule(1, "0.1", 5)
