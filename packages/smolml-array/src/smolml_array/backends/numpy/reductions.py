"""Reductions and running sums of ndarrays: NumPy's without its Python layers."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from smolml_array._shapes.axes import (
    Axis,
    check_not_empty,
    normalize_axes,
    normalize_axis,
    one_axis,
)
from smolml_array.backends.derived.reductions import first_and_last
from smolml_array.backends.namespace import named
from smolml_array.backends.numpy.dtypes import F32, F64, I64
from smolml_array.backends.signatures import ArgReduction, DType, Raw, Reduction, Scan

_bool = builtins.bool
_sum: Any = np.add.reduce


def _reduce(reduce: Any, who: str, x: Raw, axis: Axis, dtype: DType, keepdims: _bool) -> Raw:
    """ufunc.reduce with errors in our words."""
    if axis is not None and x.ndim == 0:  # NumPy lets 0 pass as an axis of a 0-d array
        normalize_axes(axis, 0, who)
    try:
        return reduce(x, axis, dtype, None, keepdims)
    except (ValueError, TypeError):  # NumPy's AxisError is a ValueError
        shape = np.shape(x)
        check_not_empty(who, shape, normalize_axes(axis, len(shape), who))
        raise


def sum(x: Raw, /, axis: Axis = None, *, dtype: DType = None, keepdims: _bool = False) -> Raw:
    """The sum; 0 of nothing; bools are counted."""
    if axis is None:  # nothing can be wrong
        return _sum(x, None, dtype, None, keepdims)
    return _reduce(_sum, "sum", x, axis, dtype, keepdims)


def prod(x: Raw, /, axis: Axis = None, *, dtype: DType = None, keepdims: _bool = False) -> Raw:
    """The product; 1 of nothing."""
    return _reduce(np.multiply.reduce, "prod", x, axis, dtype, keepdims)


def mean(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """The mean; of equal numbers that number; nan of nothing."""
    if x.dtype is not F64 and x.dtype is not F32:
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(F64)
    if axis is None:
        total = _sum(x, None, None, None, keepdims)
    else:
        total = _reduce(_sum, "mean", x, axis, None, keepdims)
    return mean_of_sum(x, total, axis, keepdims)


def mean_of_sum(x: Any, total: Any, axis: Axis, keepdims: _bool) -> Raw:
    """The mean of x from its sum, which may miss that of equal numbers by its rounding."""
    if not x.size or not total.size:
        return total / math.nan
    count = x.size // total.size
    found = total / count
    if count == 1 or (axis is None and x.item(0) != x.item(-1)):  # as it mostly is
        return found
    first, last = first_and_last(x.ndim, axis)
    first = x[first]
    if not np.count_nonzero(first == x[last]):
        return found
    same = all(x == first, axis, keepdims=keepdims)
    first = first.reshape(found.shape)
    return np.where(same & (first != found), first, found)  # a zero keeps its sign


def _reduction(name: str, ufunc: np.ufunc, doc: str) -> Any:
    reduce = ufunc.reduce

    def reduction(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
        return _reduce(reduce, name, x, axis, None, keepdims)

    return named(reduction, name, doc)


max: Reduction = _reduction("max", np.maximum, "The largest element; nan if there is one.")
min: Reduction = _reduction("min", np.minimum, "The smallest element; nan if there is one.")
any: Reduction = _reduction("any", np.logical_or, "Whether some element is not zero.")
all: Reduction = _reduction("all", np.logical_and, "Whether no element is zero.")


def _position(name: str, f: Any, doc: str) -> Any:
    def position(x: Raw, /, axis: int | None = None, *, keepdims: _bool = False) -> Raw:
        x = np.asarray(x)
        if axis is not None and x.ndim == 0:
            normalize_axis(axis, 0, name)
        try:
            return np.asarray(f(x, axis=axis, keepdims=keepdims))
        except (ValueError, TypeError):
            check_not_empty(name, x.shape, normalize_axes(axis, x.ndim, name))
            raise

    return named(position, name, doc)


argmax: ArgReduction = _position(
    "argmax", np.argmax, "The position of the first largest element, or nan."
)
argmin: ArgReduction = _position(
    "argmin", np.argmin, "The position of the first smallest element, or nan."
)


def _running(name: str, ufunc: np.ufunc, start: int, doc: str) -> Any:
    """ufunc.accumulate along an axis; `start` comes first if it is asked for."""

    def running(
        x: Raw, /, axis: int | None = None, *, dtype: DType = None, include_initial: _bool = False
    ) -> Raw:
        x = np.asarray(x)
        axis = one_axis(axis, x.ndim, name)
        kind = dtype if dtype is not None else I64 if x.dtype.kind == "b" else None
        results = ufunc.accumulate(x, axis, kind)
        if not include_initial:
            return results
        first = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), start, results.dtype)
        return np.concatenate([first, results], axis)

    return named(running, name, doc)


cumulative_sum: Scan = _running(
    "cumulative_sum", np.add, 0, "Sums of the elements up to each one, after a 0 if asked for."
)
cumulative_prod: Scan = _running(
    "cumulative_prod", np.multiply, 1, "Products of the elements up to each one, after a 1."
)
