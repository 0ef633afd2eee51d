"""Element-wise functions of two pure arrays: broadcast, then apply a C-level function.

As in `unary`, the functions of `scalar` take over where the quick ones raise (1 / 0).
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from operator import and_, or_
from typing import Any

from smolml_array.backends.namespace import named
from smolml_array.backends.pure.broadcasting import Operand, _broadcast_and_apply, common
from smolml_array.backends.pure.dtypes import DType, bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import NO_FLOAT, as_array, as_float64, promoted
from smolml_array.backends.signatures import Binary
from smolml_value import scalar

_F2 = Callable[[Any, Any], Any]


def _in_floats(name: str, quick: _F2, safe: _F2) -> Any:
    """A function that answers in float64."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y = as_float64(x1, name), as_float64(x2, name)
        flat, shape = _broadcast_and_apply(quick, x, y, name, safe)
        return NDArray(flat, shape, float64)

    return named(function, name, f"{name} of each pair: float64.")


atan2: Binary = _in_floats("atan2", math.atan2, scalar.atan2)
copysign: Binary = _in_floats("copysign", math.copysign, scalar.copysign)
divide: Binary = _in_floats("divide", operator.truediv, scalar.divide)
hypot: Binary = _in_floats("hypot", math.hypot, scalar.hypot)
logaddexp: Binary = _in_floats("logaddexp", scalar.logaddexp, scalar.logaddexp)
nextafter: Binary = _in_floats("nextafter", math.nextafter, math.nextafter)


def _in_common(
    name: str,
    on_bool: _F2 | str | None,
    on_int: _F2,
    on_float: _F2 | str,
    safe: _F2 | None = None,
    out: DType | None = None,
) -> Any:
    """A function of two arrays in their common dtype, with a function of numbers for each dtype.

    A text in place of one says why it is not defined. Without `on_bool` bools count as integers;
    `safe` is for floats of which `on_float` raises. The results have the common dtype, or `out`.
    """
    ways = (
        (on_bool or on_int, None, out or (bool_ if on_bool else int64)),
        (on_int, None, out or int64),
        (on_float, safe, out or float64),
    )

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        f, otherwise, dtype = ways[dtype.rank]
        if isinstance(f, str):
            raise TypeError(f"{name}: {f}")
        flat, shape = _broadcast_and_apply(f, x, y, name, otherwise)
        return NDArray(wrapped(flat) if wraps and dtype is int64 else flat, shape, dtype)

    wraps = on_int not in (and_, or_, operator.xor)  # bits of int64 are those of int64
    return named(function, name, f"{name} of each pair.")


def _int_floor_divide(x: int, y: int) -> int:
    return x // y if y else 0


def _int_remainder(x: int, y: int) -> int:
    return x % y if y else 0


def _int_power(x: int, y: int) -> int:
    if y < 0:
        raise ValueError("pow: an integer to a negative integer power: expected a float operand")
    return builtins.pow(x, y, 2**64)  # what is left after int64 has wrapped around


def _left(x: int, by: int) -> int:
    return x << by if 0 <= by < 64 else 0  # by 64 places and more no bit is left


def _right(x: int, by: int) -> int:
    return x >> by if 0 <= by < 64 else -(x < 0)


def _maximum(x: Any, y: Any) -> Any:
    return x if x > y or x != x else y  # of two zeros the second, as of floats


def _minimum(x: Any, y: Any) -> Any:
    return x if x < y or x != x else y


def _comparison(name: str, f: _F2) -> Any:
    return _in_common(name, f, f, f, out=bool_)


_NO_BOOL = "not defined for bool: use logical_xor, or astype to int64"

add: Binary = _in_common("add", or_, operator.add, operator.add)
subtract: Binary = _in_common("subtract", _NO_BOOL, operator.sub, operator.sub)
multiply: Binary = _in_common("multiply", and_, operator.mul, operator.mul)
floor_divide: Binary = _in_common(
    "floor_divide", None, _int_floor_divide, operator.floordiv, scalar.floor_divide
)
remainder: Binary = _in_common("remainder", None, _int_remainder, operator.mod, scalar.remainder)
_general_maximum: Binary = _in_common("maximum", or_, _maximum, _maximum)
_general_minimum: Binary = _in_common("minimum", and_, _minimum, _minimum)
_general_pow: Binary = _in_common("pow", None, _int_power, math.pow, scalar.pow)

bitwise_and: Binary = _in_common("bitwise_and", and_, and_, NO_FLOAT)
bitwise_or: Binary = _in_common("bitwise_or", or_, or_, NO_FLOAT)
bitwise_xor: Binary = _in_common("bitwise_xor", operator.xor, operator.xor, NO_FLOAT)
bitwise_left_shift: Binary = _in_common("bitwise_left_shift", None, _left, NO_FLOAT)
bitwise_right_shift: Binary = _in_common("bitwise_right_shift", None, _right, NO_FLOAT)

equal: Binary = _comparison("equal", operator.eq)
greater: Binary = _comparison("greater", operator.gt)
greater_equal: Binary = _comparison("greater_equal", operator.ge)
less: Binary = _comparison("less", operator.lt)
less_equal: Binary = _comparison("less_equal", operator.le)
logical_and: Binary = _comparison("logical_and", scalar.logical_and)
logical_or: Binary = _comparison("logical_or", scalar.logical_or)
logical_xor: Binary = _comparison("logical_xor", scalar.logical_xor)
not_equal: Binary = _comparison("not_equal", operator.ne)


def maximum(x1: Any, x2: Any, /) -> NDArray:
    """The larger of each pair; nan if either is nan."""
    if type(x2) is float and type(x1) is NDArray and x1.dtype is float64 and x2 == x2:
        return NDArray([v if v > x2 or v != v else x2 for v in x1.flat], x1.shape, float64)
    return _general_maximum(x1, x2)  # type: ignore[no-any-return]


def minimum(x1: Any, x2: Any, /) -> NDArray:
    """The smaller of each pair; nan if either is nan."""
    if type(x2) is float and type(x1) is NDArray and x1.dtype is float64 and x2 == x2:
        return NDArray([v if v < x2 or v != v else x2 for v in x1.flat], x1.shape, float64)
    return _general_minimum(x1, x2)  # type: ignore[no-any-return]


def pow(x1: Any, x2: Any, /) -> NDArray:
    """x1 ** x2; a negative base with a fractional exponent is nan."""
    if isinstance(x1, NDArray) and x1.dtype is float64 and type(x2) in (int, float) and x2 == 2:
        return multiply(x1, x1)  # type: ignore[no-any-return]
    return _general_pow(x1, x2)  # type: ignore[no-any-return]


def where(condition: Any, x1: Any, x2: Any, /) -> NDArray:
    """x1 where the condition is true (not zero), else x2."""
    x, y, dtype = promoted("where", x1, x2)
    (c, a, b), shape = common("where", as_array(condition, "where"), x, y)
    return NDArray([v if p else w for p, v, w in zip(c, a, b, strict=True)], shape, dtype)


def cotangent_product(g: NDArray, p: Operand, /) -> NDArray:
    """g * p (cotangent x partial); zero if either is, even where the other is inf or nan.

    The sum of the product tells whether anything in it is not finite.
    """
    product: NDArray = multiply(g, p)
    if not isinstance(p, NDArray) and math.isfinite(p):
        return product if p != 0.0 else NDArray([0.0] * product.size, product.shape, product.dtype)
    if math.isfinite(sum(product.flat)):
        return product
    return where(logical_or(equal(g, 0), equal(p, 0)), 0, product)
