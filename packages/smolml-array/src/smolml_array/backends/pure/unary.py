"""Element-wise functions of one pure array: C-level idioms first, IEEE answers where they raise.

`list(map(math.exp, a))` runs at C speed but raises for exp(1000); then the slower
`list(map(scalar.exp, a))`, which answers inf, does the whole array again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from smolml_array.backends.protocol import Unary
from smolml_array.backends.pure.dtypes import bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_value import scalar

_F1 = Callable[[Any], Any]


def named(f: Any, name: str, doc: str) -> Any:
    """f under the name and docstring that it has in the namespace."""
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


def _float_unary(name: str, quick: _F1, safe: _F1) -> Unary:
    """A function that answers in float64."""

    def function(x: Any, /) -> NDArray:
        x = cast(as_array(x, name), float64)
        try:
            return NDArray(list(map(quick, x.flat)), x.shape, float64)
        except (ArithmeticError, ValueError):
            return NDArray(list(map(safe, x.flat)), x.shape, float64)

    return named(function, name, f"{name} of each element: float64.")  # type: ignore[no-any-return]


_OF_MATH = (
    "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan "
    "tanh"
)
for _name in _OF_MATH.split():
    globals()[_name] = _float_unary(_name, getattr(math, _name), getattr(scalar, _name))
reciprocal: Unary = _float_unary("reciprocal", (1.0).__truediv__, scalar.reciprocal)


def _rounding(name: str, f: _F1) -> Unary:
    """A function to whole numbers, which leaves int64 and bool as they are."""

    def function(x: Any, /) -> NDArray:
        x = as_array(x, name)
        return NDArray(list(map(f, x.flat)), x.shape, float64) if x.dtype is float64 else x

    return named(function, name, f"{name} of each element, in the same dtype.")  # type: ignore[no-any-return]


ceil: Unary = _rounding("ceil", scalar.ceil)
floor: Unary = _rounding("floor", scalar.floor)
round: Unary = _rounding("round", scalar.round)
trunc: Unary = _rounding("trunc", scalar.trunc)


def _test(name: str, f: _F1) -> Unary:
    """A function that answers in bool."""

    def function(x: Any, /) -> NDArray:
        x = as_array(x, name)
        return NDArray(list(map(f, x.flat)), x.shape, bool_)

    return named(function, name, f"{name} of each element: bool.")  # type: ignore[no-any-return]


isfinite: Unary = _test("isfinite", math.isfinite)
isinf: Unary = _test("isinf", math.isinf)
isnan: Unary = _test("isnan", math.isnan)
logical_not: Unary = _test("logical_not", operator.not_)
signbit: Unary = _test("signbit", scalar.signbit)


def _numeric(name: str, x: Any) -> NDArray:
    array = as_array(x, name)
    if array.dtype is bool_:
        raise TypeError(f"{name}: expected float64 or int64, got bool; use logical_not or astype")
    return array


def negative(x: Any, /) -> NDArray:
    """-x; not of bool."""
    x = _numeric("negative", x)
    flat = list(map(operator.neg, x.flat))
    return NDArray(flat if x.dtype is float64 else wrapped(flat), x.shape, x.dtype)


def positive(x: Any, /) -> NDArray:
    """+x, which is x; not of bool."""
    return _numeric("positive", x)


def sign(x: Any, /) -> NDArray:
    """-1, 0 or 1; nan of nan; not of bool."""
    x = _numeric("sign", x)
    if x.dtype is float64:
        return NDArray(list(map(scalar.sign, x.flat)), x.shape, float64)
    return NDArray([(v > 0) - (v < 0) for v in x.flat], x.shape, int64)


def abs(x: Any, /) -> NDArray:
    """The absolute value."""
    array = as_array(x, "abs")
    if array.dtype is float64:
        return NDArray(list(map(math.fabs, array.flat)), array.shape, float64)
    if array.dtype is bool_:
        return array
    return NDArray(wrapped(list(map(operator.abs, array.flat))), array.shape, int64)


def square(x: Any, /) -> NDArray:
    """x * x; of bool as int64."""
    x = as_array(x, "square")
    flat = list(map(operator.mul, x.flat, x.flat))
    if x.dtype is float64:
        return NDArray(flat, x.shape, float64)
    return NDArray(wrapped(flat), x.shape, int64)


def bitwise_invert(x: Any, /) -> NDArray:
    """All bits flipped; of bool: not."""
    x = as_array(x, "bitwise_invert")
    if x.dtype is float64:
        raise TypeError("bitwise_invert: expected int64 or bool, got float64")
    return NDArray(list(map(_not if x.dtype is bool_ else operator.inv, x.flat)), x.shape, x.dtype)


_not = operator.not_
