"""Element-wise functions of one pure array: C-level idioms first, IEEE answers where they raise.

`list(map(math.exp, a))` runs at C speed but raises for exp(1000); then the slower
`list(map(scalar.exp, a))`, which answers inf, does the whole array again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from smolml_array.backends.namespace import named
from smolml_array.backends.pure.dtypes import DType, bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import NO_FLOAT, as_array, cast
from smolml_array.backends.signatures import Unary
from smolml_value import scalar

_F1 = Callable[[Any], Any]


def _in_floats(name: str, quick: _F1, safe: _F1) -> Any:
    """A function that answers in float64."""

    def function(x: Any, /) -> NDArray:
        x = cast(as_array(x, name), float64)
        try:
            return NDArray(list(map(quick, x.flat)), x.shape, float64)
        except (ArithmeticError, ValueError):
            return NDArray(list(map(safe, x.flat)), x.shape, float64)

    return named(function, name, f"{name} of each element: float64.")


_OF_MATH = (
    "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan "
    "tanh"
)
for _name in _OF_MATH.split():
    globals()[_name] = _in_floats(_name, getattr(math, _name), getattr(scalar, _name))
reciprocal: Unary = _in_floats("reciprocal", (1.0).__truediv__, scalar.reciprocal)


def _by_dtype(name: str, *ways: _F1 | str, out: DType | None = None) -> Any:
    """A function that does something of its own to bools, to integers and to floats.

    The results have the dtype of the array, or `out`. A text in place of one of the three says
    why it is not defined for these.
    """

    def function(x: Any, /) -> NDArray:
        array = as_array(x, name)
        dtype = array.dtype
        f = ways[dtype.rank]
        if f is _as_they_are:
            return array
        if isinstance(f, str):
            raise TypeError(f"{name}: {f}")
        flat = list(map(f, array.flat))
        if out is None:
            return NDArray(wrapped(flat) if dtype is int64 else flat, array.shape, dtype)
        return NDArray(flat, array.shape, out)

    return named(function, name, f"{name} of each element.")


def _as_they_are(x: Any) -> Any:
    return x


def _int_sign(x: int) -> int:
    return (x > 0) - (x < 0)


_NO_BOOL = "expected float64 or int64, got bool; use logical_not or astype"
_WHOLE = (_as_they_are, _as_they_are)  # bools and integers need no rounding

abs: Unary = _by_dtype("abs", _as_they_are, operator.abs, math.fabs)
bitwise_invert: Unary = _by_dtype("bitwise_invert", operator.not_, operator.inv, NO_FLOAT)
ceil: Unary = _by_dtype("ceil", *_WHOLE, scalar.ceil)
floor: Unary = _by_dtype("floor", *_WHOLE, scalar.floor)
negative: Unary = _by_dtype("negative", _NO_BOOL, operator.neg, operator.neg)
positive: Unary = _by_dtype("positive", _NO_BOOL, _as_they_are, _as_they_are)
round: Unary = _by_dtype("round", *_WHOLE, scalar.round)
sign: Unary = _by_dtype("sign", _NO_BOOL, _int_sign, scalar.sign)
trunc: Unary = _by_dtype("trunc", *_WHOLE, scalar.trunc)

isfinite: Unary = _by_dtype("isfinite", *[math.isfinite] * 3, out=bool_)
isinf: Unary = _by_dtype("isinf", *[math.isinf] * 3, out=bool_)
isnan: Unary = _by_dtype("isnan", *[math.isnan] * 3, out=bool_)
logical_not: Unary = _by_dtype("logical_not", *[operator.not_] * 3, out=bool_)
signbit: Unary = _by_dtype("signbit", *[scalar.signbit] * 3, out=bool_)
