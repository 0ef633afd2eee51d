"""Element-wise functions on ndarrays: NumPy's ufuncs under the standard's names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from smolml_array.backends.namespace import named
from smolml_array.backends.numpy import at_once, special
from smolml_array.backends.numpy.dtypes import DTYPES, F32, F64, I64
from smolml_array.backends.numpy.guard import check_broadcast
from smolml_array.backends.signatures import Binary, Raw, Unary

ndarray = np.ndarray
_FLOATS = {F64, F32}


def _float_unary(ufunc: Any) -> Any:
    """A ufunc of one array that answers in floats: float64 for int64 and bool."""

    def float_unary(x: Raw, /) -> Raw:
        out = ufunc(x)
        if out.dtype is F64 or out.dtype in _FLOATS:
            return out
        return ufunc(np.asarray(x, F64))  # float16 of bool, int of int

    return _named(float_unary, ufunc)


def _rounding(ufunc: Any) -> Any:
    """A ufunc that leaves whole numbers as they are."""

    def rounding(x: Raw, /) -> Raw:
        x = np.asarray(x)
        return ufunc(x) if x.dtype.kind == "f" else x

    return _named(rounding, ufunc)


def _wide_binary(ufunc: Any) -> Any:
    """A ufunc of two arrays; bools, which would give a small type, count as int64 or float64."""

    def wide_binary(x1: Raw, x2: Raw, /) -> Raw:
        try:
            out = ufunc(x1, x2)
        except ValueError:
            check_broadcast(ufunc.__name__, x1, x2)
            raise
        if out.dtype is F64 or out.dtype in DTYPES:
            return out
        wide = F64 if out.dtype.kind == "f" else I64
        return ufunc(np.asarray(x1, wide), np.asarray(x2, wide))

    return _named(wide_binary, ufunc)


def _named(f: Any, ufunc: Any) -> Any:
    if isinstance(ufunc, np.ufunc):
        f.ufunc = ufunc  # for who wants to say where to
    return named(f, ufunc.__name__, f"`numpy.{ufunc.__name__}`, in one of our dtypes.")


_AS_THEY_ARE = (
    "abs bitwise_invert isfinite isinf isnan logical_not negative positive sign signbit "
    "add bitwise_and bitwise_or bitwise_xor divide equal greater greater_equal less less_equal "
    "logical_and logical_or logical_xor maximum minimum multiply not_equal subtract"
)
_IN_FLOATS = (
    "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 reciprocal sin sinh "
    "sqrt tan tanh"
)
_WIDE = "atan2 bitwise_left_shift bitwise_right_shift copysign floor_divide nextafter remainder"
_MADE: list[tuple[str, Callable[[Any], Any]]] = [
    (_AS_THEY_ARE, lambda ufunc: ufunc),
    (_IN_FLOATS, _float_unary),
    (_WIDE, _wide_binary),
    ("ceil floor trunc", _rounding),
]
globals().update({name: made(getattr(np, name)) for names, made in _MADE for name in names.split()})
hypot: Binary = _wide_binary(at_once.hypot)
logaddexp: Binary = _wide_binary(at_once.logaddexp)
round: Unary = _rounding(np.rint)
_power: Binary = _wide_binary(np.pow)


def square(x: Raw, /) -> Raw:
    """x * x; of bool as int64."""
    out = np.square(x)
    return out if out.dtype.itemsize > 1 else out.astype(I64)


def pow(x1: Raw, x2: Raw, /) -> Raw:
    """x1 ** x2; the square, which is most of them, without the general power."""
    if type(x2) is float or type(x2) is int:
        if x2 == 2 and type(x1) is ndarray and x1.dtype.kind == "f":
            return np.square(x1)
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


def where(condition: Raw, x1: Raw, x2: Raw, /) -> Raw:
    """x1 where the condition is true (not zero), else x2."""
    chosen = at_once.chosen(condition, x1, x2)
    try:
        return np.where(condition, x1, x2) if chosen is None else chosen
    except ValueError:
        check_broadcast("where", condition, x1, x2)
        raise


SMALL = 512  # elements up to which one by one is quicker
_WHOLE: tuple[tuple[Any, Any], ...] = (math.erf, special.erf), (math.erfc, special.erfc)


def map_scalar(f: Any, /, *xs: Raw) -> Raw:
    """f, a function of plain floats, of each element (after broadcasting).

    float64, or float32 of float32. A universal function (scipy.special's are) runs at once, and so
    do math.erf and math.erfc.
    """
    dtype = F32 if np.result_type(*xs) == F32 else F64
    whole = getattr(f, "__wrapped__", f)
    for known, special_function in _WHOLE:
        if whole is known and np.size(xs[0]) > SMALL:
            return special_function(np.asarray(xs[0], F64)).astype(dtype, copy=False)
    if isinstance(whole, np.ufunc):
        # the type said here: of a weak number or of bools ufuncs may conclude another
        return whole(*(np.asarray(x, dtype) for x in xs))
    arrays = [np.asarray(x, F64) for x in xs]
    check_broadcast("map_scalar", *arrays)
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    columns = (np.broadcast_to(x, shape).ravel().tolist() for x in arrays)
    return np.array(list(map(f, *columns)), F64).reshape(shape).astype(dtype, copy=False)
