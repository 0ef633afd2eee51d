"""Element-wise functions of the pure backend: C-level idioms first, IEEE answers where they raise.

`list(map(math.exp, a))` runs at C speed but raises for exp(1000); then the slower
`list(map(scalar.exp, a))`, which answers inf, does the whole array again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from smolml_array._shape import ShapeError
from smolml_array.backends.protocol import Binary, Unary
from smolml_array.backends.pure.broadcasting import Operand, _broadcast_and_apply, common
from smolml_array.backends.pure.dtypes import bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, as_float64, cast, promoted
from smolml_value import scalar

_F1 = Callable[[Any], Any]
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


def _named(f: Any, name: str, doc: str) -> Any:
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


# --- functions of one array ----------------------------------------------------------------------


def _float_unary(name: str, quick: _F1, safe: _F1) -> Unary:
    """A function that answers in float64."""

    def function(x: Any, /) -> NDArray:
        x = cast(as_array(x, name), float64)
        try:
            return NDArray(list(map(quick, x.flat)), x.shape, float64)
        except (ArithmeticError, ValueError):
            return NDArray(list(map(safe, x.flat)), x.shape, float64)

    return _named(function, name, f"{name} of each element: float64.")  # type: ignore[no-any-return]


acos = _float_unary("acos", math.acos, scalar.acos)
acosh = _float_unary("acosh", math.acosh, scalar.acosh)
asin = _float_unary("asin", math.asin, scalar.asin)
asinh = _float_unary("asinh", math.asinh, scalar.asinh)
atan = _float_unary("atan", math.atan, scalar.atan)
atanh = _float_unary("atanh", math.atanh, scalar.atanh)
cos = _float_unary("cos", math.cos, scalar.cos)
cosh = _float_unary("cosh", math.cosh, scalar.cosh)
exp = _float_unary("exp", math.exp, scalar.exp)
expm1 = _float_unary("expm1", math.expm1, scalar.expm1)
log = _float_unary("log", math.log, scalar.log)
log10 = _float_unary("log10", math.log10, scalar.log10)
log1p = _float_unary("log1p", math.log1p, scalar.log1p)
log2 = _float_unary("log2", math.log2, scalar.log2)
reciprocal = _float_unary("reciprocal", (1.0).__truediv__, scalar.reciprocal)
sin = _float_unary("sin", math.sin, scalar.sin)
sinh = _float_unary("sinh", math.sinh, scalar.sinh)
sqrt = _float_unary("sqrt", math.sqrt, scalar.sqrt)
tan = _float_unary("tan", math.tan, scalar.tan)
tanh = _float_unary("tanh", math.tanh, scalar.tanh)


def _rounding(name: str, f: _F1) -> Unary:
    """A function to whole numbers, which leaves int64 and bool as they are."""

    def function(x: Any, /) -> NDArray:
        x = as_array(x, name)
        return NDArray(list(map(f, x.flat)), x.shape, float64) if x.dtype is float64 else x

    return _named(function, name, f"{name} of each element, in the same dtype.")  # type: ignore[no-any-return]


ceil = _rounding("ceil", scalar.ceil)
floor = _rounding("floor", scalar.floor)
round = _rounding("round", scalar.round)
trunc = _rounding("trunc", scalar.trunc)


def _test(name: str, f: _F1) -> Unary:
    """A function that answers in bool."""

    def function(x: Any, /) -> NDArray:
        x = as_array(x, name)
        return NDArray(list(map(f, x.flat)), x.shape, bool_)

    return _named(function, name, f"{name} of each element: bool.")  # type: ignore[no-any-return]


isfinite = _test("isfinite", math.isfinite)
isinf = _test("isinf", math.isinf)
isnan = _test("isnan", math.isnan)
logical_not = _test("logical_not", operator.not_)
signbit = _test("signbit", scalar.signbit)


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

# --- functions of two arrays ---------------------------------------------------------------------


def _arithmetic(
    name: str, quick: _F2, safe: _F2, on_int: _F2 | None = None, on_bool: _F2 | None = None
) -> Binary:
    """A function that keeps the common dtype; `on_bool` None: bools count as int64."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        if dtype is float64:
            flat, shape = _apply(name, quick, safe, x, y)
            return NDArray(flat, shape, float64)
        if dtype is bool_ and on_bool is not None:
            flat, shape = _apply(name, on_bool, on_bool, x, y)
            return NDArray(flat, shape, bool_)
        flat, shape = _broadcast_and_apply(on_int or quick, x, y, name)
        return NDArray(wrapped(flat), shape, int64)

    return _named(function, name, f"{name} of each pair, in the common dtype.")  # type: ignore[no-any-return]


def _no_bools(x: bool, y: bool) -> Any:
    raise TypeError("subtract: not defined for bool: use logical_xor, or astype to int64")


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


add = _arithmetic("add", operator.add, operator.add, None, operator.or_)
subtract = _arithmetic("subtract", operator.sub, operator.sub, None, _no_bools)
multiply = _arithmetic("multiply", operator.mul, operator.mul, None, operator.and_)
floor_divide = _arithmetic(
    "floor_divide", operator.floordiv, scalar.floor_divide, _int_floor_divide
)
remainder = _arithmetic("remainder", operator.mod, scalar.remainder, _int_remainder)
_general_maximum = _arithmetic("maximum", _maximum, _maximum, None, operator.or_)
_general_minimum = _arithmetic("minimum", _minimum, _minimum, None, operator.and_)
_general_pow = _arithmetic("pow", math.pow, scalar.pow, _int_power)


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

    return _named(function, name, f"{name} of each pair: float64.")  # type: ignore[no-any-return]


atan2 = _float_binary("atan2", math.atan2, scalar.atan2)
copysign = _float_binary("copysign", math.copysign, scalar.copysign)
divide = _float_binary("divide", operator.truediv, scalar.divide)
hypot = _float_binary("hypot", math.hypot, scalar.hypot)
logaddexp = _float_binary("logaddexp", scalar.logaddexp, scalar.logaddexp)


def _comparison(name: str, f: _F2) -> Binary:
    """A function that answers in bool."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, _ = promoted(name, x1, x2)
        flat, shape = _broadcast_and_apply(f, x, y, name)
        return NDArray(flat, shape, bool_)

    return _named(function, name, f"{name} of each pair: bool.")  # type: ignore[no-any-return]


equal = _comparison("equal", operator.eq)
greater = _comparison("greater", operator.gt)
greater_equal = _comparison("greater_equal", operator.ge)
less = _comparison("less", operator.lt)
less_equal = _comparison("less_equal", operator.le)
logical_and = _comparison("logical_and", scalar.logical_and)
logical_or = _comparison("logical_or", scalar.logical_or)
logical_xor = _comparison("logical_xor", scalar.logical_xor)
not_equal = _comparison("not_equal", operator.ne)


def _bitwise(name: str, f: _F2) -> Binary:
    """A function of integers or bools, in the common dtype."""

    def function(x1: Any, x2: Any, /) -> NDArray:
        x, y, dtype = promoted(name, x1, x2)
        if dtype is float64:
            raise TypeError(f"{name}: expected int64 or bool, got float64")
        flat, shape = _broadcast_and_apply(f, x, y, name)
        return NDArray(flat, shape, dtype)

    return _named(function, name, f"{name} of each pair of integers or bools.")  # type: ignore[no-any-return]


bitwise_and = _bitwise("bitwise_and", operator.and_)
bitwise_or = _bitwise("bitwise_or", operator.or_)
bitwise_xor = _bitwise("bitwise_xor", operator.xor)

# --- of more arrays ------------------------------------------------------------------------------


def clip(x: Any, /, min: Any = None, max: Any = None) -> NDArray:
    """minimum(maximum(x, min), max); None leaves that side open."""
    if min is not None:
        x = maximum(x, min)
    return as_array(x, "clip") if max is None else minimum(x, max)


def where(condition: Any, x1: Any, x2: Any, /) -> NDArray:
    """x1 where the condition is true (not zero), else x2."""
    x, y, dtype = promoted("where", x1, x2)
    (c, a, b), shape = common("where", as_array(condition, "where"), x, y)
    return NDArray([v if p else w for p, v, w in zip(c, a, b, strict=True)], shape, dtype)


def map_scalar(f: Callable[..., float], /, *xs: Any) -> NDArray:
    """f, a function of plain floats, of each element (after broadcasting): float64."""
    flats, shape = common("map_scalar", *(cast(as_array(x), float64) for x in xs))
    return NDArray(list(map(float, map(f, *flats))), shape, float64)


def cotangent_product(g: NDArray, p: Operand, /) -> NDArray:
    """g * p (cotangent x partial), where g == 0 gives 0 even if p is inf or nan.

    The sum of the product tells whether anything in it is not finite.
    """
    product: NDArray = multiply(g, p)
    if not isinstance(p, NDArray) and math.isfinite(p):
        return product
    if math.isfinite(sum(product.flat)):
        return product
    return where(equal(g, 0), 0, product)
