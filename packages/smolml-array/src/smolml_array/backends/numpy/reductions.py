"""Reductions and running sums of ndarrays: NumPy's without its Python layers."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from smolml_array._shapes.axes import (
    Axis,
    Shape,
    ShapeError,
    normalize_axes,
    normalize_axis,
    one_axis,
)
from smolml_array.backends.derived.reductions import first_and_last
from smolml_array.backends.numpy.dtypes import F32, F64, I64
from smolml_array.backends.protocol import DType, Raw

_bool = builtins.bool
_sum: Any = np.add.reduce


def _reduce(
    reduce: Callable[..., Any], who: str, x: Raw, axis: Axis, dtype: Any, keepdims: bool
) -> Raw:
    """ufunc.reduce with errors in our words."""
    if axis is not None and x.ndim == 0:  # NumPy lets 0 pass as an axis of a 0-d array
        normalize_axes(axis, 0, who)
    try:
        return reduce(x, axis, dtype, None, keepdims)
    except (ValueError, TypeError):  # NumPy's AxisError is a ValueError
        shape = np.shape(x)
        check_not_empty(who, shape, normalize_axes(axis, len(shape), who))
        raise


def check_not_empty(who: str, shape: Shape, axes: tuple[int, ...]) -> None:
    """Raise if a reduction without identity would run over nothing."""
    for axis in axes:
        if shape[axis] == 0:
            raise ShapeError(
                f"{who}: cannot reduce axis {axis} of shape {shape}: "
                f"it is empty and {who} has no identity"
            )


def sum(x: Raw, /, axis: Axis = None, *, dtype: DType = None, keepdims: _bool = False) -> Raw:
    """The sum; 0 of nothing; bools are counted."""
    if axis is None:  # nothing can be wrong
        return _sum(x, None, dtype, None, keepdims)
    return _reduce(_sum, "sum", x, axis, dtype, keepdims)


def prod(x: Raw, /, axis: Axis = None, *, dtype: DType = None, keepdims: _bool = False) -> Raw:
    """The product; 1 of nothing."""
    return _reduce(np.multiply.reduce, "prod", x, axis, dtype, keepdims)


def max(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """The largest element; nan if there is one."""
    return _reduce(np.maximum.reduce, "max", x, axis, None, keepdims)


def min(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """The smallest element; nan if there is one."""
    return _reduce(np.minimum.reduce, "min", x, axis, None, keepdims)


def any(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """Whether some element is not zero."""
    return _reduce(np.logical_or.reduce, "any", x, axis, None, keepdims)


def all(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """Whether no element is zero."""
    return _reduce(np.logical_and.reduce, "all", x, axis, None, keepdims)


def mean(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """The mean; of equal numbers that number; nan of nothing."""
    if x.dtype is not F64 and x.dtype is not F32:
        x = _floating(x)
    if axis is None:
        total = _sum(x, None, None, None, keepdims)
    else:
        total = _reduce(_sum, "mean", x, axis, None, keepdims)
    return mean_of_sum(x, total, axis, keepdims)


def mean_of_sum(x: Any, total: Any, axis: Axis, keepdims: _bool) -> Raw:
    """The mean of x from its sum, which may miss that of equal numbers by its rounding."""
    if not x.size or not total.size:
        return total / math.nan
    found = total / (x.size // total.size)
    if axis is None and x.item(0) != x.item(-1):  # as it mostly is
        return found
    first, last = first_and_last(x.ndim, axis)
    first = x[first]
    if not np.count_nonzero(first == x[last]):
        return found
    same = all(x == first, axis, keepdims=keepdims)
    first = first.reshape(found.shape)
    return np.where(same & (first != found), first, found)  # a zero keeps its sign


def _floating(x: Raw) -> Any:
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(F64)


def _arg(f: Any, who: str, x: Raw, axis: int | None, keepdims: bool) -> Raw:
    x = np.asarray(x)
    if axis is not None and x.ndim == 0:
        normalize_axis(axis, 0, who)
    try:
        return np.asarray(f(x, axis=axis, keepdims=keepdims))
    except (ValueError, TypeError):
        axes = normalize_axes(axis, x.ndim, who)
        check_not_empty(who, x.shape, axes)
        raise


def argmax(x: Raw, /, axis: int | None = None, *, keepdims: _bool = False) -> Raw:
    """The position of the first largest element; of the first nan if there is one."""
    return _arg(np.argmax, "argmax", x, axis, keepdims)


def argmin(x: Raw, /, axis: int | None = None, *, keepdims: _bool = False) -> Raw:
    """The position of the first smallest element; of the first nan if there is one."""
    return _arg(np.argmin, "argmin", x, axis, keepdims)


def _scan(
    accumulate: Any,
    start: int,
    who: str,
    x: Raw,
    axis: int | None,
    dtype: DType,
    include_initial: bool,
) -> Raw:
    """ufunc.accumulate along an axis; `start` comes first if it is asked for."""
    x = np.asarray(x)
    axis = one_axis(axis, x.ndim, who)
    kind = dtype if dtype is not None else I64 if x.dtype.kind == "b" else None
    results = accumulate(x, axis, kind)
    if not include_initial:
        return results
    first = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), start, results.dtype)
    return np.concatenate([first, results], axis)


def cumulative_sum(
    x: Raw, /, axis: int | None = None, *, dtype: DType = None, include_initial: bool = False
) -> Raw:
    """Sums of the elements up to each one; with include_initial a 0 comes first."""
    return _scan(np.add.accumulate, 0, "cumulative_sum", x, axis, dtype, include_initial)


def cumulative_prod(
    x: Raw, /, axis: int | None = None, *, dtype: DType = None, include_initial: bool = False
) -> Raw:
    """Products of the elements up to each one; with include_initial a 1 comes first."""
    return _scan(np.multiply.accumulate, 1, "cumulative_prod", x, axis, dtype, include_initial)
