"""Difference quotients of functions of several numbers, with an estimate of their error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

Vector = list[float]
Flat = Callable[[Vector], Vector]

_SHRINK = 10.0
_TRIALS = 4


class Quotient(NamedTuple):
    """The derivative along a direction: per element of the result a slope and its error."""

    slope: Vector
    error: Vector
    step: float


def central(f: Flat, x: Vector, u: Vector, epsilon: float, step: float | None = None) -> Quotient:
    """The derivative of f at x along u.

    Central differences over h and h / 2, extrapolated: (4 D(h/2) - D(h)) / 3 is wrong by a
    multiple of h**4 and of epsilon |f| / h. These balance at h = epsilon**(1/5), relative to the
    size of x; where the two quotients contradict each other (a short scale, a kink nearby), h is
    made smaller.

    Args:
        f: from n numbers to m.
        x: where.
        u: the direction.
        epsilon: the relative error of one evaluation.
        step: h, where the usual one does not suit; it is then not made smaller.

    Source: L. F. Richardson (1911); Press et al., Numerical Recipes, section 5.7.

    >>> slope, error, step = central(lambda x: [x[0] ** 3], [2.0], [1.0], 2.0**-52)
    >>> abs(slope[0] - 12.0) < 1e-10, error[0] < 1e-6
    (True, True)
    """
    if step is not None:
        return _extrapolated(f, x, u, epsilon, step)
    size = max((abs(a) for a, b in zip(x, u, strict=True) if b != 0.0), default=0.0)
    h = epsilon**0.2 * max(1.0, size)
    best: Quotient | None = None
    for _ in range(_TRIALS):
        found = _extrapolated(f, x, u, epsilon, h)
        if best is None or _total(found.error) < _total(best.error):
            best = found
        scale = max(map(abs, found.slope), default=0.0)
        if all(e <= epsilon**0.6 * (1.0 + scale) for e in found.error):
            break
        h /= _SHRINK
    assert best is not None
    return best


def _total(errors: Vector) -> float:
    total = sum(errors)
    return math.inf if math.isnan(total) else total


def _extrapolated(f: Flat, x: Vector, u: Vector, epsilon: float, h: float) -> Quotient:
    (wide, size), (narrow, _) = _slope(f, x, u, h), _slope(f, x, u, h / 2.0)
    slope = [(4.0 * b - a) / 3.0 for a, b in zip(wide, narrow, strict=True)]
    error = [
        0.1 * abs(b - a) + 4.0 * epsilon * s / h for a, b, s in zip(wide, narrow, size, strict=True)
    ]
    return Quotient(slope, error, h)


def _slope(f: Flat, x: Vector, u: Vector, h: float) -> tuple[Vector, Vector]:
    right, left = f(moved(x, u, h)), f(moved(x, u, -h))
    return (
        [(a - b) / (2.0 * h) for a, b in zip(right, left, strict=True)],
        [max(abs(a), abs(b)) for a, b in zip(right, left, strict=True)],
    )


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
