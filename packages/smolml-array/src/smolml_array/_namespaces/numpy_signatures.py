"""NumPy's signatures for the array namespace's functions: np.sum(a, axis, dtype) and the like.

Each takes the array namespace `xp` and then what NumPy's function takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from smolml_array.functions import products

Function = Callable[..., Any]

# Reductions ------------------------------------------------------------------------------------


def _reduction(name: str) -> Function:
    def reduce(xp: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return getattr(xp, name)(xp.asarray(a), axis=axis, keepdims=keepdims)

    return reduce


def _typed_reduction(name: str) -> Function:
    def reduce(
        xp: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False
    ) -> Any:
        a = xp.asarray(a) if dtype is None else xp.astype(xp.asarray(a), dtype, copy=False)
        return getattr(xp, name)(a, axis=axis, keepdims=keepdims)

    return reduce


def _spread(name: str) -> Function:
    def reduce(
        xp: Any,
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        *,
        ddof: float = 0.0,
        correction: float | None = None,
        keepdims: bool = False,
    ) -> Any:
        a = xp.asarray(a) if dtype is None else xp.astype(xp.asarray(a), dtype, copy=False)
        correction = ddof if correction is None else correction
        return getattr(xp, name)(a, axis=axis, correction=correction, keepdims=keepdims)

    return reduce


def _ptp(xp: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = xp.asarray(a)
    return xp.max(a, axis=axis, keepdims=keepdims) - xp.min(a, axis=axis, keepdims=keepdims)


def _scan(name: str) -> Function:
    def scan(xp: Any, a: Any, axis: int | None = None, dtype: Any = None) -> Any:
        a = xp.asarray(a)
        a, axis = (a.flatten(), 0) if axis is None else (a, axis)
        return getattr(xp, name)(a, axis=axis, dtype=dtype)

    return scan


def _norm(xp: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return products.norm(xp.asarray(x), ord, axis, keepdims)


def _clip(
    xp: Any, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    low, high = (_plain(xp, bound) for bound in (low, high))
    return xp.clip(xp.asarray(a), low, high)


def _plain(xp: Any, x: Any) -> Any:
    return x if x is None or isinstance(x, float | int) else xp.asarray(x)


def _round(xp: Any, a: Any) -> Any:
    return xp.round(a)


# Shapes ----------------------------------------------------------------------------------------


def _expand_dims(xp: Any, a: Any, axis: Any) -> Any:
    return xp.expand_dims(xp.asarray(a), axis=axis)


def _flip(xp: Any, m: Any, axis: Any = None) -> Any:
    return xp.flip(xp.asarray(m), axis=axis)


def _reshape(xp: Any, a: Any, /, shape: Any, *, order: str = "C", copy: bool | None = None) -> Any:
    if order != "C":
        raise TypeError(f"np.reshape of MLArrays: order {order!r}: expected 'C'")
    shape = (shape,) if isinstance(shape, int) else shape
    return xp.reshape(xp.asarray(a), shape, copy=copy)


def _ravel(xp: Any, a: Any) -> Any:
    return xp.asarray(a).flatten()


def _transpose(xp: Any, a: Any, axes: Any = None) -> Any:
    return xp.asarray(a).transpose(axes)


def _swapaxes(xp: Any, a: Any, axis1: int, axis2: int) -> Any:
    a = xp.asarray(a)
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return a.transpose(order)


def _moveaxis(xp: Any, a: Any, source: Any, destination: Any) -> Any:
    return xp.moveaxis(xp.asarray(a), source, destination)


def _squeeze(xp: Any, a: Any, axis: Any = None) -> Any:
    return xp.asarray(a).squeeze(axis)


def _broadcast_to(xp: Any, array: Any, shape: Any) -> Any:
    return xp.broadcast_to(xp.asarray(array), shape)


def _broadcast_arrays(xp: Any, *args: Any) -> Any:
    if any(arg is None or isinstance(arg, str) for arg in args):  # as matplotlib's bar() does
        import numpy as np

        return np.broadcast_arrays(*(np.asarray(arg) for arg in args))
    return xp.broadcast_arrays(*map(xp.asarray, args))


def _concatenate(xp: Any, arrays: Any, axis: int | None = 0) -> Any:
    return xp.concat([xp.asarray(a) for a in arrays], axis=axis)


def _stack(xp: Any, arrays: Any, axis: int = 0) -> Any:
    return xp.stack([xp.asarray(a) for a in arrays], axis=axis)


def _joined(first_axis: int, xp: Any, tup: Any) -> Any:
    """vstack (0) and hstack (1): rows of at least 2-D arrays, or columns."""
    arrays = [xp.asarray(a) for a in tup]
    if first_axis:
        arrays = [a.reshape(1) if a.ndim == 0 else a for a in arrays]
        return xp.concat(arrays, axis=0 if arrays[0].ndim == 1 else 1)
    return xp.concat([_at_least(2, xp, a) for a in arrays], axis=0)


def _column_stack(xp: Any, tup: Any) -> Any:
    arrays = [xp.asarray(a) for a in tup]
    return xp.concat([a if a.ndim > 1 else a.reshape((-1, 1)) for a in arrays], axis=1)


def _at_least(ndim: int, xp: Any, *arys: Any) -> Any:
    """atleast_1d and atleast_2d."""
    made = tuple(a.reshape((1,) * max(ndim - a.ndim, 0) + a.shape) for a in map(xp.asarray, arys))
    return made[0] if len(made) == 1 else made


def _split(xp: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return xp.asarray(ary).split(indices_or_sections, axis)


def _pad(
    xp: Any, array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0
) -> Any:
    return xp.asarray(array).pad(pad_width, mode, _plain(xp, constant_values))


def _diagonal(name: str) -> Function:
    def function(xp: Any, a: Any, offset: int = 0) -> Any:
        return getattr(xp.asarray(a), name)(offset)

    return function


def _sliding_windows(xp: Any, x: Any, window_shape: Any, axis: Any = None) -> Any:
    return xp.asarray(x).sliding_windows(window_shape, axis)


def _roll(xp: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    return xp.roll(xp.asarray(a), shift, axis=axis)


def _tile(xp: Any, A: Any, reps: Any) -> Any:
    return xp.tile(xp.asarray(A), reps if isinstance(reps, int) else tuple(reps))


def _repeat(xp: Any, a: Any, repeats: Any, axis: int | None = None) -> Any:
    return xp.repeat(xp.asarray(a), repeats, axis=axis)


def _triangle(name: str) -> Function:
    def function(xp: Any, m: Any, k: int = 0) -> Any:
        return getattr(xp, name)(xp.asarray(m), k=k)

    return function


def _diff(xp: Any, a: Any, n: int = 1, axis: int = -1) -> Any:
    return xp.diff(xp.asarray(a), axis=axis, n=n)


def _copy(xp: Any, a: Any) -> Any:
    return xp.asarray(a, copy=True)


def _filled_like(name: str) -> Function:
    def function(xp: Any, a: Any, dtype: Any = None) -> Any:
        return getattr(xp, name)(a, dtype=dtype)

    return function


def _full_like(xp: Any, a: Any, fill_value: Any, dtype: Any = None) -> Any:
    return xp.full_like(a, fill_value, dtype=dtype)


# Products --------------------------------------------------------------------------------------


def _dot(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return a @ b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 2,)))


def _inner(xp: Any, a: Any, b: Any) -> Any:
    a, b = xp.asarray(a), xp.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


def _outer(xp: Any, a: Any, b: Any) -> Any:
    return xp.asarray(a).reshape((-1, 1)) * xp.asarray(b).reshape((1, -1))


def _einsum(xp: Any, subscripts: str, /, *operands: Any) -> Any:
    return products.einsum(subscripts, *map(xp.asarray, operands))


def _vdot(xp: Any, a: Any, b: Any) -> Any:
    return xp.asarray(a).flatten() @ xp.asarray(b).flatten()


def _tensordot(xp: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    if not isinstance(axes, int):
        axes = tuple((side,) if isinstance(side, int) else tuple(side) for side in axes)
    return xp.tensordot(xp.asarray(a), xp.asarray(b), axes=axes)


# Picking and sorting ---------------------------------------------------------------------------


def _where(xp: Any, condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None or y is None:
        return xp.nonzero(xp.asarray(condition))
    return xp.where(xp.asarray(condition), _plain(xp, x), _plain(xp, y))


def _take(xp: Any, a: Any, indices: Any, axis: int | None = None) -> Any:
    a, at = xp.asarray(a), xp.asarray(indices)
    a, axis = (a.flatten(), 0) if axis is None else (a, axis)
    return xp.take(a, at, axis=axis)


def _take_along_axis(xp: Any, arr: Any, indices: Any, axis: int | None = -1) -> Any:
    arr, at = xp.asarray(arr), xp.asarray(indices)
    arr, axis = (arr.flatten(), 0) if axis is None else (arr, axis)
    return xp.take_along_axis(arr, at, axis=axis)


def _sorting(name: str) -> Function:
    def function(xp: Any, a: Any, axis: int | None = -1, *, stable: bool = True) -> Any:
        a = xp.asarray(a)
        a, axis = (a.flatten(), 0) if axis is None else (a, axis)
        return getattr(xp, name)(a, axis=axis)

    return function


def _nonzero(xp: Any, a: Any) -> Any:
    return xp.nonzero(a)


def _searchsorted(xp: Any, a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    order = None if sorter is None else xp.asarray(sorter)
    return xp.searchsorted(xp.asarray(a), _plain(xp, v), side=side, sorter=order)


FUNCTIONS: Final[dict[str, Function]] = {
    **{n: _reduction(n) for n in ("all", "any", "argmax", "argmin", "count_nonzero", "max", "min")},
    **{n: _typed_reduction(n) for n in ("mean", "prod", "sum")},
    **{n: _spread(n) for n in ("std", "var")},
    **{n: _filled_like(n) for n in ("empty_like", "ones_like", "zeros_like")},
    **{n: _sorting(n) for n in ("argsort", "sort")},
    **{n: _triangle(n) for n in ("tril", "triu")},
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "around": _round,
    "atleast_1d": partial(_at_least, 1),
    "atleast_2d": partial(_at_least, 2),
    "broadcast_arrays": _broadcast_arrays,
    "broadcast_to": _broadcast_to,
    "clip": _clip,
    "column_stack": _column_stack,
    "concatenate": _concatenate,
    "copy": _copy,
    "cumprod": _scan("cumulative_prod"),
    "cumsum": _scan("cumulative_sum"),
    "diagonal": _diagonal("diagonal"),
    "diff": _diff,
    "dot": _dot,
    "einsum": _einsum,
    "expand_dims": _expand_dims,
    "flip": _flip,
    "full_like": _full_like,
    "hstack": partial(_joined, 1),
    "inner": _inner,
    "linalg.norm": _norm,
    "moveaxis": _moveaxis,
    "nonzero": _nonzero,
    "outer": _outer,
    "pad": _pad,
    "ptp": _ptp,
    "ravel": _ravel,
    "repeat": _repeat,
    "reshape": _reshape,
    "roll": _roll,
    "round": _round,
    "searchsorted": _searchsorted,
    "lib.stride_tricks.sliding_window_view": _sliding_windows,
    "split": _split,
    "squeeze": _squeeze,
    "stack": _stack,
    "swapaxes": _swapaxes,
    "take": _take,
    "take_along_axis": _take_along_axis,
    "tensordot": _tensordot,
    "tile": _tile,
    "trace": _diagonal("trace"),
    "transpose": _transpose,
    "vdot": _vdot,
    "vstack": partial(_joined, 0),
    "where": _where,
}
"""The functions of NumPy that MLArrays have, by their names below `numpy.`."""
