"""Making ndarrays: from numbers, lists and other arrays, and back."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from smolml_array._shapes.axes import Shape, as_shape
from smolml_array._shapes.nested import flatten, nested_shape
from smolml_array._shapes.sizes import NUMBER, check_count, check_range
from smolml_array.backends.numpy.dtypes import DTYPES, F64, I64, as_dtype, plain_dtype
from smolml_array.backends.signatures import DType, Number, Raw

ndarray = np.ndarray
_SCALARS = {np.float64, np.float32, np.int64, np.bool}
_BULK = 3000  # elements from which handing the generator's state to NumPy pays


def is_array(obj: object, /) -> bool:
    """Whether obj is a raw array of this backend."""
    return isinstance(obj, ndarray)


def asarray(obj: Any, /, *, dtype: DType = None, copy: bool | None = None) -> Raw:
    """A raw array of a number, nested lists of numbers, an ndarray or a raw array."""
    kind = type(obj)
    if dtype is None and not copy:  # most often
        if kind is ndarray and (obj.dtype is F64 or obj.dtype in DTYPES):
            return obj
        if kind in _SCALARS and copy is None:  # from an operator of 0-d arrays
            return np.asarray(obj)
    elif kind is float and dtype is F64 and copy is not False:
        return np.array(obj)
    dtype = as_dtype(dtype, "asarray")
    if kind is ndarray and obj.dtype in DTYPES:
        if not copy and (dtype is None or obj.dtype == dtype):
            return obj
        if copy is False:
            raise ValueError(f"asarray: copy=False, but {obj.dtype} becomes {dtype} by copying")
        return astype(obj, dtype or obj.dtype)
    if copy is False:
        raise ValueError(f"asarray: copy=False, but a {type(obj).__name__} must be copied")
    if isinstance(obj, np.ndarray | np.generic):
        plain = np.array(obj, dtype=plain_dtype(np.asarray(obj)), subok=False)
        if dtype is I64 and plain.dtype.kind == "f" and np.asarray(obj).dtype.kind == "u":
            raise OverflowError(f"asarray: {np.max(obj)} does not fit in int64; use float64")
    else:
        plain = _from_nested(obj)
    return plain if dtype is None else astype(plain, dtype, copy=False)


def _from_nested(obj: Any) -> Any:
    """NumPy's own conversion where it finds numbers; else ours, whose errors show the path."""
    nested_shape(obj)  # NumPy would follow a list that contains itself twice for ever
    try:
        # another library's array: asked by us, for it may not know NumPy's copy=
        out = np.array(obj.__array__() if hasattr(type(obj), "__array__") else obj)
        if out.dtype in DTYPES:
            return out
    except (ValueError, TypeError, OverflowError):
        pass
    flat, shape = flatten(obj)
    if any(isinstance(x, float) for x in flat):
        return np.array(flat, F64).reshape(shape)
    return np.array(flat).reshape(shape)


def astype(x: Raw, dtype: DType, /, *, copy: bool = True) -> Raw:
    """x in another dtype; copy=False returns x itself if it has it."""
    if x.dtype is dtype and type(x) is ndarray:
        return x.copy() if copy else x
    with np.errstate(all="ignore"):
        return np.asarray(x.astype(as_dtype(dtype, "astype"), copy=copy))


def from_flat(flat: Sequence[Number], shape: Shape, dtype: DType = None) -> Raw:
    """An array from its elements in C order; float64 unless all are bool or dtype says so."""
    if dtype is None:
        out = np.array(flat)
        if out.dtype.kind != "b":
            out = out.astype(F64, copy=False)
    else:
        out = np.array(flat, as_dtype(dtype, "from_flat"))
    return out.reshape(shape)


def to_flat(x: Raw, /) -> list[Any]:
    """The elements in C order, as Python numbers."""
    return x.ravel().tolist()  # type: ignore[no-any-return]


def to_list(x: Raw, /) -> Any:
    """Nested lists of Python numbers; one number for a 0-d array."""
    check_count(x.size, "to_list")
    return x.tolist()


def uniform(rng: random.Random, shape: Shape, /) -> Raw:
    """float64 numbers from rng.random(), in C order: the same on every backend.

    Many are drawn by NumPy, which has the same generator (Matsumoto and Nishimura's MT19937) and
    makes doubles of it in the same way: it gets rng's state and hands back the advanced one.
    """
    shape = as_shape(shape, "uniform")
    if math.prod(shape) < _BULK or type(rng) is not random.Random:
        draw = rng.random
        return np.array([draw() for _ in range(math.prod(shape))], F64).reshape(shape)
    version, words, gauss = rng.getstate()
    twister = np.random.RandomState()
    twister.set_state(("MT19937", np.array(words[:-1], np.uint32), words[-1], 0, 0.0))
    out = twister.random_sample(shape)
    _, key, position, *_ = twister.get_state(legacy=True)
    rng.setstate((version, (*np.asarray(key).tolist(), int(position)), gauss))
    return out


def zeros(shape: int | Sequence[int], *, dtype: DType = None) -> Raw:
    """Zeros, which the system hands out for nothing."""
    lengths = as_shape(shape, "zeros")
    check_count(math.prod(lengths), "zeros", NUMBER)
    return np.zeros(lengths, as_dtype(dtype, "zeros"))


def full(shape: int | Sequence[int], fill_value: Number, *, dtype: DType = None) -> Raw:
    """An array of one number, by default in the number's own type."""
    value = asarray(fill_value, dtype=dtype)
    return np.full(as_shape(shape, "full"), value, value.dtype)


def zeros_like(x: Raw, /, *, dtype: DType = None) -> Raw:
    """Zeros in the shape and dtype of x."""
    return np.zeros(x.shape, x.dtype if dtype is None else as_dtype(dtype, "zeros_like"))


def placeholder(x: Raw, /) -> Raw:
    """nan in the shape and dtype of x without its memory; x itself where that cannot be."""
    return _nans(x.shape, x.dtype.char) if x.dtype.kind == "f" else x


@lru_cache(maxsize=8)
def _nans(shape: Shape, dtype: str) -> Raw:
    return np.broadcast_to(np.array(math.nan, dtype), shape)


def arange(
    start: Number, /, stop: Number | None = None, step: Number = 1, *, dtype: DType = None
) -> Raw:
    """start, start + step, ... before stop; one argument: from 0 to it."""
    if stop is None:
        start, stop = 0, start
    with np.errstate(all="ignore"):
        check_range(start, stop, step, NUMBER)
        return np.arange(start, stop, step, dtype=as_dtype(dtype, "arange"))
