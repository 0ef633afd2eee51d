"""IEEE answers for rules written with Python's operators: a float whose `/` and `**` never raise.

A rule like `lambda xp, out, x: 1 / x` runs on plain floats first, at full speed. Only if that
raises (or turns complex) it runs again here, on `IEEEFloat` and a namespace that returns it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from smolml_value import scalar


def _answering(f: Callable[[float, float], float]) -> tuple[Any, Any]:
    """f as the method of an operator, and as that of the operator reflected."""

    def method(self: float, other: float) -> IEEEFloat:
        return IEEEFloat(f(float(self), float(other)))

    def reflected(self: float, other: float) -> IEEEFloat:
        return IEEEFloat(f(float(other), float(self)))

    return method, reflected


class IEEEFloat(float):
    """A float whose arithmetic answers as IEEE 754 does, and stays an IEEEFloat."""

    __slots__ = ()
    __add__, __radd__ = _answering(operator.add)
    __sub__, __rsub__ = _answering(operator.sub)
    __mul__, __rmul__ = _answering(operator.mul)
    __truediv__, __rtruediv__ = _answering(scalar.divide)
    __floordiv__, __rfloordiv__ = _answering(scalar.floor_divide)
    __mod__, __rmod__ = _answering(scalar.remainder)
    __pow__, __rpow__ = _answering(scalar.pow)

    def __neg__(self) -> IEEEFloat:
        return IEEEFloat(-float(self))

    def __pos__(self) -> IEEEFloat:
        return self

    def __abs__(self) -> IEEEFloat:
        return IEEEFloat(abs(float(self)))


def _lifted(f: Callable[..., Any]) -> Callable[..., Any]:
    def ieee(*args: Any, **kwargs: Any) -> Any:
        out = f(*args, **kwargs)
        return IEEEFloat(out) if type(out) is float else out

    return ieee


_NAMESPACE = SimpleNamespace(
    **{
        name: _lifted(f) if callable(f) else f
        for name, f in vars(scalar).items()
        if not name.startswith("_") and name not in {"annotations", "math", "operator"}
    }
)


def _number(out: Any) -> float:
    if isinstance(out, str | bytes):  # float() would read it
        raise TypeError(f"it gave {out!r}")
    return float(out)


def evaluate(f: Callable[..., Any], *args: float) -> float:
    """f(xp, *args) on floats, with IEEE answers whatever operators f uses.

    >>> evaluate(lambda xp, x: 1 / xp.sqrt(x), 0.0)
    inf
    """
    try:
        out = f(scalar, *args)
        if not isinstance(out, complex):
            return _number(out)
    except (ArithmeticError, ValueError):
        pass
    return _number(f(_NAMESPACE, *(IEEEFloat(a) if type(a) is float else a for a in args)))


def evaluate_all(f: Callable[..., Any], *args: float) -> Any:
    """The same for an f of several results: they are returned as they came.

    >>> evaluate_all(lambda xp, g, x: (g / x, None), 1.0, 0.0)[0]
    inf
    """
    try:
        out = f(scalar, *args)
        if not isinstance(out, tuple | list) or not any(isinstance(c, complex) for c in out):
            return out
    except (ArithmeticError, ValueError):
        pass
    return f(_NAMESPACE, *(IEEEFloat(a) if type(a) is float else a for a in args))


def or_nan(f: Callable[..., float]) -> Callable[..., float]:
    """f, with nan where it raises for a number: for plain functions, of which no more is known.

    >>> import math
    >>> or_nan(math.sqrt)(-1.0)
    nan
    """

    def guarded(*args: float) -> float:
        try:
            out = f(*args)
            return scalar.nan if isinstance(out, complex) else float(out)
        except (ArithmeticError, ValueError):
            return scalar.nan

    guarded.__dict__["__wrapped__"] = f  # a backend may know how to run f on whole arrays
    return guarded
