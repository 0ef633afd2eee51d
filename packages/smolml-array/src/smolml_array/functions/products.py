"""Products beyond matmul: x @ w + b in one step, sums of products over chosen axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import ShapeError, _broadcast_shapes, matmul_shape
from smolml_array._shapes.contraction import Axes, tensordot_axes, vecdot_axes
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Raw
from smolml_array.functions.linalg import _matmul_left, _matmul_right
from smolml_array.functions.manipulation import moveaxis
from smolml_array.functions.table import as_array, entry
from smolml_value import grad_enabled


def _affine(xp: Any, x: Raw, w: Raw, b: Raw) -> Raw:
    out = xp.matmul(x, w)
    if out.ndim and (b.dtype is out.dtype or b.dtype == out.dtype):  # not into a scalar
        return xp.add_into(out, b)
    return out + xp.broadcast_to(b, out.shape)


def _affine_jvp(
    xp: Any, tangents: Sequence[Raw | None], out: Raw, x: Raw, w: Raw, b: Raw
) -> Raw | None:
    dx, dw, db = tangents
    total = None if dx is None else xp.matmul(dx, w)
    if dw is not None:
        total = xp.matmul(x, dw) if total is None else total + xp.matmul(x, dw)
    if db is not None:
        total = xp.broadcast_to(db, out.shape) if total is None else total + db
    return total


AFFINE = Rule(
    "affine",
    _affine,
    _matmul_left,
    _matmul_right,
    lambda xp, g, out, x, w, b: xp.sum_to_shape(g, b.shape),
    jvp=_affine_jvp,
    not_saved=(2, OUT),
)


@entry()
def affine(x: ArrayLike, w: ArrayLike, b: ArrayLike) -> MLArray:
    """x @ w + b in one step: what a layer of neurons computes, for less memory and time.

    Args:
        x: inputs, (..., n).
        w: weights, (n, m).
        b: offsets that broadcast to x @ w, (m,) as a rule.

    Raises:
        ShapeError: x and w do not align, or b does not broadcast to x @ w.

    >>> affine([[1.0, 2.0]], [[1.0], [10.0]], [100.0]).to_list()
    [[121.0]]
    """
    if not (isinstance(x, MLArray) and isinstance(w, MLArray) and isinstance(b, MLArray)):
        x, w, b = as_array(x, w, b), as_array(w, x, b), as_array(b, x, w)
    try:
        return MLArray._rule(AFFINE, x, w, b)
    except ValueError:
        product = matmul_shape(x.shape, w.shape, "affine")
        if _broadcast_shapes(product, b.shape, who="affine") == product:
            raise
    raise ShapeError(
        f"affine: b of shape {b.shape} does not broadcast to {product}, the shape of x @ w"
    )


@entry("x1, x2, /, *, axis=-1")
def vecdot(x1: MLArray, x2: MLArray, axis: int = -1) -> MLArray:
    """The sum of products along one axis, the others broadcast."""
    if not grad_enabled() or not (x1.requires_grad or x2.requires_grad):
        xp = x1._backend_of("vecdot", (x1, x2))
        return x1._constant(xp, xp.vecdot(x1._fetch().raw, x2._fetch().raw, axis=axis))
    i, j = vecdot_axes(x1.shape, x2.shape, axis)
    return (moveaxis(x1, i, -1) * moveaxis(x2, j, -1)).sum(axis=-1)


@entry("x1, x2, /, *, axes=2", numpy="a, b, axes=2")
def tensordot(x1: MLArray, x2: MLArray, axes: Axes = 2) -> MLArray:
    """The sum of products over the last axes of x1 and the first of x2, or those named."""
    left, right = tensordot_axes(x1.shape, x2.shape, axes)
    rows = tuple(i for i in range(x1.ndim) if i not in left)
    columns = tuple(j for j in range(x2.ndim) if j not in right)
    k = math.prod(x1.shape[i] for i in left)
    n, m = math.prod(x1.shape[i] for i in rows), math.prod(x2.shape[j] for j in columns)
    a = x1.transpose(rows + left).reshape(n, k)
    b = x2.transpose(right + columns).reshape(k, m)
    shape = (*(x1.shape[i] for i in rows), *(x2.shape[j] for j in columns))
    return a.matmul(b).reshape(shape)
