"""Numerical derivatives to compare with: central differences and the complex step."""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

from smolml_value import scalar
from smolml_value._ops.definition import Rule

_STEPS = 9
_SHRINK = 1.6


class Estimate(NamedTuple):
    """A derivative, and how far off it may be."""

    slope: float
    error: float


def derivative(f: Callable[[float], float], x: float, width: float) -> Estimate:
    """f'(x) by central differences, extrapolated to step 0.

    Ridders' method (1982; Press et al., Numerical Recipes, section 5.7): a tableau of Richardson
    extrapolations over shrinking steps; the entry that its neighbours contradict least wins.

    Args:
        f: a function of one number.
        x: where.
        width: how far around x to look at f.

    >>> import math
    >>> slope, error = derivative(math.sin, 1.0, 0.1)
    >>> abs(slope - math.cos(1.0)) < 1e-11, error < 1e-9
    (True, True)
    """
    step = width
    rounding = sys.float_info.epsilon * abs(f(x))
    before = [_central(f, x, step)]
    best = Estimate(before[0], math.inf)
    for _ in range(_STEPS):
        step /= _SHRINK
        row = [_central(f, x, step)]
        factor = _SHRINK**2
        for j, coarse in enumerate(before):
            row.append((factor * row[j] - coarse) / (factor - 1.0))
            factor *= _SHRINK**2
            error = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - coarse), rounding / step)
            if error <= best.error:
                best = Estimate(row[j + 1], error)
        before = row
    return best


def _central(f: Callable[[float], float], x: float, step: float) -> float:
    right, left = x + step, x - step
    return (f(right) - f(left)) / (right - left)  # the step as it was rounded


_TINY = 1e-30


class _Step(complex):
    """x + ih: compares by its real part, so that rules with branches take theirs."""

    __slots__ = ()

    def __add__(self, other: complex) -> _Step:
        return _Step(complex(self) + other)

    def __sub__(self, other: complex) -> _Step:
        return _Step(complex(self) - other)

    def __rsub__(self, other: complex) -> _Step:
        return _Step(other - complex(self))

    def __mul__(self, other: complex) -> _Step:
        return _Step(complex(self) * other)

    def __truediv__(self, other: complex) -> _Step:
        return _Step(complex(self) / other)

    def __rtruediv__(self, other: complex) -> _Step:
        return _Step(other / complex(self))

    def __pow__(self, other: complex, mod: None = None) -> _Step:
        return _Step(complex(self) ** other)

    def __rpow__(self, other: complex, mod: None = None) -> _Step:
        return _Step(other ** complex(self))

    def __neg__(self) -> _Step:
        return _Step(-complex(self))

    def __abs__(self) -> _Step:  # type: ignore[override]  # |x| continued along the real axis
        return -self if self.real < 0 else self

    def __lt__(self, other: complex) -> bool:
        return self.real < other.real

    def __le__(self, other: complex) -> bool:
        return self.real <= other.real

    def __gt__(self, other: complex) -> bool:
        return self.real > other.real

    def __ge__(self, other: complex) -> bool:
        return self.real >= other.real

    __radd__ = __add__
    __rmul__ = __mul__


def _continued(f: Callable[[complex], complex]) -> Callable[[complex], complex]:
    return lambda x: _Step(f(x))


def _log1p(x: complex) -> complex:
    return complex(math.log1p(x.real), x.imag / (1.0 + x.real))  # exact for a tiny step


def _expm1(x: complex) -> complex:
    return complex(math.expm1(x.real), x.imag * math.exp(x.real))


_ELEMENTARY: dict[str, Callable[[complex], complex]] = {
    **{
        name: getattr(cmath, name)
        for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp")
    },
    **{name: getattr(cmath, name) for name in ("log", "log10", "sin", "sinh", "sqrt", "tan")},
    "tanh": cmath.tanh,
    "expm1": _expm1,
    "log1p": _log1p,
    "log2": lambda x: cmath.log(x) / math.log(2.0),
    "square": lambda x: x * x,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "reciprocal": lambda x: 1.0 / x,
}
_COMPLEX = SimpleNamespace(
    **{name: _continued(f) for name, f in _ELEMENTARY.items()},
    abs=abs,
    add=lambda x, y: x + y,
    subtract=lambda x, y: x - y,
    multiply=lambda x, y: x * y,
    divide=lambda x, y: x / y,
    pow=lambda x, y: x**y,
    maximum=lambda x, y: x if x > y else y,
    minimum=lambda x, y: x if x < y else y,
    where=lambda condition, x, y: x if condition else y,
    **{name: getattr(scalar, name) for name in ("pi", "e", "inf", "nan")},
)


def complex_step(forward: Rule, point: tuple[float, ...], i: int) -> float | None:
    """d forward / d operand i from the imaginary part of forward(x + ih); None if it has none.

    Exact to rounding, since nothing is subtracted (Squire & Trapp 1998), but only where the
    forward is made of functions that have a continuation to complex numbers.

    >>> complex_step(lambda xp, x: xp.exp(x) * x, (0.0,), 0)
    1.0
    """
    args: list[Any] = [_Step(x) for x in point]
    args[i] = _Step(complex(point[i], _TINY))
    try:
        out = forward(_COMPLEX, *args)
    except Exception:  # a function without a continuation may do anything with such a number
        return None
    if not isinstance(out, complex) or not cmath.isfinite(out):
        return None
    return out.imag / _TINY
