"""Why a derivative may be wrong: what the pattern of the mismatches suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from smolml_value._checking.close import close
from smolml_value.op import Op

_HIGHER = "; the derivative of lower order is right, but computed with plain numbers"
MATH: Final = ": are functions of math used in place of those of xp?"


class Mismatch(NamedTuple):
    """One slope, automatic and numerical.

    Attributes:
        argument: what the derivative is by.
        output: of what it is.
        automatic: the slope that a rule gave.
        numerical: that of a finite difference.
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
    scale: float = 0.0

    @property
    def distance(self) -> float:
        """How far they are apart; infinite if one of them is not finite."""
        d = abs(self.automatic - self.numerical)
        return math.inf if math.isnan(d) else d

    @property
    def is_wrong(self) -> bool:
        """Whether they are farther apart than rounding and the step explain."""
        size = max(abs(self.automatic), abs(self.numerical)) + 1e-3 * self.scale
        # an error estimate beyond any proportion excuses nothing
        excused = min(self.error, 1e3 * self.rtol * (size + 1.0))
        allowed = self.rtol * size + excused
        known = math.isfinite(self.numerical)
        return not (known and close(self.automatic, self.numerical, absolute=allowed))


def likely_reason(
    mismatches: Sequence[Mismatch], slopes: tuple[float, float] | None, order: int
) -> str:
    """The reason in words.

    Args:
        mismatches: all slopes that are wrong.
        slopes: left and right of the point, of the worst one.
        order: the order of the derivative.
    """
    worst = max(mismatches, key=lambda m: m.distance)
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
    if slopes is not None and not close(*slopes, max(1e3 * worst.rtol, 1e-2)):
        return (
            f"not a smooth point: the slope is {slopes[0]:.6g} to the left and {slopes[1]:.6g} to "
            f"the right; move the point away from the kink"
        )
    if all(m.automatic == 0.0 for m in mismatches):
        return (
            "the dependence is lost: the argument is turned into a plain number on the way "
            "(float(x), x.data, no_grad, stop_gradient), or the partial is None or 0"
            f"{'' if order == 1 else _HIGHER}"
        )
    if all(abs(m.numerical) <= m.error + m.rtol * m.scale * 1e-3 for m in mismatches):
        return "the function does not change with this argument, but the rule says it does"
    factor = _common_factor(mismatches, worst)
    if factor:
        return factor
    if order > 1:
        return (
            "the derivative of lower order is right, but its rule depends on the argument in a "
            "way that is not differentiated: a plain number, or a term, is missing in it"
        )
    return "a term of the rule is missing or wrong"


def _common_factor(mismatches: Sequence[Mismatch], worst: Mismatch) -> str:
    """The reason for a ratio automatic / numerical that all have; "" if there is none known."""
    if any(m.numerical == 0.0 for m in mismatches):
        return ""
    ratio, count = worst.automatic / worst.numerical, len(mismatches)
    for m in mismatches:
        if not close(m.automatic, ratio * m.numerical, 10 * m.rtol, abs(ratio) * m.error):
            return ""
    if abs(ratio + 1.0) < 1e-3:
        return "a wrong sign"
    slope = "a factor: the automatic slope is"
    if abs(ratio - 0.5) < 1e-3:
        return (
            f"{slope} half the numerical one; is one of two equal factors turned into a plain "
            f"number (x * x.data)?"
        )
    n = _whole(ratio, 1e-3)
    if 2 <= n <= (1000 if count > 1 else 20):
        shown = f"{'-' if ratio < 0 else ''}{n if abs(ratio) > 1 else f'1/{n}'}"
        axis = f"; is a sum over an axis of length {n} one too many, or missing?"
        return f"{slope} {shown} times the numerical one{axis if n > 2 else ''}"
    return f"{slope} {ratio:.6g} times the numerical one" if count > 1 else ""


def _whole(ratio: float, tolerance: float) -> int:
    """The n for which a ratio is n or 1 / n, but for its sign; 0 if there is none."""
    larger = max(abs(ratio), 1.0 / abs(ratio)) if ratio else math.inf
    n = round(larger) if math.isfinite(larger) else 0
    return n if close(larger, n, tolerance) else 0


def reason_of_op(op: Op, got: Sequence[float], wanted: float, i: int) -> str:
    """Why the derivative to operand i may be wrong at one point, in words to end a message with.

    Args:
        op: whose rules are checked.
        got: the derivatives to all operands by its rules.
        wanted: what the one to operand i should be.
        i: which operand.
    """
    mine = got[i]
    if math.isnan(mine) or wanted == 0.0:
        return ""
    if close(mine, -wanted, 1e-6):
        return ": the sign is wrong"
    if op.vjp is not None and close(3.0 * mine, wanted, 1e-6):  # 3: see Subject.gradient
        return ": the vjp does not multiply by its g"
    if mine == 0.0:
        if op.partials is not None and op.partials[i] is None:
            return ": its partial is None, which says that there is none"
        return MATH if op.is_composite else ""
    if any(close(g, wanted, 1e-6) for j, g in enumerate(got) if j != i):
        return ": are the partials in the order of the operands?"
    return f": off by a factor of {mine / wanted:.6g}" if _whole(mine / wanted, 1e-6) > 1 else ""
