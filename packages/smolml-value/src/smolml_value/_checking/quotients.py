"""Difference quotients of functions of several numbers, with an estimate of their error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

Vector = list[float]
Flat = Callable[[Vector], Vector]

_ROUNDINGS = 30.0  # how many of them an evaluation may add up to
_SHRINK = 10.0
_TRIALS = 6


class Quotient(NamedTuple):
    """The derivative along a direction: per element of the result a slope and its error."""

    slope: Vector
    error: Vector
    step: float


def central(f: Flat, x: Vector, u: Vector, epsilon: float, step: float | None = None) -> Quotient:
    """The derivative of f at x along u.

    Central differences over h and h / 2, extrapolated: (4 D(h/2) - D(h)) / 3 is wrong by a
    multiple of h**4 and of epsilon |f| / h, which balance at h = epsilon**(1/5), relative to the
    size of x. The error is estimated by |D(h/2) - D(h)|, which holds at a kink of the slope, too.
    Where that is large (a short scale, a kink nearby, the end of the domain), h is made smaller.

    Args:
        f: from n numbers to m.
        x: where.
        u: the direction.
        epsilon: the relative error of one rounding.
        step: h, where the usual one does not suit; it is then not made smaller.

    Source: L. F. Richardson (1911); Press et al., Numerical Recipes, section 5.7.

    >>> slope, error, step = central(lambda x: [x[0] ** 3], [2.0], [1.0], 2.0**-52)
    >>> abs(slope[0] - 12.0) < 1e-10, error[0] < 1e-6
    (True, True)
    """
    if step is not None:
        return _extrapolated(f, x, u, epsilon, step)[0]
    size = max((abs(a) for a, b in zip(x, u, strict=True) if b != 0.0), default=0.0)
    h = epsilon**0.2 * max(1.0, size)
    best: Quotient | None = None
    for _ in range(_TRIALS):
        found, rounding = _extrapolated(f, x, u, epsilon, h)
        error = _largest(found.error)
        if best is None or error < _largest(best.error):
            best = found
        enough = 0.2 * epsilon**0.4 * (1.0 + _largest(found.slope))
        if math.isfinite(error) and error <= max(enough, 2.0 * rounding):
            break
        h /= _SHRINK
    assert best is not None
    return best


def _largest(numbers: Vector) -> float:
    """The largest absolute value; inf if one is nan."""
    return max((math.inf if math.isnan(a) else abs(a) for a in numbers), default=0.0)


def _extrapolated(
    f: Flat, x: Vector, u: Vector, epsilon: float, h: float
) -> tuple[Quotient, float]:
    """The slopes, and the part of their error that is rounding."""
    (wide, a), (narrow, b) = _slope(f, x, u, h), _slope(f, x, u, h / 2.0)
    rounding = _ROUNDINGS * epsilon * (1.0 + max(a, b) / h)  # 1: terms that cancel in the rule
    slope = [(4.0 * q - p) / 3.0 for p, q in zip(wide, narrow, strict=True)]
    error = [abs(q - p) + rounding for p, q in zip(wide, narrow, strict=True)]
    return Quotient(slope, error, h), rounding


def _slope(f: Flat, x: Vector, u: Vector, h: float) -> tuple[Vector, float]:
    """The quotient over a step, and the largest number that went into it."""
    right, left = f(moved(x, u, h)), f(moved(x, u, -h))
    slope = [(a - b) / (2.0 * h) for a, b in zip(right, left, strict=True)]
    return slope, max(map(abs, [*right, *left]), default=0.0)


def one_sided(f: Flat, x: Vector, u: Vector, h: float) -> tuple[Vector, Vector]:
    """The slopes to the left and to the right of x, which differ at a kink."""
    right, here, left = f(moved(x, u, h)), f(x), f(moved(x, u, -h))
    return (
        [(b - a) / h for a, b in zip(left, here, strict=True)],
        [(b - a) / h for a, b in zip(here, right, strict=True)],
    )


def moved(x: Sequence[float], u: Sequence[float], h: float) -> Vector:
    """x + h u."""
    return [a + h * b if b != 0.0 else a for a, b in zip(x, u, strict=True)]
