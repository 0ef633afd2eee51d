"""Running sums and products of pure arrays: itertools.accumulate on each row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

from smolml_array._shapes.axes import move_axes, one_axis, reduced_shape
from smolml_array.backends.pure.dtypes import bool_, float64, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.reductions import counted
from smolml_array.backends.pure.rows import permuted, rows


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
