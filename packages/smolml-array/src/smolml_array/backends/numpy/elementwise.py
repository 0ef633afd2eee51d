"""Element-wise functions on ndarrays: NumPy's ufuncs, quiet, under the standard's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from smolml_array.backends.numpy.quiet import (
    F64,
    I64,
    binary,
    check_broadcast,
    float_unary,
    ndarray,
    rounding,
    unary,
    wide_binary,
)
from smolml_array.backends.protocol import Raw

abs = unary(np.abs)
bitwise_invert = unary(np.bitwise_invert)
isfinite = unary(np.isfinite)
isinf = unary(np.isinf)
isnan = unary(np.isnan)
logical_not = unary(np.logical_not)
negative = unary(np.negative)
positive = unary(np.positive)
sign = unary(np.sign)
signbit = unary(np.signbit)

ceil = rounding(np.ceil, "ceil")
floor = rounding(np.floor, "floor")
round = rounding(np.rint, "round")
trunc = rounding(np.trunc, "trunc")

acos = float_unary(np.acos)
acosh = float_unary(np.acosh)
asin = float_unary(np.asin)
asinh = float_unary(np.asinh)
atan = float_unary(np.atan)
atanh = float_unary(np.atanh)
cos = float_unary(np.cos)
cosh = float_unary(np.cosh)
exp = float_unary(np.exp)
expm1 = float_unary(np.expm1)
log = float_unary(np.log)
log10 = float_unary(np.log10)
log1p = float_unary(np.log1p)
log2 = float_unary(np.log2)
reciprocal = float_unary(np.reciprocal)
sin = float_unary(np.sin)
sinh = float_unary(np.sinh)
sqrt = float_unary(np.sqrt)
tan = float_unary(np.tan)
tanh = float_unary(np.tanh)

add = binary(np.add)
bitwise_and = binary(np.bitwise_and)
bitwise_or = binary(np.bitwise_or)
bitwise_xor = binary(np.bitwise_xor)
divide = binary(np.divide, "divide")
equal = binary(np.equal)
greater = binary(np.greater)
greater_equal = binary(np.greater_equal)
less = binary(np.less)
less_equal = binary(np.less_equal)
logical_and = binary(np.logical_and)
logical_or = binary(np.logical_or)
logical_xor = binary(np.logical_xor)
maximum = binary(np.maximum)
minimum = binary(np.minimum)
multiply = binary(np.multiply)
not_equal = binary(np.not_equal)
subtract = binary(np.subtract)

atan2 = wide_binary(np.atan2, "atan2")
copysign = wide_binary(np.copysign)
floor_divide = wide_binary(np.floor_divide)
hypot = wide_binary(np.hypot)
logaddexp = wide_binary(np.logaddexp)
remainder = wide_binary(np.remainder)
_power = wide_binary(np.pow, "pow")
_square = unary(np.square)


def square(x: Raw, /) -> Raw:
    """x * x; of bool as int64."""
    out = _square(x)
    return out if out.dtype.itemsize > 1 else out.astype(I64)


def pow(x1: Raw, x2: Raw, /) -> Raw:
    """x1 ** x2; the square, which is most of them, without the general power."""
    if type(x2) is float or type(x2) is int:
        if x2 == 2 and type(x1) is ndarray and x1.dtype.kind == "f":
            return _square(x1)
        repeats = x2 == 0.5
    else:
        x2 = np.asarray(x2)
        repeats = (x2.shape != np.shape(x1) or 0 in x2.strides or not x2.ndim) and 0.5 in x2
    return _power(x1, x2) if not repeats else _power_by_each(x1, x2)


def _power_by_each(x1: Raw, x2: Raw) -> Raw:
    """x1 ** x2 with an exponent of its own for each element.

    For one 0.5 that serves many, NumPy takes the root, which is nan for -inf where pow is inf.
    """
    dtype = np.result_type(x1, x2)
    x1, x2 = np.asarray(x1, dtype), np.asarray(x2, dtype)
    check_broadcast("pow", x1, x2)
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    each = np.empty(shape or 1, dtype)
    each[...] = x2
    return _power(x1, each).reshape(shape)


def clip(x: Raw, /, min: Raw | None = None, max: Raw | None = None) -> Raw:
    """minimum(maximum(x, min), max); None leaves that side open."""
    if min is not None:
        x = maximum(x, min)
    return np.asarray(x) if max is None else minimum(x, max)


def where(condition: Raw, x1: Raw, x2: Raw, /) -> Raw:
    """x1 where the condition is true (not zero), else x2."""
    try:
        return np.where(condition, x1, x2)
    except ValueError:
        check_broadcast("where", condition, x1, x2)
        raise


def map_scalar(f: Any, /, *xs: Raw) -> Raw:
    """f, a function of plain floats, of each element (after broadcasting): float64."""
    arrays = [np.asarray(x, dtype=F64) for x in xs]
    try:
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
    except ValueError:
        check_broadcast("map_scalar", *arrays)
        raise
    columns = (np.broadcast_to(x, shape).ravel().tolist() for x in arrays)
    return np.array(list(map(f, *columns)), dtype=F64).reshape(shape)


def cotangent_product(g: Raw, p: Raw, /) -> Raw:
    """g * p (cotangent x partial), where g == 0 gives 0 even if p is inf or nan.

    Only a product that is not finite somewhere is looked at again; the dot product of it with
    itself tells, at a fraction of the price of the multiplication.
    """
    product = multiply(g, p)
    if type(p) is not ndarray and math.isfinite(p):
        return product
    flat = (
        product if product.size < 4096 else product.ravel("K")
    )  # vdot copies what is not in C order
    if math.isfinite(np.vdot(flat, flat)):
        return product
    return np.where(equal(g, 0), product.dtype.type(0), product)
