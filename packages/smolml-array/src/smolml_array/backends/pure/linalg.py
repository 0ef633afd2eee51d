"""Products of pure arrays: rows of the left with columns of the right."""

from __future__ import annotations

import math
from operator import mul

from smolml_array._shapes.axes import _broadcast_shapes
from smolml_array._shapes.contraction import matmul_shape
from smolml_array._shapes.sizes import check_count
from smolml_array.backends.pure.broadcasting import expand
from smolml_array.backends.pure.dtypes import promote, settled
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import cast


def matmul(x1: NDArray, x2: NDArray, /) -> NDArray:
    """x1 @ x2 for 1-D, 2-D and batched operands."""
    shape = matmul_shape(x1.shape, x2.shape)
    check_count(math.prod(shape), "matmul")
    dtype = promote(x1.dtype, x2.dtype)
    a, b = cast(x1, dtype).flat, cast(x2, dtype).flat
    n = x1.shape[-2] if x1.ndim > 1 else 1
    k = x1.shape[-1]
    m = x2.shape[-1] if x2.ndim > 1 else 1
    if k == 0:
        return NDArray([dtype.python(0)] * math.prod(shape), shape, dtype)
    ours, theirs = x1.shape[:-2], x2.shape[:-2]
    lead = _broadcast_shapes(ours, theirs)
    lefts = [  # each matrix as rows
        [a[i : i + k] for i in range(at * n * k, (at + 1) * n * k, k)]
        for at in range(math.prod(ours))
    ]
    rights = [  # each matrix as columns
        [b[at * k * m + j : (at + 1) * k * m : m] for j in range(m)]
        for at in range(math.prod(theirs))
    ]
    flat = [
        sum(map(mul, row, column))
        for rows, columns in zip(
            expand(lefts, ours, lead), expand(rights, theirs, lead), strict=True
        )
        for row in rows
        for column in columns
    ]
    return NDArray(settled(flat, dtype), shape, dtype)
