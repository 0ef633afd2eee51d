"""Products of pure arrays: rows of the left with columns of the right."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from smolml_array._shapes.axes import _broadcast_shapes, matmul_shape
from smolml_array.backends.pure.broadcasting import expand
from smolml_array.backends.pure.dtypes import bool_, float64, promote, wrapped
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import cast


def _product(a: list[Any], b: list[Any], n: int, k: int, m: int) -> list[Any]:
    """(n, k) times (k, m), all as flat lists: each row of a with each column of b."""
    rows = [a[i : i + k] for i in range(0, n * k, k)]
    columns = [b[j::m] for j in range(m)]
    return [sum(map(mul, row, column)) for row in rows for column in columns]


def matmul(x1: NDArray, x2: NDArray, /) -> NDArray:
    """x1 @ x2 for 1-D, 2-D and batched operands."""
    shape = matmul_shape(x1.shape, x2.shape)
    dtype = promote(x1.dtype, x2.dtype)
    x, y = cast(x1, dtype), cast(x2, dtype)
    n = x1.shape[-2] if x1.ndim > 1 else 1
    k = x1.shape[-1]
    m = x2.shape[-1] if x2.ndim > 1 else 1
    if k == 0:
        return NDArray([dtype.python(0)] * math.prod(shape), shape, dtype)
    if x1.ndim < 3 and x2.ndim < 3:
        flat = _product(x.flat, y.flat, n, k, m)
    else:
        flat = _batched(x, y, n, k, m)
    if dtype is float64:
        return NDArray(flat, shape, dtype)
    return NDArray(list(map(bool, flat)) if dtype is bool_ else wrapped(flat), shape, dtype)


def _batched(x: NDArray, y: NDArray, n: int, k: int, m: int) -> list[Any]:
    """The product of each pair of matrices, the leading axes broadcast."""
    lead_x, lead_y = x.shape[:-2], y.shape[:-2]
    lead = _broadcast_shapes(lead_x, lead_y, who="matmul")
    flat: list[Any] = []
    starts_x = expand([i * n * k for i in range(math.prod(lead_x))], lead_x, lead)
    starts_y = expand([i * k * m for i in range(math.prod(lead_y))], lead_y, lead)
    for i, j in zip(starts_x, starts_y, strict=True):
        flat += _product(x.flat[i : i + n * k], y.flat[j : j + k * m], n, k, m)
    return flat
