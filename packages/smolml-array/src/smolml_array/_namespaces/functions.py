"""The array API's functions that need shape, on MLArrays, with the standard's signatures.

What only arranges or picks elements runs on their positions; the gradient then goes the way back.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, Literal

from smolml_array._namespaces.elementwise import apply, constant, is_tracked
from smolml_array._shapes.axes import Axis, Shape, _broadcast_shapes, move_axes, normalize_axis
from smolml_array._shapes.contraction import Axes, tensordot_axes, vecdot_axes
from smolml_array.array import MLArray
from smolml_array.backends.protocol import DType
from smolml_array.functions import joining
from smolml_value import table

_bool = builtins.bool
_Bound = MLArray | float | None


def array_of(who: str, x: object) -> MLArray:
    """x, which must be an MLArray."""
    if not isinstance(x, MLArray):
        raise TypeError(f"{who}: expected an MLArray, got {type(x).__name__}; use asarray(x)")
    return x


def raw_of(x: Any) -> Any:
    """The raw array of an MLArray; anything else as it is."""
    return x._fetch().raw if isinstance(x, MLArray) else x


def copied(x: MLArray) -> MLArray:
    """The same numbers in an array of its own, still in the graph."""
    return table.positive(x) if is_tracked(x) else x.detach()


# Element-wise, with parameters -----------------------------------------------------------------


def clip(x: MLArray, /, min: _Bound = None, max: _Bound = None) -> MLArray:
    """x held between min and max; None leaves that side open."""
    x = array_of("clip", x)
    bounds = (min, max)
    if builtins.any(map(is_tracked, (x, *bounds))):
        if builtins.all(bound is None or isinstance(bound, float | int) for bound in bounds):
            return table.clip(x, min=min, max=max)
        # where x is at a bound the cotangent is x's alone; maximum would split it
        low = x if min is None else joining.where(x >= min, x, apply("maximum", x, min))
        return low if max is None else joining.where(low <= max, low, apply("minimum", low, max))
    low = x if min is None else apply("maximum", x, min)
    return copied(low) if max is None else apply("minimum", low, max)


def where(condition: MLArray, x1: MLArray | complex, x2: MLArray | complex, /) -> MLArray:
    """x1 where the condition holds, else x2."""
    if is_tracked(x1) or is_tracked(x2):
        return joining.where(condition, x1, x2)
    return constant("where", condition, x1, x2)  # type: ignore[no-any-return]


# Linear algebra --------------------------------------------------------------------------------


def matmul(x1: MLArray, x2: MLArray, /) -> MLArray:
    """x1 @ x2."""
    return joining.matmul(x1, x2)


def matrix_transpose(x: MLArray, /) -> MLArray:
    """The last two axes swapped."""
    return array_of("matrix_transpose", x).mT


def vecdot(x1: MLArray, x2: MLArray, /, *, axis: int = -1) -> MLArray:
    """The sum of products along one axis, the others broadcast."""
    x1, x2 = array_of("vecdot", x1), array_of("vecdot", x2)
    if not is_tracked(x1) and not is_tracked(x2):
        return x1._constant(
            x1._backend_of("vecdot", (x1, x2)),
            x1._fetch().backend.vecdot(raw_of(x1), raw_of(x2), axis=axis),
        )
    i, j = vecdot_axes(x1.shape, x2.shape, axis)
    return (moveaxis(x1, i, -1) * moveaxis(x2, j, -1)).sum(axis=-1)


def tensordot(x1: MLArray, x2: MLArray, /, *, axes: Axes = 2) -> MLArray:
    """The sum of products over the last axes of x1 and the first of x2, or those named."""
    x1, x2 = array_of("tensordot", x1), array_of("tensordot", x2)
    left, right = tensordot_axes(x1.shape, x2.shape, axes)
    rows = tuple(i for i in range(x1.ndim) if i not in left)
    columns = tuple(j for j in range(x2.ndim) if j not in right)
    k = _product(x1.shape[i] for i in left)
    n, m = (_product(x1.shape[i] for i in rows), _product(x2.shape[j] for j in columns))
    a = x1.transpose(rows + left).reshape(n, k)
    b = x2.transpose(right + columns).reshape(k, m)
    shape = (*(x1.shape[i] for i in rows), *(x2.shape[j] for j in columns))
    return a.matmul(b).reshape(shape)


def _product(lengths: Any) -> int:
    out = 1
    for n in lengths:
        out *= n
    return out


# Reductions ------------------------------------------------------------------------------------


def sum(
    x: MLArray, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: _bool = False
) -> MLArray:
    """The sum over an axis, several, or all (None)."""
    x = array_of("sum", x)
    return (x if dtype is None else x.astype(dtype)).sum(axis, keepdims)


def prod(
    x: MLArray, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: _bool = False
) -> MLArray:
    """The product over an axis, several, or all (None)."""
    x = array_of("prod", x)
    return (x if dtype is None else x.astype(dtype)).prod(axis, keepdims)


def mean(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """The mean over an axis, several, or all (None)."""
    return array_of("mean", x).mean(axis, keepdims)


def max(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """The largest element; its gradient goes to the first of several."""
    return array_of("max", x).max(axis, keepdims)


def min(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """The smallest element; its gradient goes to the first of several."""
    return array_of("min", x).min(axis, keepdims)


def var(
    x: MLArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: _bool = False
) -> MLArray:
    """The mean of (x - mean)**2, with n - correction in place of n."""
    return array_of("var", x).var(axis, keepdims, correction)


def std(
    x: MLArray, /, *, axis: Axis = None, correction: float = 0.0, keepdims: _bool = False
) -> MLArray:
    """The square root of var."""
    return array_of("std", x).std(axis, keepdims, correction)


def any(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """Whether an element is not zero."""
    return array_of("any", x).any(axis, keepdims)


def all(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """Whether no element is zero."""
    return array_of("all", x).all(axis, keepdims)


def argmax(x: MLArray, /, *, axis: int | None = None, keepdims: _bool = False) -> MLArray:
    """The position of the first largest element."""
    return array_of("argmax", x).argmax(axis, keepdims)


def argmin(x: MLArray, /, *, axis: int | None = None, keepdims: _bool = False) -> MLArray:
    """The position of the first smallest element."""
    return array_of("argmin", x).argmin(axis, keepdims)


def count_nonzero(x: MLArray, /, *, axis: Axis = None, keepdims: _bool = False) -> MLArray:
    """How many elements are not zero."""
    return sum(x != 0, axis=axis, keepdims=keepdims)


def cumulative_sum(
    x: MLArray,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: _bool = False,
) -> MLArray:
    """Sums of the elements up to each one; with include_initial a 0 comes first."""
    x = array_of("cumulative_sum", x)
    return (x if dtype is None else x.astype(dtype)).cumulative_sum(axis, include_initial)


def cumulative_prod(
    x: MLArray,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: _bool = False,
) -> MLArray:
    """Products of the elements up to each one; with include_initial a 1 comes first."""
    x = array_of("cumulative_prod", x)
    return (x if dtype is None else x.astype(dtype)).cumulative_prod(axis, include_initial)


def diff(
    x: MLArray,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: MLArray | None = None,
    append: MLArray | None = None,
) -> MLArray:
    """The differences of neighbours along the axis, n times over."""
    x = array_of("diff", x)
    place = normalize_axis(axis, x.ndim, "diff")
    if n < 0:
        raise ValueError(f"diff: n is {n}: expected >= 0")
    if n == 0:
        return copied(x)
    parts = [part for part in (prepend, x, append) if part is not None]
    x = x if len(parts) == 1 else concat(parts, axis=place)
    lead = (slice(None),) * place
    for _ in range(n):
        after, before = x[(*lead, slice(1, None))], x[(*lead, slice(None, -1))]
        x = apply("not_equal" if x.dtype.name == "bool" else "subtract", after, before)
    return x


# Shapes ----------------------------------------------------------------------------------------


def reshape(x: MLArray, /, shape: Shape, *, copy: _bool | None = None) -> MLArray:
    """The same elements in C order in another shape; one length may be -1."""
    x = array_of("reshape", x)
    return (copied(x) if copy else x).reshape(tuple(shape))


def permute_dims(x: MLArray, /, axes: Shape) -> MLArray:
    """x with its axes in this order."""
    return array_of("permute_dims", x).transpose(tuple(axes))


def moveaxis(
    x: MLArray, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> MLArray:
    """x with axes moved to new positions, the others in order."""
    x = array_of("moveaxis", x)
    return x.transpose(move_axes(x.ndim, source, destination, "moveaxis"))


def expand_dims(x: MLArray, /, axis: int | tuple[int, ...] = 0) -> MLArray:
    """x with axes of length 1 put in."""
    return array_of("expand_dims", x).expand_dims(axis)


def squeeze(x: MLArray, /, axis: int | tuple[int, ...]) -> MLArray:
    """x without these axes of length 1."""
    return array_of("squeeze", x).squeeze(axis)


def flip(x: MLArray, /, *, axis: Axis = None) -> MLArray:
    """x backwards along the axes."""
    return array_of("flip", x).flip(axis)


def broadcast_to(x: MLArray, /, shape: Shape) -> MLArray:
    """x repeated to the shape."""
    return array_of("broadcast_to", x).broadcast_to(shape)


def broadcast_arrays(*arrays: MLArray) -> tuple[MLArray, ...]:
    """The arrays, each with the common shape."""
    shapes = [array_of("broadcast_arrays", x).shape for x in arrays]
    shape = _broadcast_shapes(*shapes, who="broadcast_arrays")
    return tuple(x.broadcast_to(shape) for x in arrays)


def concat(arrays: Sequence[MLArray], /, *, axis: int | None = 0) -> MLArray:
    """The arrays joined along an axis; None flattens them first."""
    return joining.concat(arrays, axis)


def stack(arrays: Sequence[MLArray], /, *, axis: int = 0) -> MLArray:
    """Arrays of one shape side by side along a new axis."""
    return joining.stack(arrays, axis)


def unstack(x: MLArray, /, *, axis: int = 0) -> tuple[MLArray, ...]:
    """The slices along the axis."""
    x = array_of("unstack", x)
    place = normalize_axis(axis, x.ndim, "unstack")
    return tuple(x[(*(slice(None),) * place, i)] for i in range(x.shape[place]))


def roll(x: MLArray, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> MLArray:
    """x shifted along the axes, what falls out comes in again; None: in C order."""
    return array_of("roll", x).roll(shift, axis)


def tile(x: MLArray, repetitions: tuple[int, ...], /) -> MLArray:
    """x laid side by side, so many times along each axis."""
    return array_of("tile", x).tile(repetitions)


def repeat(x: MLArray, repeats: int | MLArray, /, *, axis: int | None = None) -> MLArray:
    """Each element (or slice along the axis) repeated; None flattens first."""
    return array_of("repeat", x).repeat(repeats, axis)


def tril(x: MLArray, /, *, k: int = 0) -> MLArray:
    """The lower triangle of the last two axes: zeros above the k-th diagonal."""
    return array_of("tril", x).tril(k)


def triu(x: MLArray, /, *, k: int = 0) -> MLArray:
    """The upper triangle of the last two axes: zeros below the k-th diagonal."""
    return array_of("triu", x).triu(k)


# Picking, sorting, searching -------------------------------------------------------------------


def take(x: MLArray, indices: MLArray, /, *, axis: int | None = None) -> MLArray:
    """The slices at these positions of the axis (which a 1-D x need not name)."""
    return array_of("take", x).take(indices, axis)


def take_along_axis(x: MLArray, indices: MLArray, /, *, axis: int = -1) -> MLArray:
    """For each position of `indices` the element of x there, along the axis."""
    return array_of("take_along_axis", x).take_along_axis(indices, axis)


def sort(
    x: MLArray, /, *, axis: int = -1, descending: _bool = False, stable: _bool = True
) -> MLArray:
    """x sorted along the axis; nan is the largest."""
    return array_of("sort", x).sort(axis, descending, stable)


def argsort(
    x: MLArray, /, *, axis: int = -1, descending: _bool = False, stable: _bool = True
) -> MLArray:
    """The positions that sort x; equal elements keep their order; nan is the largest."""
    return array_of("argsort", x).argsort(axis, descending, stable)


def searchsorted(
    x1: MLArray,
    x2: MLArray | float,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: MLArray | None = None,
) -> MLArray:
    """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""
    node = array_of("searchsorted", x1)._fetch()
    found = node.backend.searchsorted(node.raw, raw_of(x2), side=side, sorter=raw_of(sorter))
    return x1._constant(node.backend, found)


def nonzero(x: MLArray, /) -> tuple[MLArray, ...]:
    """The positions of what is not zero, one array per axis."""
    node = array_of("nonzero", x)._fetch()
    return tuple(x._constant(node.backend, p) for p in node.backend.nonzero(node.raw))


def conj(x: MLArray, /) -> MLArray:
    """x itself: there are no complex numbers."""
    return array_of("conj", x)


def real(x: MLArray, /) -> MLArray:
    """x itself: there are no complex numbers."""
    return array_of("real", x)
