"""The one finite difference: slopes of functions of numbers, with an estimate of their error."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

Vector = list[float]
Flat = Callable[[Vector], Vector]

_ROUNDINGS = 30.0  # how many of them an evaluation may add up to
_IN_A_WINDOW = 7  # halvings: from the whole window to 1 / 128 of it
_ANYWHERE = 18


class Slopes(NamedTuple):
    """The derivative along a direction: per element of the result a slope and its error."""

    slope: Vector
    error: Vector
    step: float


class Estimate(NamedTuple):
    """The derivative of a function of one number, and how far off it may be."""

    slope: float
    error: float


def derivative(f: Callable[[float], float], x: float, width: float) -> Estimate:
    """f'(x), looking at f no farther than `width` from x.

    >>> import math
    >>> slope, error = derivative(math.sin, 1.0, 0.1)
    >>> abs(slope - math.cos(1.0)) < 1e-11, error < 1e-9
    (True, True)
    """
    slope, error, _ = _extrapolated(
        lambda v: [f(v[0])], [x], [1.0], width, _IN_A_WINDOW, sys.float_info.epsilon, 0.0
    )
    return Estimate(slope[0], error[0])


def central(f: Flat, x: Vector, u: Vector, epsilon: float, step: float | None = None) -> Slopes:
    """The derivative of f at x along u.

    After one halving the error is a multiple of h**4 and of epsilon |f| / h, which balance at
    h = epsilon**(1/5), relative to the size of x; that is where it starts, and as a rule ends.

    Args:
        f: from n numbers to m.
        x: where.
        u: the direction.
        epsilon: the relative error of one rounding.
        step: h, where the usual one does not suit; it is then halved once and no more.

    >>> slope, error, step = central(lambda x: [x[0] ** 3], [2.0], [1.0], 2.0**-52)
    >>> abs(slope[0] - 12.0) < 1e-10, error[0] < 1e-6
    (True, True)
    """
    if step is not None:
        return _extrapolated(f, x, u, step, 1, epsilon, 0.0)
    size = max((abs(a) for a, b in zip(x, u, strict=True) if b != 0.0), default=0.0)
    h = epsilon**0.2 * max(1.0, size)
    return _extrapolated(f, x, u, h, _ANYWHERE, epsilon, 0.2 * epsilon**0.4)


def _extrapolated(
    f: Flat, x: Vector, u: Vector, step: float, halvings: int, epsilon: float, enough: float
) -> Slopes:
    """Central differences over h, h / 2, h / 4, ..., extrapolated to step 0.

    Ridders' method (1982; Press et al., Numerical Recipes, section 5.7): a tableau of Richardson
    extrapolations, of which for each element the entry wins whose two parents differ least. How
    much they do is its error: it is large at a kink of the slope, and beside one until the steps
    are small enough to miss it. It ends as soon as the errors are rounding, or relative to the
    slopes `enough`.
    """
    before: list[Vector] = []  # the row above: the entries of order h**2, h**4, ...
    slope: Vector = []
    error: Vector = []
    least, used = math.inf, step
    for _ in range(halvings + 1):
        quotient, size = _quotient(f, x, u, step)
        rounding = _ROUNDINGS * epsilon * (1.0 + size / step)  # 1: terms that cancel in the rule
        row = [quotient]
        if not before:
            slope, error = list(quotient), [math.inf] * len(quotient)
        for j, coarse in enumerate(before):
            factor = 4.0 ** (j + 1) - 1.0
            row.append([a + (a - b) / factor for a, b in zip(row[j], coarse, strict=True)])
            for k, (best, near, far) in enumerate(zip(row[-1], row[j], coarse, strict=True)):
                doubt = abs(near - far) + rounding
                if doubt <= error[k]:
                    slope[k], error[k] = best, doubt
        worst = max(error, default=0.0)
        if worst < least:
            least, used = worst, 2.0 * step
        largest = max(map(abs, slope), default=0.0)
        if before and worst < math.inf and worst <= max(enough * (1.0 + largest), 2.0 * rounding):
            break
        before, step = row, step / 2.0
    return Slopes(slope, error, used)


def _quotient(f: Flat, x: Vector, u: Vector, h: float) -> tuple[Vector, float]:
    """The quotient over a step, and the largest number that went into it."""
    ends = moved(x, u, h), moved(x, u, -h)
    right, left = map(f, ends)
    i = max(range(len(u)), key=lambda i: abs(u[i]))
    span = (ends[0][i] - ends[1][i]) / u[i]  # 2 h as it was rounded
    return (
        [(a - b) / span for a, b in zip(right, left, strict=True)],
        max(map(abs, [*right, *left]), default=0.0),
    )


def one_sided(f: Flat, x: Vector, u: Vector, h: float) -> tuple[Vector, Vector]:
    """The slopes to the left and to the right of x, which differ at a kink."""
    left, here, right = f(moved(x, u, -h)), f(x), f(moved(x, u, h))
    return (
        [(b - a) / h for a, b in zip(left, here, strict=True)],
        [(b - a) / h for a, b in zip(here, right, strict=True)],
    )


def moved(x: Sequence[float], u: Sequence[float], h: float) -> Vector:
    """x + h u."""
    return [a + h * b if b != 0.0 else a for a, b in zip(x, u, strict=True)]
