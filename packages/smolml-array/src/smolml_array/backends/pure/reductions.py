"""Reductions and running sums of pure arrays: the elements as rows, a C-level function on each."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate, chain
from operator import mul
from typing import Any

from smolml_array._shapes.axes import Axis, check_not_empty, normalize_axes, one_axis, reduced_shape
from smolml_array.backends.namespace import named
from smolml_array.backends.pure.dtypes import DType, as_dtype, bool_, float64, int64, settled
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_array.backends.pure.rows import along, rows
from smolml_array.backends.signatures import ArgReduction, Reduction, Scan, TypedReduction

_bool = builtins.bool
_Row = list[Any]
_OfRow = Callable[[_Row], Any]


def _reduced(
    of_row: _OfRow, who: str, x: NDArray, axis: Axis, keepdims: _bool, dtype: DType
) -> NDArray:
    axes = normalize_axes(axis, len(x.shape), who)
    flat = list(map(of_row, rows(x, axes)))
    return NDArray(settled(flat, dtype), reduced_shape(x.shape, axes, keepdims), dtype)


def counted(x: Any, dtype: Any, who: str) -> NDArray:
    """x as sums and products take it: bools as int64, or all in the dtype asked for."""
    x = as_array(x, who)
    if dtype is not None:
        return cast(x, as_dtype(dtype, who))
    return cast(x, int64) if x.dtype is bool_ else x


def _total(name: str, f: Callable[..., Any], start: int, doc: str) -> Any:
    """sum or prod: f of each row; `start` is that of nothing."""

    def total(
        x: Any, /, axis: Axis = None, *, dtype: Any = None, keepdims: _bool = False
    ) -> NDArray:
        x = counted(x, dtype, name)
        of_row = f if x.flat else partial(f, start=x.dtype.python(start))
        return _reduced(of_row, name, x, axis, keepdims, x.dtype)

    return named(total, name, doc)


sum: TypedReduction = _total("sum", builtins.sum, 0, "The sum; 0 of nothing; bools are counted.")
prod: TypedReduction = _total("prod", math.prod, 1, "The product; 1 of nothing.")


def _extreme(f: _OfRow, name: str, x: NDArray, axis: Axis) -> _OfRow:
    """max or min of a row of x, none of which is empty; the first nan if there is one."""
    check_not_empty(name, x.shape, normalize_axes(axis, x.ndim, name))
    if x.dtype is not float64 or not math.isnan(builtins.sum(x.flat)):  # the sum tells, quickly
        return f

    def extreme(row: _Row) -> Any:
        nan = next((v for v in row if v != v), None)
        return f(row) if nan is None else nan

    return extreme


def _largest(name: str, f: _OfRow, doc: str) -> Any:
    def largest(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
        x = as_array(x, name)
        return _reduced(_extreme(f, name, x, axis), name, x, axis, keepdims, x.dtype)

    return named(largest, name, doc)


def _position(name: str, f: _OfRow, doc: str) -> Any:
    def position(x: Any, /, axis: int | None = None, *, keepdims: _bool = False) -> NDArray:
        x = as_array(x, name)
        extreme = _extreme(f, name, x, axis)

        def place(row: _Row) -> int:
            return row.index(extreme(row))  # finds a nan, too: the very object

        return _reduced(place, name, x, axis, keepdims, int64)

    return named(position, name, doc)


def _truth(name: str, f: _OfRow, doc: str) -> Any:
    def truth(x: Any, /, axis: Axis = None, *, keepdims: _bool = False) -> NDArray:
        return _reduced(f, name, as_array(x, name), axis, keepdims, bool_)

    return named(truth, name, doc)


_max, _min = builtins.max, builtins.min
max: Reduction = _largest("max", _max, "The largest element; nan if there is one.")
min: Reduction = _largest("min", _min, "The smallest element; nan if there is one.")
argmax: ArgReduction = _position("argmax", _max, "Where the first largest element is; or nan.")
argmin: ArgReduction = _position("argmin", _min, "Where the first smallest element is; or nan.")
any: Reduction = _truth("any", builtins.any, "Whether some element is not zero.")
all: Reduction = _truth("all", builtins.all, "Whether no element is zero.")


def _running(name: str, f: Callable[[Any, Any], Any] | None, start: int, doc: str) -> Any:
    """f of all elements up to each one; `start` comes first if it is asked for."""

    def running(
        x: Any, /, axis: int | None = None, *, dtype: Any = None, include_initial: _bool = False
    ) -> NDArray:
        x = counted(x, dtype, name)
        axis = one_axis(axis, x.ndim, name)
        first = [x.dtype.python(start)] * include_initial

        def sums(row: _Row) -> Iterable[Any]:  # not from `first`, for 0.0 + -0.0 is 0.0
            return chain(first, accumulate(row, f))

        out = along(sums, name, x, axis, x.dtype, more=include_initial)
        return NDArray(settled(out.flat, x.dtype), out.shape, x.dtype)

    return named(running, name, doc)


cumulative_sum: Scan = _running(
    "cumulative_sum", None, 0, "Sums of the elements up to each one, after a 0 if asked for."
)
cumulative_prod: Scan = _running(
    "cumulative_prod", mul, 1, "Products of the elements up to each one, after a 1 if asked for."
)
