"""Why a derivative may be wrong: what the pattern of the misfits suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Misfit(NamedTuple):
    """One slope, automatic and numerical.

    Attributes:
        argument: what the derivative is by.
        output: of what it is.
        automatic: the slope that a rule gave.
        numerical: that of a difference quotient.
        error: an estimate of how wrong the latter may be.
        step: the step it was taken with.
        direction: along which it was taken.
        row: the place of the element of the result; None if it is a mixture of them.
        rtol: the relative tolerance.
        scale: the largest slope of all.
    """

    argument: str
    output: str
    automatic: float
    numerical: float
    error: float
    step: float
    direction: list[float]
    row: int | None
    rtol: float
    scale: float

    @property
    def distance(self) -> float:
        """How far they are apart; infinite if one of them is not finite."""
        d = abs(self.automatic - self.numerical)
        return math.inf if math.isnan(d) else d

    @property
    def is_wrong(self) -> bool:
        """Whether they are farther apart than rounding and the step explain."""
        size = max(abs(self.automatic), abs(self.numerical)) + 1e-3 * self.scale
        allowed = self.rtol * size
        # an error estimate beyond any proportion excuses nothing
        excused = min(self.error, 1e3 * self.rtol * (size + 1.0))
        return not self.distance <= allowed + excused


def likely_reason(misfits: Sequence[Misfit], slopes: tuple[float, float] | None, order: int) -> str:
    """The reason in words.

    Args:
        misfits: all slopes that are wrong.
        slopes: left and right of the point, of the worst one.
        order: the order of the derivative.
    """
    worst = max(misfits, key=lambda m: m.distance)
    if not math.isfinite(worst.numerical):
        return "the function is not finite near this point; choose a point inside its domain"
    if not math.isfinite(worst.automatic):
        return (
            f"the rule gives {worst.automatic} where the function is smooth: 0 * inf, 0 / 0, or "
            f"inf - inf inside it; write the formula so that no such term comes up"
        )
    if worst.error > 0.02 * worst.distance:  # at a jump they grow like 1 / step
        return (
            "the difference quotients do not settle: a jump, a kink nearby or noise; move the "
            "point, or pass step="
        )
    if slopes is not None and _differ(*slopes, worst.rtol):
        return (
            f"not a smooth point: the slope is {slopes[0]:.6g} to the left and {slopes[1]:.6g} to "
            f"the right; move the point away from the kink"
        )
    if all(m.automatic == 0.0 for m in misfits):
        return (
            "the dependence is lost: the argument is turned into a plain number on the way "
            "(float(x), x.data, no_grad, stop_gradient), or the partial is None or 0"
            + _higher(order)
        )
    if all(abs(m.numerical) <= m.error + m.rtol * m.scale * 1e-3 for m in misfits):
        return "the function does not change with this argument, but the rule says it does"
    ratio = _common_ratio(misfits)
    if ratio is not None:
        reason = _of_ratio(ratio, len(misfits))
        if reason:
            return reason
    if order > 1:
        return (
            "the derivative of lower order is right, but its rule depends on the argument in a "
            "way that is not differentiated: a plain number, or a term, is missing in it"
        )
    return "a term of the rule is missing or wrong"


def _differ(left: float, right: float, rtol: float) -> bool:
    return abs(left - right) > max(1e3 * rtol, 1e-2) * max(abs(left), abs(right))


def _higher(order: int) -> str:
    if order == 1:
        return ""
    return "; the derivative of lower order is right, but computed with plain numbers"


def _common_ratio(misfits: Sequence[Misfit]) -> float | None:
    """automatic / numerical, if it is the same for all."""
    ratios = [m.automatic / m.numerical for m in misfits if m.numerical != 0.0]
    if not ratios or len(ratios) < len(misfits):
        return None
    worst = max(misfits, key=lambda m: m.distance)
    ratio = worst.automatic / worst.numerical
    same = all(
        abs(m.automatic - ratio * m.numerical)
        <= 10 * m.rtol * abs(m.automatic) + abs(ratio) * m.error
        for m in misfits
    )
    return ratio if same else None


def _of_ratio(ratio: float, count: int) -> str:
    """The reason for a ratio that `count` slopes have in common; "" for none that is known."""
    if abs(ratio + 1.0) < 1e-3:
        return "a wrong sign"
    if abs(ratio - 0.5) < 1e-3:
        return (
            "a factor: the automatic slope is half the numerical one; is one of two equal factors "
            "turned into a plain number (x * x.data)?"
        )
    for n in range(2, 1001 if count > 1 else 21):
        for shown, factor in ((f"{n}", float(n)), (f"1/{n}", 1.0 / n)):
            if abs(abs(ratio) - factor) < 1e-3 * factor:
                sign = "-" if ratio < 0 else ""
                axis = f"; is a sum over an axis of length {n} one too many, or missing?"
                return (
                    f"a factor: the automatic slope is {sign}{shown} times the numerical one"
                    f"{axis if n > 2 else ''}"
                )
    if count > 1:
        return f"a factor: the automatic slope is {ratio:.6g} times the numerical one"
    return ""
