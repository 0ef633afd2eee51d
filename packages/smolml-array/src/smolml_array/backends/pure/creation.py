"""Making pure arrays: from numbers, lists, other arrays and random draws, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from smolml_array._shapes.axes import Shape, ShapeError, as_shape
from smolml_array._shapes.nested import flatten
from smolml_array._shapes.sizes import NUMBER, check_count, check_range
from smolml_array.backends.pure.dtypes import as_dtype, bool_, convert, float64, int64, of_numbers
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast


def is_array(obj: object, /) -> bool:
    """Whether obj is a raw array of this backend."""
    return isinstance(obj, NDArray)


def asarray(obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> NDArray:
    """A raw array of a number, nested lists of numbers, an ndarray or a raw array."""
    x = obj if isinstance(obj, NDArray) else _from_numbers(obj)
    out = x if dtype is None else cast(x, as_dtype(dtype, "asarray"))
    if out.dtype is int64 and x.dtype is float64 and _kind(obj) == "u":
        raise OverflowError(f"asarray: {max(x.flat)} does not fit in int64; use float64")
    if out is not obj and copy is False:
        raise ValueError(f"asarray: copy=False, but a {type(obj).__name__} must be copied")
    return NDArray(out.flat.copy(), out.shape, out.dtype) if copy and out is obj else out


_OF_KIND = {"f": float64, "i": int64, "u": int64, "b": bool_}


def _kind(obj: Any) -> str | None:
    """The kind of number in an ndarray ("u": unsigned), None for other things."""
    return getattr(getattr(obj, "dtype", None), "kind", None)


def _from_numbers(obj: Any) -> NDArray:
    """An array of what is no NDArray: an ndarray or NumPy scalar, nested lists, or a number."""
    if hasattr(obj, "dtype") and hasattr(obj, "ravel"):
        kind = getattr(obj.dtype, "kind", None)
        if kind is None:  # another library's array, which gives its numbers as lists
            return _from_numbers(obj.tolist())
        dtype = _OF_KIND.get(kind)
        if dtype is None:
            raise TypeError(f"asarray: an array of dtype {obj.dtype}: expected real numbers")
        is_matrix = type(obj).__name__ == "matrix"  # NumPy's, which is never flat
        flat = obj.ravel().tolist()[0] if is_matrix else obj.ravel().tolist()
        if len(flat) != math.prod(obj.shape):
            raise ShapeError(f"asarray: {len(flat)} elements, but its shape says {obj.shape}")
        if kind == "u" and flat and max(flat) >= 2**63:
            dtype = float64  # as a list of these numbers
        return NDArray(list(map(dtype.python, flat)), tuple(obj.shape), dtype)
    flat, shape = flatten(obj)
    dtype = of_numbers(flat)
    return NDArray(list(map(dtype.python, flat)), shape, dtype)


def astype(x: NDArray, dtype: Any, /, *, copy: bool = True) -> NDArray:
    """x in another dtype; copy=False returns x itself if it has it."""
    out = cast(x, as_dtype(dtype, "astype"))
    return NDArray(x.flat.copy(), x.shape, x.dtype) if copy and out is x else out


def from_flat(flat: Sequence[float], shape: Shape, dtype: Any = None) -> NDArray:
    """An array from its elements in C order; float64 unless all are bool or dtype says so."""
    numbers = list(flat)
    own = of_numbers(numbers)
    if math.prod(shape) != len(numbers):
        raise ShapeError(
            f"from_flat: {len(numbers)} elements for shape {shape}: expected {math.prod(shape)}"
        )
    default = bool_ if own is bool_ else float64
    target = default if dtype is None else as_dtype(dtype, "from_flat")
    return NDArray(list(map(target.python, numbers)), tuple(shape), target)


def to_flat(x: NDArray, /) -> list[Any]:
    """The elements in C order, as Python numbers."""
    return x.flat.copy()


def to_list(x: NDArray, /) -> Any:
    """Nested lists of Python numbers; one number for a 0-d array."""
    return x.tolist()


def _filled(who: str, shape: Any, value: float, dtype: Any) -> NDArray:
    """An array of one number, in `dtype` or (None) in the number's own type."""
    lengths = as_shape(shape, who)
    check_count(math.prod(lengths), who, NUMBER)
    one = as_array(value, who)
    one = one if dtype is None else cast(one, as_dtype(dtype, who))
    return NDArray(one.flat * math.prod(lengths), lengths, one.dtype)


def full(shape: int | Sequence[int], fill_value: float, *, dtype: Any = None) -> NDArray:
    """An array of one number, by default in the number's own type."""
    return _filled("full", shape, fill_value, dtype)


def zeros(shape: int | Sequence[int], *, dtype: Any = None) -> NDArray:
    """Zeros."""
    return _filled("zeros", shape, 0, float64 if dtype is None else dtype)


def placeholder(x: NDArray, /) -> NDArray:
    """nan in the shape of x: all of one size share a list. x itself if it holds no floats."""
    return NDArray(_nans(x.size), x.shape, float64) if x.dtype is float64 else x


@lru_cache(maxsize=2)
def _nans(count: int) -> list[float]:
    return [math.nan] * count


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None
) -> NDArray:
    """start, start + step, ... before stop; one argument: from 0 to it."""
    if stop is None:
        start, stop = 0, start
    check_range(start, stop, step)
    count = max(math.ceil((stop - start) / step), 0)
    whole = all(isinstance(v, int) for v in (start, stop, step))
    if dtype is not None and as_dtype(dtype, "arange") is int64:  # NumPy cuts off the first two
        first = int(start)
        gap = int(start + step) - first
        return NDArray([first + i * gap for i in range(count)], (count,), int64)
    delta = (start + step) - start  # rounded as NumPy rounds it
    source = int64 if whole else float64
    flat = [source.python(start + i * delta) for i in range(count)]
    target = source if dtype is None else as_dtype(dtype, "arange")
    return NDArray(convert(flat, source, target), (count,), target)
