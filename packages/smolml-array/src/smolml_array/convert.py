"""From what users give to raw arrays: numbers, nested lists, foreign arrays, dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from smolml_array._namespaces.exchange import from_buffer, from_dlpack, has_buffer
from smolml_array._shapes.nested import as_number, flatten
from smolml_array.backends.protocol import Backend, DType, Raw
from smolml_value import Value
from smolml_value.extending import is_number


def each(data: Any, kind: type[T]) -> Iterator[T]:
    """The objects of this kind in nested lists, those of outer lists first."""
    stack = [data]
    while stack:
        for item in stack.pop():
            if isinstance(item, list | tuple):
                stack.append(item)
            elif isinstance(item, kind):
                yield item


def holds(data: Any, kind: type) -> bool:
    """Whether nested lists hold an object of this kind anywhere."""
    return next(each(data, kind), None) is not None


T = TypeVar("T")

# isinstance on a union written in place would build the union each time
_NATIVE: Final = (float, int, list, tuple, Value)


def is_array_like(x: object) -> bool:
    """Whether x can be an operand: an array, a Value, a number, a list or a foreign array."""
    return hasattr(x, "_fetch") or isinstance(x, _NATIVE) or hasattr(x, "__array__") or is_number(x)


def value_or_number(x: Any, path: Sequence[int], who: str) -> Any:
    """A Value as it is, anything else as a number."""
    return x if isinstance(x, Value) else as_number(x, path, who)


def to_raw(xp: Backend, data: Any, who: str, copy: bool | None = None) -> Raw:
    """A raw array of numbers in whatever form."""
    if xp.is_array(data):
        return xp.asarray(data, copy=copy)
    if not isinstance(data, list | tuple | float | int) and hasattr(data, "__array__"):
        if not hasattr(data, "tolist"):
            data = data.__array__()
        return xp.asarray(data, copy=copy)
    if not isinstance(data, list | tuple | float | int | range) and is_number(data):
        data = float(data)  # Decimal and the like
    elif not isinstance(data, list | tuple | float | int | range):
        if hasattr(type(data), "__dlpack__"):
            return from_dlpack(xp, data, None, None)
        if has_buffer(data):
            return xp.astype(xp.asarray(from_buffer(data, who)), xp.float64, copy=False)
        raise TypeError(
            f"{who}: expected numbers, Values, nested lists of them or an array, "
            f"got {type(data).__name__} {data!r:.60}"
        )
    if isinstance(data, list | tuple | range):
        flat, shape = flatten(data, who)
        return xp.from_flat(flat, shape, None if flat else xp.float64)
    return xp.asarray(data)


def as_dtype(xp: Backend, dtype: DType | str) -> DType:
    """A dtype of this backend from its name or from a dtype of any backend.

    Raises:
        TypeError: a dtype that this backend does not have.
    """
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None and isinstance(dtype, type):
        name = {float: "float64", int: "int64", bool: "bool"}.get(dtype, dtype.__name__)
    known = [n for n in ("float64", "float32", "int64", "bool") if hasattr(xp, n)]
    if name not in known:
        raise TypeError(f"dtype: expected one of {', '.join(known)} on {xp.name}, got {dtype!r}")
    return getattr(xp, name)


def is_floating(xp: Backend, raw: Raw) -> bool:
    """Whether a raw array holds floats, the only numbers with gradients."""
    dtype = raw.dtype
    return dtype is xp.float64 or xp.isdtype(dtype, "real floating")
