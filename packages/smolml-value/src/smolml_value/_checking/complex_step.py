"""The complex step: derivatives to the last digit, of what continues to complex numbers."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from smolml_value import scalar
from smolml_value._ops.definition import Rule

_TINY = 1e-30
_OPERATORS = "add radd sub rsub mul rmul truediv rtruediv pow rpow neg"
_OF_CMATH = "acos acosh asin asinh atan atanh cos cosh exp log log10 sin sinh sqrt tan tanh"
_AS_ON_FLOATS = "pi e inf nan add subtract multiply where"


class _Step(complex):
    """x + ih: compares by its real part, so that rules with branches take theirs."""

    __slots__ = ()

    def __abs__(self) -> _Step:  # type: ignore[override]  # |x| continued along the real axis
        return _Step(-complex(self) if self.real < 0 else self)


def _continued(f: Callable[..., complex]) -> Callable[..., _Step]:
    return lambda *xs: _Step(f(*xs))


def _by_real_part(compare: Callable[[float, float], bool]) -> Callable[[complex, complex], bool]:
    return lambda x, y: compare(x.real, y.real)


for _name in _OPERATORS.split():
    setattr(_Step, f"__{_name}__", _continued(getattr(complex, f"__{_name}__")))
for _compare in (operator.lt, operator.le, operator.gt, operator.ge):
    setattr(_Step, f"__{_compare.__name__}__", _by_real_part(_compare))


_ELEMENTARY: dict[str, Callable[[complex], complex]] = {
    **{name: getattr(cmath, name) for name in _OF_CMATH.split()},
    # these two are exact for a tiny step
    "expm1": lambda x: complex(math.expm1(x.real), x.imag * math.exp(x.real)),
    "log1p": lambda x: complex(math.log1p(x.real), x.imag / (1.0 + x.real)),
    "log2": lambda x: cmath.log(x) / math.log(2.0),
    "square": lambda x: x * x,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "reciprocal": lambda x: 1.0 / x,
}
_COMPLEX = SimpleNamespace(
    **{name: _continued(f) for name, f in _ELEMENTARY.items()},
    abs=abs,
    divide=operator.truediv,
    pow=operator.pow,
    maximum=lambda x, y: x if x > y else y,
    minimum=lambda x, y: x if x < y else y,
    **{name: getattr(scalar, name) for name in _AS_ON_FLOATS.split()},
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
