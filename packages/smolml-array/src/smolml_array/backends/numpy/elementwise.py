"""Element-wise functions on ndarrays: NumPy's ufuncs, quiet, under the standard's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from smolml_array.backends.numpy import unguarded
from smolml_array.backends.numpy.quiet import (
    F32,
    F64,
    I64,
    binary,
    call,
    check_broadcast,
    float_unary,
    ndarray,
    quietly,
    rounding,
    run,
    run_shared,
    unary,
    wide_binary,
)
from smolml_array.backends.protocol import Raw

abs = unary("abs")
bitwise_invert = unary("bitwise_invert")
isfinite = unary("isfinite")
isinf = unary("isinf")
isnan = unary("isnan")
logical_not = unary("logical_not")
negative = unary("negative")
positive = unary("positive")
sign = unary("sign")
signbit = unary("signbit")

ceil = rounding("ceil", np.ceil)
floor = rounding("floor", np.floor)
round = rounding("round", np.rint)
trunc = rounding("trunc", np.trunc)

acos = float_unary("acos")
acosh = float_unary("acosh")
asin = float_unary("asin")
asinh = float_unary("asinh")
atan = float_unary("atan")
atanh = float_unary("atanh")
cos = float_unary("cos")
cosh = float_unary("cosh")
exp = float_unary("exp")
expm1 = float_unary("expm1")
log = float_unary("log")
log10 = float_unary("log10")
log1p = float_unary("log1p")
log2 = float_unary("log2")
reciprocal = float_unary("reciprocal")
sin = float_unary("sin")
sinh = float_unary("sinh")
sqrt = float_unary("sqrt")
tan = float_unary("tan")
tanh = float_unary("tanh")

add = binary("add")
bitwise_and = binary("bitwise_and")
bitwise_or = binary("bitwise_or")
bitwise_xor = binary("bitwise_xor")
divide = binary("divide")
equal = binary("equal")
greater = binary("greater")
greater_equal = binary("greater_equal")
less = binary("less")
less_equal = binary("less_equal")
logical_and = binary("logical_and")
logical_or = binary("logical_or")
logical_xor = binary("logical_xor")
maximum = binary("maximum")
minimum = binary("minimum")
multiply = binary("multiply")
not_equal = binary("not_equal")
subtract = binary("subtract")

atan2 = wide_binary("atan2")
bitwise_left_shift = wide_binary("bitwise_left_shift")
bitwise_right_shift = wide_binary("bitwise_right_shift")
copysign = wide_binary("copysign")
floor_divide = wide_binary("floor_divide")
hypot = wide_binary("hypot")
logaddexp = wide_binary("logaddexp")
nextafter = wide_binary("nextafter")
remainder = wide_binary("remainder")
_power = wide_binary("pow")
_square = unary("square")


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
    # x1 in the same shape: between shapes that differ, NumPy walks along the axes of length 1 of
    # a single number as if it were repeated
    return _power(np.broadcast_to(x1, each.shape), each).reshape(shape)


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
    """f, a function of plain floats, of each element (after broadcasting).

    float64, or float32 of float32. A universal function (scipy.special's are) runs at once.
    """
    dtype = F32 if np.result_type(*xs) == F32 else F64
    whole = getattr(f, "__wrapped__", f)
    if isinstance(whole, np.ufunc):
        # the type said here: of a weak number or of bools ufuncs may conclude another
        return call(whole, *(np.asarray(x, dtype=dtype) for x in xs))
    arrays = [np.asarray(x, dtype=F64) for x in xs]
    try:
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
    except ValueError:
        check_broadcast("map_scalar", *arrays)
        raise
    columns = (np.broadcast_to(x, shape).ravel().tolist() for x in arrays)
    out = np.array(list(map(f, *columns)), dtype=F64).reshape(shape)
    return out if dtype is F64 else call(out.astype, dtype)


def cotangent_product(g: Raw, p: Raw, /) -> Raw:
    """g * p (cotangent x partial); zero if either is, even where the other is inf or nan."""
    return np.asarray(quietly(unguarded.cotangent_product, g, p))


def add_into(total: Raw, x: Raw, /) -> Raw:
    """total + x, written into total."""
    try:
        return run(np.add, total, x, total)
    except RuntimeError as error:
        return run_shared(error, np.add, total, x, total)
