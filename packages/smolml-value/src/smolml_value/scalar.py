"""The namespace for plain floats: array-API names, IEEE 754 answers.

Python's own floats raise (`1 / 0`, `math.exp(1000)`, `math.log(0)`) or turn complex
(`(-8) ** (1 / 3)`) where IEEE 754, NumPy and PyTorch answer inf or nan. This module is where
that is put right: every function takes floats and returns a float (or a bool) and never raises
for a float argument.

>>> divide(1.0, 0.0), exp(1000.0), log(0.0), pow(-8.0, 1 / 3)
(inf, inf, -inf, nan)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

_Unary = Callable[[float], float]
_Binary = Callable[[float, float], float]
_Test = Callable[[float], bool]
_Comparison = Callable[[float, float], bool]

pi: float = math.pi
e: float = math.e
inf: float = math.inf
nan: float = math.nan


def _unary(f: _Unary, at_error: _Unary = lambda x: nan) -> _Unary:
    """`f`, with the IEEE answer of `at_error(x)` where `math` raises."""

    def ieee(x: float, /) -> float:
        try:
            return f(x)
        except (ValueError, OverflowError):
            return at_error(x)

    ieee.__name__ = ieee.__qualname__ = f.__name__
    ieee.__doc__ = f"`math.{f.__name__}(x)` with the IEEE 754 answer where `math` raises."
    return ieee


def _log_error(x: float) -> float:
    return -inf if x == 0.0 else nan


exp: _Unary = _unary(math.exp, lambda x: inf)
expm1: _Unary = _unary(math.expm1, lambda x: inf)
log: _Unary = _unary(math.log, _log_error)
log2: _Unary = _unary(math.log2, _log_error)
log10: _Unary = _unary(math.log10, _log_error)
log1p: _Unary = _unary(math.log1p, lambda x: -inf if x == -1.0 else nan)
sqrt: _Unary = _unary(math.sqrt)
sin: _Unary = _unary(math.sin)
cos: _Unary = _unary(math.cos)
tan: _Unary = _unary(math.tan)
asin: _Unary = _unary(math.asin)
acos: _Unary = _unary(math.acos)
sinh: _Unary = _unary(math.sinh, lambda x: math.copysign(inf, x))
cosh: _Unary = _unary(math.cosh, lambda x: inf)
acosh: _Unary = _unary(math.acosh)
atanh: _Unary = _unary(math.atanh, lambda x: math.copysign(inf, x) if abs(x) == 1.0 else nan)
atan: _Unary = math.atan
tanh: _Unary = math.tanh
asinh: _Unary = math.asinh
atan2: _Binary = math.atan2
hypot: Callable[..., float] = math.hypot
copysign: _Binary = math.copysign
isnan: _Test = math.isnan
isinf: _Test = math.isinf
isfinite: _Test = math.isfinite

add: _Binary = operator.add
subtract: _Binary = operator.sub
multiply: _Binary = operator.mul
negative: _Unary = operator.neg
positive: _Unary = operator.pos
equal: _Comparison = operator.eq
not_equal: _Comparison = operator.ne
less: _Comparison = operator.lt
less_equal: _Comparison = operator.le
greater: _Comparison = operator.gt
greater_equal: _Comparison = operator.ge
abs: _Unary = math.fabs


def divide(x: float, y: float, /) -> float:
    """x / y; 1 / 0 is inf, -1 / 0 is -inf, 0 / 0 is nan, and the sign of a zero counts."""
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or isnan(x):
            return nan
        return math.copysign(inf, x) * math.copysign(1.0, y)


def reciprocal(x: float, /) -> float:
    """1 / x."""
    return divide(1.0, x)


def pow(x: float, y: float, /) -> float:
    """x ** y; a negative base with a fractional exponent is nan, 0 to a negative power inf."""
    if y == 2.0:  # as exact as can be, and equal on every backend
        return x * x
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and y % 2.0 == 1.0 else inf
    except ValueError:
        if x == 0.0:  # a negative exponent: 1 / 0
            return math.copysign(inf, x) if y % 2.0 == 1.0 else inf
        return nan


def floor_divide(x: float, y: float, /) -> float:
    """floor(x / y)."""
    return x // y if y != 0.0 else divide(x, y)


def remainder(x: float, y: float, /) -> float:
    """x - y * floor(x / y): the sign of the divisor, as Python's and NumPy's `%`."""
    return x % y if y != 0.0 and not isinf(x) else nan


def square(x: float, /) -> float:
    """x * x."""
    return x * x


def maximum(x: float, y: float, /) -> float:
    """The larger of the two; nan if either is nan."""
    return x if x > y or isnan(x) else y


def minimum(x: float, y: float, /) -> float:
    """The smaller of the two; nan if either is nan."""
    return x if x < y or isnan(x) else y


def clip(x: float, /, min: float | None = None, max: float | None = None) -> float:
    """x held between `min` and `max`; None leaves that side open."""
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


def sign(x: float, /) -> float:
    """-1, 0 or 1; nan for nan."""
    return x if isnan(x) else float((x > 0.0) - (x < 0.0))


def signbit(x: float, /) -> bool:
    """Whether the sign bit is set (so also for -0.0)."""
    return math.copysign(1.0, x) < 0.0


def _rounding(f: Callable[[float], int], name: str) -> _Unary:
    def ieee(x: float, /) -> float:
        return math.copysign(float(f(x)), x) if isfinite(x) else x

    ieee.__name__ = ieee.__qualname__ = name
    ieee.__doc__ = f"`{name}(x)` as a float; inf and nan stay what they are."
    return ieee


ceil: _Unary = _rounding(math.ceil, "ceil")
trunc: _Unary = _rounding(math.trunc, "trunc")
round: _Unary = _rounding(round, "round")  # to even at .5


def floor(x: float, /) -> float:
    """The largest whole number not above x; inf and nan stay what they are."""
    return float(math.floor(x)) if isfinite(x) and x != 0.0 else x


def logaddexp(x: float, y: float, /) -> float:
    """log(exp(x) + exp(y)) without overflow: max + log1p(exp(-|x - y|))."""
    if x == y:  # also inf and inf, whose difference is nan
        return x + math.log(2.0)
    top = maximum(x, y)
    return top + math.log1p(math.exp(-math.fabs(x - y)))


def logical_and(x: float, y: float, /) -> bool:
    """Whether both are non-zero."""
    return bool(x) and bool(y)


def logical_or(x: float, y: float, /) -> bool:
    """Whether at least one is non-zero."""
    return bool(x) or bool(y)


def logical_xor(x: float, y: float, /) -> bool:
    """Whether exactly one is non-zero."""
    return bool(x) != bool(y)


def logical_not(x: float, /) -> bool:
    """Whether x is zero."""
    return not x


def where(condition: float, x: float, y: float, /) -> float:
    """x where the condition holds, else y."""
    return x if condition else y


def map_scalar(f: Callable[..., float], /, *xs: float) -> float:
    """f(*xs): what a backend does with a plain float function for each element."""
    return f(*xs)
