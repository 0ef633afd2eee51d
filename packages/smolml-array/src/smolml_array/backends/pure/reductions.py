"""Reductions and running sums of pure arrays: the elements as rows, a C-level function on each."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

from smolml_array._shapes.axes import (
    Axis,
    ShapeError,
    move_axes,
    normalize_axes,
    one_axis,
    reduced_shape,
)
from smolml_array.backends.pure.dtypes import DType, as_dtype, bool_, float64, int64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_array.backends.pure.rows import permuted, rows

_bool = builtins.bool
_Row = list[Any]


def _reduce(
    f: Callable[[_Row], Any], who: str, x: NDArray, axis: Axis, keepdims: _bool, dtype: DType
) -> NDArray:
    axes = normalize_axes(axis, len(x.shape), who)
    return NDArray(list(map(f, rows(x, axes))), reduced_shape(x.shape, axes, keepdims), dtype)


def counted(x: Any, dtype: Any, who: str) -> NDArray:
    """x as sum and prod take it: bools as int64, or all in the dtype asked for."""
    x = as_array(x, who)
    if dtype is not None:
        return cast(x, as_dtype(dtype, who))
    return cast(x, int64) if x.dtype is bool_ else x


def sum(x: Any, /, axis: Axis = None, *, dtype: Any = None, keepdims: _bool = False) -> NDArray:
    """The sum; 0 of nothing; bools are counted."""
    x = counted(x, dtype, "sum")
    if x.dtype is float64:
        f = builtins.sum if x.flat else _float_sum  # sum([]) is the int 0
        return _reduce(f, "sum", x, axis, keepdims, float64)
    out = _reduce(builtins.sum, "sum", x, axis, keepdims, x.dtype)
    return NDArray(wrapped(out.flat), out.shape, int64) if x.dtype is int64 else _truth(out)


def prod(x: Any, /, axis: Axis = None, *, dtype: Any = None, keepdims: _bool = False) -> NDArray:
    """The product; 1 of nothing."""
    x = counted(x, dtype, "prod")
    if x.dtype is float64:
        return _reduce(_float_prod, "prod", x, axis, keepdims, float64)
    out = _reduce(math.prod, "prod", x, axis, keepdims, x.dtype)
    return NDArray(wrapped(out.flat), out.shape, int64) if x.dtype is int64 else _truth(out)


def _float_sum(row: _Row) -> float:
    return builtins.sum(row, 0.0)


def _float_prod(row: _Row) -> float:
    return math.prod(row, start=1.0)


def _truth(x: NDArray) -> NDArray:
    return NDArray(list(map(builtins.bool, x.flat)), x.shape, bool_)


def _has_nan(x: NDArray) -> _bool:
    """Whether there may be a nan: the sum tells, and is quick."""
    return x.dtype is float64 and math.isnan(builtins.sum(x.flat))


def _with_nan(f: Callable[[_Row], Any]) -> Callable[[_Row], Any]:
    """f (max or min) that answers with the first nan of a row if there is one."""

    def extreme(row: _Row) -> Any:
        for v in row:
            if v != v:
                return v
        return f(row)

    return extreme


def _not_empty(who: str, x: NDArray, axis: Axis) -> None:
    for i in normalize_axes(axis, x.ndim, who):
        if x.shape[i] == 0:
            raise ShapeError(
                f"{who}: cannot reduce axis {i} of shape {x.shape}: "
                f"it is empty and {who} has no identity"
            )


def max(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
    """The largest element; nan if there is one."""
    x = as_array(x, "max")
    _not_empty("max", x, axis)
    f = _with_nan(builtins.max) if _has_nan(x) else builtins.max
    return _reduce(f, "max", x, axis, keepdims, x.dtype)


def min(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
    """The smallest element; nan if there is one."""
    x = as_array(x, "min")
    _not_empty("min", x, axis)
    f = _with_nan(builtins.min) if _has_nan(x) else builtins.min
    return _reduce(f, "min", x, axis, keepdims, x.dtype)


def _position(extreme: Callable[[_Row], Any], nans: _bool) -> Callable[[_Row], int]:
    def position(row: _Row) -> int:
        if nans:
            for i, v in enumerate(row):
                if v != v:
                    return i
        return row.index(extreme(row))

    return position


def argmax(x: Any, /, axis: int | None = None, *, keepdims: _bool = False) -> NDArray:
    """The position of the first largest element; of the first nan if there is one."""
    x = as_array(x, "argmax")
    _not_empty("argmax", x, axis)
    return _reduce(_position(builtins.max, _has_nan(x)), "argmax", x, axis, keepdims, int64)


def argmin(x: Any, /, axis: int | None = None, *, keepdims: _bool = False) -> NDArray:
    """The position of the first smallest element; of the first nan if there is one."""
    x = as_array(x, "argmin")
    _not_empty("argmin", x, axis)
    return _reduce(_position(builtins.min, _has_nan(x)), "argmin", x, axis, keepdims, int64)


def any(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
    """Whether some element is not zero."""
    return _reduce(builtins.any, "any", as_array(x, "any"), axis, keepdims, bool_)


def all(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
    """Whether no element is zero."""
    return _reduce(builtins.all, "all", as_array(x, "all"), axis, keepdims, bool_)


def _scan(
    f: Callable[[Any, Any], Any] | None,
    start: int,
    who: str,
    x: NDArray,
    axis: int | None,
    include_initial: bool,
) -> NDArray:
    """f of all elements up to each one, along the axis; `start` comes first if it is asked for."""
    axis = one_axis(axis, x.ndim, who)
    first = x.dtype.python(start)
    flat: list[Any] = []
    for row in rows(x, (axis,)):
        if include_initial:
            flat.append(first)
        flat.extend(accumulate(row, f))  # not from `first`, for 0.0 + -0.0 is 0.0
    n = x.shape[axis] + include_initial
    shape = (*reduced_shape(x.shape, (axis,)), n)
    if x.dtype is bool_:
        flat = list(map(bool, flat))
    moved = NDArray(flat if x.dtype is float64 else wrapped(flat), shape, x.dtype)
    return permuted(moved, move_axes(x.ndim, -1, axis, who))


def cumulative_sum(
    x: Any, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> NDArray:
    """Sums of the elements up to each one; with include_initial a 0 comes first."""
    x = counted(x, dtype, "cumulative_sum")
    return _scan(None, 0, "cumulative_sum", x, axis, include_initial)


def cumulative_prod(
    x: Any, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> NDArray:
    """Products of the elements up to each one; with include_initial a 1 comes first."""
    x = counted(x, dtype, "cumulative_prod")
    return _scan(mul, 1, "cumulative_prod", x, axis, include_initial)
