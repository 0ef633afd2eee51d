"""Running sums and products of ndarrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from smolml_array._shapes.axes import one_axis
from smolml_array.backends.numpy.dtypes import I64
from smolml_array.backends.protocol import DType, Raw


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
