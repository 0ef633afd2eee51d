"""The three element types of the pure backend, conversion between them, and their promotion."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class DType:
    """An element type: its elements are Python floats, ints or bools.

    It equals, and is found by, its name, its Python type and NumPy's dtype of the same name.

    >>> float64 == "float64", as_dtype(int), float64
    (True, int64, float64)
    """

    __slots__ = ("kind", "name", "python", "rank")

    def __init__(self, name: str, kind: str, python: type, rank: int) -> None:
        self.name: str = name
        self.kind: str = kind  # NumPy's letter
        self.python: type = python
        self.rank: int = rank  # promotion goes to the higher

    def __eq__(self, other: object) -> bool:
        return self is other or bool(self.name == getattr(other, "name", other))

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


float64: DType = DType("float64", "f", float, 2)
int64: DType = DType("int64", "i", int, 1)
bool_: DType = DType("bool", "b", bool, 0)
_ALL = (float64, int64, bool_)
_BY_NAME: dict[Any, DType] = {key: d for d in _ALL for key in (d, d.name, d.python)}


def as_dtype(dtype: Any, who: str = "dtype") -> DType:
    """The element type of this name, Python type or NumPy dtype.

    Raises:
        TypeError: the pure backend does not have it.
    """
    if type(dtype) is DType:
        return dtype
    try:
        return _BY_NAME[getattr(dtype, "name", dtype)]
    except (KeyError, TypeError):
        shown = getattr(dtype, "name", dtype)
        raise TypeError(
            f"{who}: the pure backend has no dtype {shown!r}: expected one of float64, int64, bool"
        ) from None


def of_numbers(flat: list[Any]) -> DType:
    """The element type that holds these Python numbers; float64 for none at all."""
    types = set(map(type, flat))
    if types == {bool}:
        return bool_
    return int64 if types and types <= {int, bool} else float64


def promote(*dtypes: DType) -> DType:
    """The lowest type that holds all: bool < int64 < float64."""
    return max(dtypes, key=lambda dtype: dtype.rank)


def convert(flat: list[Any], source: DType, target: DType) -> list[Any]:
    """The elements as another type; a float with no int64 becomes the smallest, as on x86."""
    if source is target:
        return flat
    if target is not int64 or source is bool_:
        return list(map(target.python, flat))
    try:
        ints = list(map(int, flat))
    except (ValueError, OverflowError):
        ints = [int(v) if abs(v) < 2**63 else INT64_MIN for v in flat]
    if ints and not (min(ints) >= INT64_MIN and max(ints) <= INT64_MAX):
        return [v if INT64_MIN <= v <= INT64_MAX else INT64_MIN for v in ints]
    return ints


def wrapped(ints: list[int]) -> list[int]:
    """The integers modulo 2**64, as int64 arithmetic leaves them."""
    if not ints or (min(ints) >= INT64_MIN and max(ints) <= INT64_MAX):
        return ints
    return [(v - INT64_MIN) % 2**64 + INT64_MIN for v in ints]


def settled(flat: list[Any], dtype: DType) -> list[Any]:
    """What sums and products of elements of a type are in this type."""
    if dtype is float64:
        return flat
    return wrapped(flat) if dtype is int64 else list(map(bool, flat))


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that an operation on these has; Python scalars are weak.

    >>> result_type(int64, 2.0), result_type(float64, 2), result_type(bool_, int64)
    (float64, float64, int64)
    """
    if not arrays_and_dtypes:
        raise ValueError("result_type: expected at least one array, dtype or number, got none")
    kinds = (type(x) if type(x) in _BY_NAME else getattr(x, "dtype", x) for x in arrays_and_dtypes)
    return promote(*(as_dtype(kind, "result_type") for kind in kinds))


def finfo(type: Any, /) -> SimpleNamespace:
    """bits, eps, max, min, smallest_normal and dtype of a floating type."""
    dtype = as_dtype(getattr(type, "dtype", type), "finfo")
    if dtype is not float64:
        raise ValueError(f"finfo: {dtype} is no floating type: expected float64")
    eps, top, least = sys.float_info.epsilon, sys.float_info.max, sys.float_info.min
    return SimpleNamespace(bits=64, eps=eps, max=top, min=-top, smallest_normal=least, dtype=dtype)


def iinfo(type: Any, /) -> SimpleNamespace:
    """bits, max, min and dtype of an integer type."""
    dtype = as_dtype(getattr(type, "dtype", type), "iinfo")
    if dtype is not int64:
        raise ValueError(f"iinfo: {dtype} is no integer type: expected int64")
    return SimpleNamespace(bits=64, max=INT64_MAX, min=INT64_MIN, dtype=dtype)
