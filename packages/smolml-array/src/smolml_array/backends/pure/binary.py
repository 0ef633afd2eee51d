"""Element-wise functions of two pure arrays: broadcast, then apply a C-level function.

As in `unary`, the functions of `scalar` take over where the quick ones raise (1 / 0).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from smolml_array._shapes.axes import ShapeError
from smolml_array.backends.protocol import Binary
from smolml_array.backends.pure.broadcasting import Operand, _broadcast_and_apply, common
from smolml_array.backends.pure.dtypes import bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, as_float64, promoted
from smolml_array.backends.pure.unary import named, square
from smolml_value import scalar

_F2 = Callable[[Any, Any], Any]


def _apply(name: str, quick: _F2, safe: _F2, x: Operand, y: Operand) -> tuple[list[Any], Any]:
    """Broadcast and apply `quick`; where that raises for some element, `safe`."""
    if not isinstance(x, NDArray) and not isinstance(y, NDArray):
        x = as_array(x)
    try:
        return _broadcast_and_apply(quick, x, y, name)
    except ShapeError:
        raise
    except (ArithmeticError, ValueError):
        return _broadcast_and_apply(safe, x, y, name)


def _arithmetic(
    name: str,
    quick: _F2,
    safe: _F2,
    on_int: _F2 | None = None,
    on_bool: _F2 | None = None,
    no_bools: bool = False,
) -> Binary:
    """A function that keeps the common dtype; without `on_bool`, bools count as int64."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        if dtype is float64:
            flat, shape = _apply(name, quick, safe, x, y)
            return NDArray(flat, shape, float64)
        if dtype is bool_ and no_bools:
            raise TypeError(f"{name}: not defined for bool: use logical_xor, or astype to int64")
        if dtype is bool_ and on_bool is not None:
            flat, shape = _apply(name, on_bool, on_bool, x, y)
            return NDArray(flat, shape, bool_)
        flat, shape = _broadcast_and_apply(on_int or quick, x, y, name)
        return NDArray(wrapped(flat), shape, int64)

    return named(function, name, f"{name} of each pair, in the common dtype.")  # type: ignore[no-any-return]


def _int_floor_divide(x: int, y: int) -> int:
    return x // y if y else 0


def _int_remainder(x: int, y: int) -> int:
    return x % y if y else 0


def _int_power(x: int, y: int) -> int:
    if y < 0:
        raise ValueError("pow: an integer to a negative integer power: expected a float operand")
    return pow_builtin(x, y, 2**64)  # what is left after int64 has wrapped around


pow_builtin = pow


def _maximum(x: Any, y: Any) -> Any:
    return x if x >= y or x != x else y


def _minimum(x: Any, y: Any) -> Any:
    return x if x <= y or x != x else y


add: Binary = _arithmetic("add", operator.add, operator.add, None, operator.or_)
subtract: Binary = _arithmetic("subtract", operator.sub, operator.sub, no_bools=True)
multiply: Binary = _arithmetic("multiply", operator.mul, operator.mul, None, operator.and_)
floor_divide: Binary = _arithmetic(
    "floor_divide", operator.floordiv, scalar.floor_divide, _int_floor_divide
)
remainder: Binary = _arithmetic("remainder", operator.mod, scalar.remainder, _int_remainder)
_general_maximum: Binary = _arithmetic("maximum", _maximum, _maximum, None, operator.or_)
_general_minimum: Binary = _arithmetic("minimum", _minimum, _minimum, None, operator.and_)
_general_pow: Binary = _arithmetic("pow", math.pow, scalar.pow, _int_power)


def maximum(x1: Any, x2: Any, /) -> NDArray:
    """The larger of each pair; nan if either is nan."""
    if type(x2) is float and type(x1) is NDArray and x1.dtype is float64 and x2 == x2:
        return NDArray([v if v >= x2 or v != v else x2 for v in x1.flat], x1.shape, float64)
    return _general_maximum(x1, x2)  # type: ignore[no-any-return]


def minimum(x1: Any, x2: Any, /) -> NDArray:
    """The smaller of each pair; nan if either is nan."""
    if type(x2) is float and type(x1) is NDArray and x1.dtype is float64 and x2 == x2:
        return NDArray([v if v <= x2 or v != v else x2 for v in x1.flat], x1.shape, float64)
    return _general_minimum(x1, x2)  # type: ignore[no-any-return]


def pow(x1: Any, x2: Any, /) -> NDArray:
    """x1 ** x2; a negative base with a fractional exponent is nan."""
    if isinstance(x1, NDArray) and x1.dtype is float64 and type(x2) in (int, float) and x2 == 2:
        return square(x1)
    return _general_pow(x1, x2)  # type: ignore[no-any-return]


def _float_binary(name: str, quick: _F2, safe: _F2) -> Binary:
    """A function that answers in float64."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y = as_float64(x1, name), as_float64(x2, name)
        flat, shape = _apply(name, quick, safe, x, y)
        return NDArray(flat, shape, float64)

    return named(function, name, f"{name} of each pair: float64.")  # type: ignore[no-any-return]


atan2: Binary = _float_binary("atan2", math.atan2, scalar.atan2)
copysign: Binary = _float_binary("copysign", math.copysign, scalar.copysign)
divide: Binary = _float_binary("divide", operator.truediv, scalar.divide)
hypot: Binary = _float_binary("hypot", math.hypot, scalar.hypot)
logaddexp: Binary = _float_binary("logaddexp", scalar.logaddexp, scalar.logaddexp)
nextafter: Binary = _float_binary("nextafter", math.nextafter, math.nextafter)


def _comparison(name: str, f: _F2) -> Binary:
    """A function that answers in bool."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, _ = promoted(name, x1, x2)
        flat, shape = _broadcast_and_apply(f, x, y, name)
        return NDArray(flat, shape, bool_)

    return named(function, name, f"{name} of each pair: bool.")  # type: ignore[no-any-return]


equal: Binary = _comparison("equal", operator.eq)
greater: Binary = _comparison("greater", operator.gt)
greater_equal: Binary = _comparison("greater_equal", operator.ge)
less: Binary = _comparison("less", operator.lt)
less_equal: Binary = _comparison("less_equal", operator.le)
logical_and: Binary = _comparison("logical_and", scalar.logical_and)
logical_or: Binary = _comparison("logical_or", scalar.logical_or)
logical_xor: Binary = _comparison("logical_xor", scalar.logical_xor)
not_equal: Binary = _comparison("not_equal", operator.ne)


def _bitwise(name: str, f: _F2) -> Binary:
    """A function of integers or bools, in the common dtype."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        if dtype is float64:
            raise TypeError(f"{name}: expected int64 or bool, got float64")
        flat, shape = _broadcast_and_apply(f, x, y, name)
        return NDArray(flat, shape, dtype)

    return named(function, name, f"{name} of each pair of integers or bools.")  # type: ignore[no-any-return]


bitwise_and: Binary = _bitwise("bitwise_and", operator.and_)
bitwise_or: Binary = _bitwise("bitwise_or", operator.or_)
bitwise_xor: Binary = _bitwise("bitwise_xor", operator.xor)


def _shift(name: str, f: _F2) -> Binary:
    """A function of integers that answers in int64."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        if dtype is float64:
            raise TypeError(f"{name}: expected int64 or bool, got float64")
        flat, shape = _broadcast_and_apply(f, x, y, name)
        return NDArray(wrapped(flat), shape, int64)

    doc = f"{name} of each pair of integers; by 64 places and more no bit is left."
    return named(function, name, doc)  # type: ignore[no-any-return]


def _left(x: int, by: int) -> int:
    return x << by if 0 <= by < 64 else 0


def _right(x: int, by: int) -> int:
    return x >> by if 0 <= by < 64 else -(x < 0)


bitwise_left_shift: Binary = _shift("bitwise_left_shift", _left)
bitwise_right_shift: Binary = _shift("bitwise_right_shift", _right)


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
