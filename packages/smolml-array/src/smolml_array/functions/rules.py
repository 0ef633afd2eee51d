"""THE ARRAY RULES: what is not element-wise, each forward beside its vjps.

Written against the backend protocol only, without writing into any buffer, so that they serve
every backend. `g` is the cotangent of the result `out`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import (
    Axis,
    Shape,
    inverse_permutation,
    normalize_axes,
    normalize_axis,
    reduced_shape,
)
from smolml_array.backends.protocol import Raw
from smolml_value.extending import TracedNamespace

# Products --------------------------------------------------------------------------------------


def _swap(xp: Any, x: Raw) -> Raw:
    return xp.matrix_transpose(x)


def _matmul_left(xp: Any, g: Raw, out: Raw, a: Raw, b: Raw, *rest: Raw) -> Raw:
    """d(a @ b) to a: g @ b^T, with a 1-D operand's missing axis put back."""
    if a.ndim == 2 and b.ndim == 2:
        return xp.matmul(g, b.T)
    if b.ndim == 1:
        if a.ndim == 1:
            return g * b
        return xp.sum_to_shape(xp.expand_dims(g, axis=-1) * b, a.shape)
    if a.ndim == 1:
        rows = xp.matmul(xp.expand_dims(g, axis=-2), _swap(xp, b))
        return xp.sum_to_shape(xp.squeeze(rows, axis=-2), a.shape)
    return xp.sum_to_shape(xp.matmul(g, _swap(xp, b)), a.shape)


def _matmul_right(xp: Any, g: Raw, out: Raw, a: Raw, b: Raw, *rest: Raw) -> Raw:
    """d(a @ b) to b: a^T @ g, likewise."""
    if a.ndim == 2 and b.ndim == 2:
        return xp.matmul(a.T, g)
    if a.ndim == 1:
        if b.ndim == 1:
            return g * a
        return xp.sum_to_shape(xp.expand_dims(a, axis=-1) * xp.expand_dims(g, axis=-2), b.shape)
    if b.ndim == 1:
        columns = xp.matmul(_swap(xp, a), xp.expand_dims(g, axis=-1))
        return xp.sum_to_shape(xp.squeeze(columns, axis=-1), b.shape)
    if b.ndim == 2 and a.ndim > 2:  # one long product instead of a sum of many
        rows = math.prod(a.shape[:-1])  # -1 would not do: there may be no elements
        a = xp.reshape(a, (rows, b.shape[0]))
        g = xp.reshape(g, (rows, b.shape[1]))
    return xp.sum_to_shape(xp.matmul(_swap(xp, a), g), b.shape)


MATMUL = Rule(
    "matmul",
    lambda xp, a, b: xp.matmul(a, b),
    _matmul_left,
    _matmul_right,
    jvp="multilinear",
    not_saved=(OUT,),
)

# Reductions ------------------------------------------------------------------------------------


def _spread(xp: Any, g: Raw, shape: Shape, axis: Axis, keepdims: bool) -> Raw:
    """g of a reduction, repeated to the shape that was reduced."""
    if not keepdims and axis is not None:
        axes = normalize_axes(axis, len(shape), "sum")
        g = xp.reshape(g, reduced_shape(shape, axes, keepdims=True))
    return xp.broadcast_to(g, shape)


def _count(shape: Shape, axis: Axis) -> int:
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[a] for a in normalize_axes(axis, len(shape), "mean"))


def _sum_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis = None, keepdims: bool = False
) -> Raw:
    return _spread(xp, g, x.shape, axis, keepdims)


def _mean_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis = None, keepdims: bool = False
) -> Raw:
    count = _count(x.shape, axis)  # 0 only where there is no element to send anything to
    return _spread(xp, g * (1.0 / count if count else 0.0), x.shape, axis, keepdims)


def _extreme_vjp(name: str) -> Any:
    """max and min send the cotangent to the first extreme element."""

    def vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis = None, keepdims: bool = False) -> Raw:
        reduced = tuple(sorted(normalize_axes(axis, x.ndim, name)))  # first in C order
        kept = tuple(a for a in range(x.ndim) if a not in reduced)
        order = kept + reduced
        moved = xp.permute_dims(x, order)
        length = math.prod(x.shape[a] for a in reduced)
        rows = xp.reshape(moved, (*(x.shape[a] for a in kept), length))
        first = xp.expand_dims(getattr(xp, f"arg{name}")(rows, axis=-1), axis=-1)
        here = first == xp.arange(length)
        spread = xp.reshape(g, (*rows.shape[:-1], 1))
        chosen = xp.where(here, spread, xp.zeros_like(spread))
        return xp.permute_dims(xp.reshape(chosen, moved.shape), inverse_permutation(order))

    return vjp


def _prod_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis = None, keepdims: bool = False
) -> Raw:
    """The product of all others: out / x, or, where a zero forbids that, multiplied out."""
    spread = _spread(xp, g, x.shape, axis, keepdims)
    zero = x == 0
    if not bool(xp.any(zero)):
        return spread * (_spread(xp, out, x.shape, axis, keepdims) / x)
    if not isinstance(xp, TracedNamespace):  # numbers: what zeros leave over needs no n x n array
        rest = xp.where(zero, xp.ones_like(x), x)
        others = xp.prod(rest, axis=axis, keepdims=True) / rest
        count = xp.sum(zero, axis=axis, keepdims=True)  # of the zeros beside which x stands
        needed = xp.where(zero, count == 1, count == 0)
        return spread * xp.where(needed, others, xp.zeros_like(x))
    reduced = normalize_axes(axis, x.ndim, "prod")
    kept = tuple(a for a in range(x.ndim) if a not in reduced)
    order = kept + reduced
    moved = xp.permute_dims(x, order)
    length = math.prod(x.shape[a] for a in reduced)
    lead = tuple(x.shape[a] for a in kept)
    rows = xp.broadcast_to(xp.reshape(moved, (*lead, 1, length)), (*lead, length, length))
    own = xp.broadcast_to(xp.eye(length) != 0, rows.shape)
    others = xp.prod(xp.where(own, xp.ones_like(rows), rows), axis=-1)
    partial = xp.permute_dims(xp.reshape(others, moved.shape), inverse_permutation(order))
    return spread * partial


def _var_vjp(
    xp: Any,
    g: Raw,
    out: Raw,
    x: Raw,
    *,
    axis: Axis = None,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Raw:
    """2 (x - mean) / (n - correction); a negative n - correction counts as 0, as in var."""
    centered = x - xp.mean(x, axis=axis, keepdims=True)
    freedom = _count(x.shape, axis) - correction
    scale = 2.0 / freedom if freedom > 0.0 else math.inf
    return _spread(xp, g, x.shape, axis, keepdims) * centered * scale


def _std_vjp(
    xp: Any,
    g: Raw,
    out: Raw,
    x: Raw,
    *,
    axis: Axis = None,
    correction: float = 0.0,
    keepdims: bool = False,
) -> Raw:
    """(x - mean) / ((n - correction) std), and 0 where the spread is 0."""
    flat = out == 0
    safe = xp.where(flat, xp.ones_like(out), out)
    g = xp.where(flat, xp.zeros_like(g), g / (2.0 * safe))
    return _var_vjp(xp, g, out, x, axis=axis, correction=correction, keepdims=keepdims)


SUM = Rule(
    "sum",
    lambda xp, x, *, axis=None, keepdims=False: xp.sum(x, axis=axis, keepdims=keepdims),
    _sum_vjp,
    jvp="linear",
    not_saved=(0, OUT),
)
MEAN = Rule(
    "mean",
    lambda xp, x, *, axis=None, keepdims=False: xp.mean(x, axis=axis, keepdims=keepdims),
    _mean_vjp,
    jvp="linear",
    not_saved=(0, OUT),
)
MAX = Rule(
    "max",
    lambda xp, x, *, axis=None, keepdims=False: xp.max(x, axis=axis, keepdims=keepdims),
    _extreme_vjp("max"),
    jvp="reduction",
)
MIN = Rule(
    "min",
    lambda xp, x, *, axis=None, keepdims=False: xp.min(x, axis=axis, keepdims=keepdims),
    _extreme_vjp("min"),
    jvp="reduction",
)
PROD = Rule(
    "prod",
    lambda xp, x, *, axis=None, keepdims=False: xp.prod(x, axis=axis, keepdims=keepdims),
    _prod_vjp,
    jvp="reduction",
)
VAR = Rule(
    "var",
    lambda xp, x, *, axis=None, correction=0.0, keepdims=False: xp.var(
        x, axis=axis, correction=correction, keepdims=keepdims
    ),
    _var_vjp,
    jvp="reduction",
)
STD = Rule(
    "std",
    lambda xp, x, *, axis=None, correction=0.0, keepdims=False: xp.std(
        x, axis=axis, correction=correction, keepdims=keepdims
    ),
    _std_vjp,
    jvp="reduction",
)

# Views: the same elements in another arrangement -----------------------------------------------

RESHAPE = Rule(
    "reshape",
    lambda xp, x, *, shape: xp.reshape(x, shape),
    lambda xp, g, out, x, *, shape: xp.reshape(g, x.shape),
    jvp="linear",
    not_saved=(0, OUT),
)
PERMUTE_DIMS = Rule(
    "permute_dims",
    lambda xp, x, *, axes: xp.permute_dims(x, axes),
    lambda xp, g, out, x, *, axes: xp.permute_dims(g, inverse_permutation(axes)),
    jvp="linear",
    not_saved=(0, OUT),
)
FLIP = Rule(
    "flip",
    lambda xp, x, *, axis: xp.flip(x, axis=axis),
    lambda xp, g, out, x, *, axis: xp.flip(g, axis=axis),
    jvp="linear",
    not_saved=(0, OUT),
)


def _index_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, key: Any) -> Raw:
    return xp.index_add(xp.zeros(x.shape, dtype=x.dtype), key, g)


GETITEM = Rule("getitem", lambda xp, x, *, key: xp.index(x, key), _index_vjp, jvp="linear")

# Copies: repeated, chosen or joined elements ---------------------------------------------------

TAKE = Rule("getitem", lambda xp, x, *, key: xp.index(x, key), _index_vjp, jvp="linear")
BROADCAST_TO = Rule(
    "broadcast_to",
    lambda xp, x, *, shape: xp.broadcast_to(x, shape),
    lambda xp, g, out, x, *, shape: xp.sum_to_shape(g, x.shape),
    jvp="linear",
    not_saved=(0, OUT),
)


def _put_vjp(xp: Any, g: Raw, out: Raw, x: Raw, v: Raw, *, key: Any) -> Raw:
    """To v: of positions that are named twice, only the last put there what is there."""
    chosen = xp.index(g, key)
    order = xp.reshape(xp.arange(math.prod(chosen.shape)), chosen.shape)
    last = xp.index(xp.index_put(xp.zeros(x.shape, dtype=order.dtype), key, order), key)
    chosen = xp.where(last == order, chosen, xp.zeros_like(chosen))
    return xp.sum_to_shape(chosen, getattr(v, "shape", ()))


INDEX_PUT = Rule(
    "setitem",
    lambda xp, x, v, *, key: xp.index_put(x, key, v),
    lambda xp, g, out, x, v, *, key: xp.index_put(g, key, 0.0),
    _put_vjp,
    jvp="linear",
)
INDEX_ADD = Rule(
    "index_add",
    lambda xp, x, v, *, key: xp.index_add(x, key, v),
    lambda xp, g, out, x, v, *, key: g,
    lambda xp, g, out, x, v, *, key: xp.sum_to_shape(xp.index(g, key), getattr(v, "shape", ())),
    jvp="linear",
)
ASTYPE = Rule(
    "astype",
    lambda xp, x, *, dtype: xp.astype(x, dtype),
    lambda xp, g, out, x, *, dtype: xp.astype(g, x.dtype),
    jvp="linear",
    not_saved=(0, OUT),
)


def _concat_vjp(xp: Any, g: Raw, out: Raw, *xs: Raw, axis: int) -> Sequence[Raw]:
    axis = normalize_axis(axis, out.ndim, "concat")
    parts, start = [], 0
    for x in xs:
        stop = start + x.shape[axis]
        parts.append(xp.index(g, (slice(None),) * axis + (slice(start, stop),)))
        start = stop
    return parts


def _stack_vjp(xp: Any, g: Raw, out: Raw, *xs: Raw, axis: int) -> Sequence[Raw]:
    axis = normalize_axis(axis, out.ndim, "stack")
    return [xp.index(g, (slice(None),) * axis + (i,)) for i in range(len(xs))]


CONCAT = Rule(
    "concat",
    lambda xp, *xs, axis: xp.concat(list(xs), axis=axis),
    vjp_all=_concat_vjp,
    jvp="linear",
)
STACK = Rule(
    "stack",
    lambda xp, *xs, axis: xp.stack(list(xs), axis=axis),
    vjp_all=_stack_vjp,
    jvp="linear",
)
