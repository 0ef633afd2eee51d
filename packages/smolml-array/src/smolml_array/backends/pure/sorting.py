"""Sorting and searching pure arrays; nan is larger than every number, as in NumPy."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Any

from smolml_array._shapes.axes import normalize_axis
from smolml_array.backends.pure.dtypes import int64
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array
from smolml_array.backends.pure.rows import along


def _nan_last(v: float) -> tuple[bool, float]:
    return v != v, v


def _may_have_nan(flat: list[Any]) -> bool:
    return math.isnan(sum(flat))


def argsort(
    x: NDArray, /, axis: int = -1, *, descending: bool = False, stable: bool = True
) -> NDArray:
    """The positions that sort x; equal elements keep their order; nan is the largest."""
    axis = normalize_axis(axis, x.ndim, "argsort")
    nans = _may_have_nan(x.flat)

    def order(row: list[Any]) -> list[int]:
        keys = list(map(_nan_last, row)) if nans else row
        return sorted(range(len(row)), key=keys.__getitem__, reverse=descending)

    return along(order, "argsort", x, axis, int64)


def searchsorted(
    x1: NDArray, x2: Any, /, *, side: str = "left", sorter: NDArray | None = None
) -> NDArray:
    """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: unknown side {side!r}: expected 'left' or 'right'")
    if x1.ndim != 1:
        raise ValueError(f"searchsorted: expected a 1-D array to search in, got shape {x1.shape}")
    x2 = as_array(x2, "searchsorted")
    find = bisect_left if side == "left" else bisect_right
    line: list[Any] = x1.flat if sorter is None else [x1.flat[i] for i in sorter.flat]
    wanted: list[Any] = x2.flat
    if _may_have_nan(line) or _may_have_nan(wanted):
        line, wanted = list(map(_nan_last, line)), list(map(_nan_last, wanted))
    return NDArray([find(line, v) for v in wanted], x2.shape, int64)
