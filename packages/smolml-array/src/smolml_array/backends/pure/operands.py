"""Operands of the pure backend's functions: numbers made arrays, types brought together."""

from __future__ import annotations

from typing import Any

from smolml_array._shapes.nested import as_number
from smolml_array.backends.pure.broadcasting import Operand
from smolml_array.backends.pure.dtypes import (
    DType,
    bool_,
    convert,
    float64,
    int64,
    of_numbers,
    promote,
)
from smolml_array.backends.pure.ndarray import NDArray

NO_FLOAT = "expected int64 or bool, got float64"


def as_array(x: Any, who: str = "asarray") -> NDArray:
    """x itself if it is an array; a 0-d array of a number."""
    if isinstance(x, NDArray):
        return x
    number = as_number(x, (), who)
    return NDArray([number], (), of_numbers([number]))


def cast(x: NDArray, dtype: DType) -> NDArray:
    """x in another dtype; x itself if it has it."""
    if x.dtype is dtype:
        return x
    return NDArray(convert(x.flat, x.dtype, dtype), x.shape, dtype)


def promoted(who: str, x: Any, y: Any) -> tuple[Operand, Operand, DType]:
    """Two operands in their common dtype; one may stay a Python number, of the matching type.

    Arrays promote bool < int64 < float64. A Python number is weak: it changes the dtype of the
    array only if it is of a higher kind.
    """
    if type(x) is NDArray and type(y) is NDArray:
        if x.dtype is y.dtype:
            return x, y, x.dtype
        dtype = promote(x.dtype, y.dtype)
        return cast(x, dtype), cast(y, dtype), dtype
    if type(x) is NDArray:
        y, dtype = _weak(who, y, x.dtype)
        return cast(x, dtype), y, dtype
    if type(y) is NDArray:
        x, dtype = _weak(who, x, y.dtype)
        return x, cast(y, dtype), dtype
    return promoted(who, as_array(x, who), as_array(y, who))


def _weak(who: str, number: Any, dtype: DType) -> tuple[Any, DType]:
    """A number in the type it takes beside an array of `dtype`, and the common dtype."""
    if type(number) is not float:
        number = as_number(number, (), who)
    if dtype is float64 or isinstance(number, float):
        return float(number), float64
    if dtype is int64 or type(number) is int:
        return int(number), int64
    return number, bool_


def as_float64(x: Any, who: str) -> Any:
    """An operand as float64: an array converted, a number a float."""
    if isinstance(x, NDArray):
        return cast(x, float64)
    return x if type(x) is float else float(as_number(x, (), who))
