"""x @ w + b in one step: one node, and one buffer, where the composite has two."""

from __future__ import annotations

from typing import Any

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import ShapeError, _broadcast_shapes
from smolml_array._shapes.contraction import matmul_shape
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.linalg import _matmul_left, _matmul_right
from smolml_array.functions.table import Tangents, added, as_array, entry, multilinear


def _affine(xp: Any, x: Raw, w: Raw, b: Raw) -> Raw:
    out = xp.matmul(x, w)
    if out.ndim and (b.dtype is out.dtype or b.dtype == out.dtype):  # not into a scalar
        return xp.add_into(out, b)
    return out + xp.broadcast_to(b, out.shape)


def _affine_jvp(xp: Any, tangents: Tangents, out: Raw, x: Raw, w: Raw, b: Raw) -> Raw | None:
    db = tangents[2]
    offset = None if db is None else xp.broadcast_to(db, out.shape)
    return added([multilinear(xp.cotangent_matmul, tangents[:2], (x, w)), offset])


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
    """$x @ w + b$ in one step: what a layer of neurons computes, for less memory and time.

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
