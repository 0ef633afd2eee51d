"""Products of arrays made of matmul and multiply."""

from __future__ import annotations

import math
from typing import Any, Protocol

from smolml_array._shapes.contraction import Axes, tensordot_axes, vecdot_axes
from smolml_array.backends.signatures import Raw


class Products(Protocol):
    """Products made of matmul and multiply."""

    def outer(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """The products of all pairs of elements: (x1.size, x2.size)."""
        return xp.multiply(xp.reshape(x1, (-1, 1)), xp.reshape(x2, (1, -1)))

    def vecdot(xp: Any, x1: Raw, x2: Raw, /, axis: int = -1) -> Raw:
        """The sum of products along one axis, the others broadcast."""
        i, j = vecdot_axes(x1.shape, x2.shape, axis)
        x1, x2 = xp.moveaxis(x1, i, -1), xp.moveaxis(x2, j, -1)
        if x1.dtype == xp.bool and x2.dtype == xp.bool:
            return xp.any(xp.logical_and(x1, x2), axis=-1)
        return xp.sum(xp.multiply(x1, x2), axis=-1)

    def tensordot(xp: Any, x1: Raw, x2: Raw, /, *, axes: Axes = 2) -> Raw:
        """The sum of products over the last axes of x1 and the first of x2, or those named."""
        left, right = tensordot_axes(x1.shape, x2.shape, axes)
        rows = tuple(i for i in range(x1.ndim) if i not in left)
        columns = tuple(j for j in range(x2.ndim) if j not in right)
        shape = (*(x1.shape[i] for i in rows), *(x2.shape[j] for j in columns))
        n, k = math.prod(x1.shape[i] for i in rows), math.prod(x1.shape[i] for i in left)
        a = xp.reshape(xp.permute_dims(x1, rows + left), (n, k))
        b = xp.permute_dims(x2, right + columns)
        b = xp.reshape(b, (k, math.prod(x2.shape[j] for j in columns)))
        return xp.reshape(xp.matmul(a, b), shape)

    def cotangent_matmul(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """x1 @ x2, one of which holds cotangents: zero times inf or nan counts as zero."""
        made = xp.matmul(x1, x2)
        return made if bool(xp.all(xp.isfinite(made))) else zero_ruled_matmul(xp, x1, x2)


def zero_ruled_matmul(xp: Any, x1: Raw, x2: Raw) -> Raw:
    """The same product anew: where a factor is not finite, outer products are added one by one."""
    rows = xp.expand_dims(x1, axis=0) if x1.ndim == 1 else x1
    columns = xp.expand_dims(x2, axis=-1) if x2.ndim == 1 else x2
    finite = xp.logical_and(
        xp.all(xp.isfinite(rows), axis=tuple(range(rows.ndim - 1))),
        xp.all(xp.isfinite(columns), axis=(*range(columns.ndim - 2), columns.ndim - 1)),
    )
    total = xp.matmul(
        xp.where(finite, rows, 0.0), xp.where(xp.expand_dims(finite, axis=-1), columns, 0.0)
    )
    for i in range(rows.shape[-1]):
        if not bool(finite[i]):
            a, b = rows[..., i : i + 1], columns[..., i : i + 1, :]
            zero = xp.logical_or(xp.equal(a, 0), xp.equal(b, 0))
            total = xp.add(total, xp.where(zero, 0.0, xp.multiply(a, b)))
    kept = (slice(None) if x1.ndim > 1 else 0, slice(None) if x2.ndim > 1 else 0)
    return xp.asarray(total[(..., *kept)])
