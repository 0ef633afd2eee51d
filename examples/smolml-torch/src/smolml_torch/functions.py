"""Shapes, indexing, sorting, reductions, products."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smolml_array import extending as sm
from smolml_torch.arrays import DEVICE, NUMPY, Array, asarray, astype, result_type, torch_type

# Shapes ----------------------------------------------------------------------------------------


def _shaped(f: Callable[..., Tensor], *args: Any) -> Array:
    """f(*args), where PyTorch's RuntimeError says that shapes do not fit."""
    try:
        return Array(f(*args))
    except RuntimeError as error:
        raise sm.ShapeError(f"{f.__name__}: {error}") from None


def broadcast_to(x: Any, /, shape: sm.Shape) -> Array:
    """x repeated to the shape."""
    return _shaped(torch.broadcast_to, asarray(x).tensor, sm.as_shape(shape, "broadcast_to"))


def reshape(x: Array, /, shape: int | Sequence[int]) -> Array:
    """The same elements in C order in another shape; one length may be -1."""
    return _shaped(torch.reshape, x.tensor, (shape,) if isinstance(shape, int) else tuple(shape))


def permute_dims(x: Array, /, axes: Sequence[int]) -> Array:
    """x with its axes in this order."""
    return _shaped(torch.permute, x.tensor, sm.normalize_axes(tuple(axes), x.ndim, "permute_dims"))


def flip(x: Array, /, axis: sm.Axis = None) -> Array:
    """x backwards along the axes."""
    return Array(torch.flip(x.tensor, sm.normalize_axes(axis, x.ndim, "flip")))


def concat(arrays: Sequence[Array], /, axis: int | None = 0) -> Array:
    """The arrays joined along an axis; None flattens them first."""
    arrays = [reshape(x, (-1,)) for x in arrays] if axis is None else list(arrays)
    if len({x.ndim for x in arrays}) != 1:  # PyTorch lets (0,) pass beside anything
        raise sm.ShapeError("concat: expected arrays of as many dimensions, and at least one")
    common = torch_type(result_type(*arrays))
    axis = sm.normalize_axis(axis or 0, arrays[0].ndim, "concat")
    return _shaped(torch.concat, [x.tensor.to(common) for x in arrays], axis)


def full(shape: int | Sequence[int], fill_value: Any, *, dtype: Any = None) -> Array:
    """An array of one number, by default in the number's own type."""
    return Array(asarray(fill_value, dtype=dtype).tensor.repeat(sm.as_shape(shape, "full")))


def zeros(shape: int | Sequence[int], *, dtype: Any = None) -> Array:
    """Zeros."""
    return Array(torch.zeros(sm.as_shape(shape, "zeros"), dtype=torch_type(dtype), device=DEVICE))


# Indexing: a key means what NumPy says that it means ------------------------------------------


def _is_basic(key: Any) -> bool:
    """Whether PyTorch reads a key as NumPy does: ints, slices forwards, None and `...`."""
    return builtins.all(
        type(k) is int or k is None or k is Ellipsis or (type(k) is slice and k.step in (None, 1))
        for k in (key if isinstance(key, tuple) else (key,))
    )


def _positions(x: Array, key: Any) -> Tensor:
    """Where the elements of x[key] stand, counted in C order."""
    parts = key if isinstance(key, tuple) else (key,)
    plain = tuple(np.asarray(k) if isinstance(k, Array) else k for k in parts)
    places = np.arange(x.size).reshape(x.shape)[plain if isinstance(key, tuple) else plain[0]]
    return torch.tensor(places.copy(), device=DEVICE)  # PyTorch knows no negative steps


def index(x: Array, key: Any, /) -> Array:
    """x[key]."""
    if _is_basic(key):
        return Array(x.tensor[key])
    places = _positions(x, key)
    return Array(x.tensor.reshape(-1)[places.reshape(-1)].reshape(places.shape))


def _changed(x: Array, key: Any, v: Any, accumulate: bool) -> Array:
    places = _positions(x, key)
    value = astype(asarray(v), x.dtype, copy=False).tensor
    while value.ndim > places.ndim and value.shape[0] == 1 and places.ndim:
        value = value[0]
    value = _shaped(torch.broadcast_to, value, places.shape).tensor.reshape(-1)
    flat = x.tensor.reshape(-1).clone()
    if accumulate and flat.dtype == torch.bool:
        flat, value = flat.to(torch.int64), value.to(torch.int64)
    flat.index_put_((places.reshape(-1),), value, accumulate)
    return Array(flat.to(x.tensor.dtype).reshape(x.shape))


def index_add(x: Array, key: Any, v: Any, /) -> Array:
    """A copy of x with v added at x[key]; positions that repeat accumulate."""
    return _changed(x, key, v, True)


def index_put(x: Array, key: Any, v: Any, /) -> Array:
    """A copy of x with x[key] = v, v broadcast and turned into x's dtype."""
    return _changed(x, key, v, False)


def nonzero(x: Array, /) -> tuple[Array, ...]:
    """The positions of what is not zero, one array per axis."""
    if x.ndim == 0:
        raise ValueError("nonzero: a 0-d array has no positions: expected at least 1 dimension")
    return tuple(map(Array, torch.nonzero(x.tensor, as_tuple=True)))


def argsort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """The positions that sort x; equal elements keep their order; nan is the largest."""
    axis = sm.normalize_axis(axis, x.ndim, "argsort")
    return Array(torch.sort(x.tensor, stable=True, dim=axis, descending=descending).indices)


def searchsorted(x1: Array, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Array:
    """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""
    line, wanted = np.asarray(x1), np.asarray(asarray(x2))
    order = None if sorter is None else np.asarray(sorter)
    return asarray(NUMPY.searchsorted(line, wanted, side=side, sorter=order))


# Reductions, along one axis after the other: PyTorch often has but one -------------------------


def _reduced(f: Callable[..., Tensor], who: str, x: Array, axis: sm.Axis, keepdims: bool) -> Array:
    out = x.tensor
    for a in sorted(sm.normalize_axes(axis, x.ndim, who), reverse=True):
        if not out.shape[a] and who in ("max", "min"):
            raise sm.ShapeError(f"{who}: axis {a} is empty and {who} has no identity")
        out = f(out, a, keepdims).to(out.dtype)
    return Array(out)


def _counted(x: Any, dtype: Any) -> Array:
    """x as sum and prod take it: bools as int64, or all in the dtype asked for."""
    x = asarray(x, dtype=dtype)
    return astype(x, "int64") if dtype is None and x.dtype.kind == "b" else x


def sum(x: Any, /, axis: sm.Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Array:
    """The sum; 0 of nothing; bools are counted."""
    return _reduced(torch.sum, "sum", _counted(x, dtype), axis, keepdims)


def prod(x: Any, /, axis: sm.Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Array:
    """The product; 1 of nothing."""
    return _reduced(torch.prod, "prod", _counted(x, dtype), axis, keepdims)


def _reduction(f: Callable[..., Tensor], who: str, *, truth: bool = False) -> Any:
    def reduction(x: Any, /, axis: sm.Axis = None, *, keepdims: bool = False) -> Array:
        x = asarray(x)
        return _reduced(f, who, Array(x.tensor != 0) if truth else x, axis, keepdims)

    return reduction


max, min = _reduction(torch.amax, "max"), _reduction(torch.amin, "min")
any, all = _reduction(torch.any, "any", truth=True), _reduction(torch.all, "all", truth=True)


def _position(extreme: Any) -> Any:
    """The first place where the extreme stands: PyTorch promises any."""

    def position(x: Any, /, axis: int | None = None, *, keepdims: bool = False) -> Array:
        x = asarray(x)
        line = reshape(x, (-1,)) if axis is None else x
        a = sm.normalize_axis(axis or 0, line.ndim, "argmax")
        t, best = line.tensor, extreme(line, axis=a, keepdims=True).tensor
        places = torch.arange(t.shape[a], device=DEVICE).reshape((-1,) + (1,) * (t.ndim - 1 - a))
        hits = torch.where((t == best) | ((t != t) & (best != best)), places, t.shape[a])
        out = torch.amin(hits, a, keepdims)
        return Array(out.reshape((1,) * x.ndim) if axis is None and keepdims else out)

    return position


argmax, argmin = _position(max), _position(min)


def _scan(f: Callable[..., Tensor], start: int) -> Any:
    """A running sum or product; with include_initial `start` comes first."""

    def scan(
        x: Any, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
    ) -> Array:
        x = _counted(x, dtype)
        if axis is None and x.ndim != 1:
            raise ValueError(f"expected axis= for an array of {x.ndim} dimensions")
        a = sm.normalize_axis(axis or 0, x.ndim, f.__name__)
        out = f(x.tensor, a).to(x.tensor.dtype)
        lengths = (*x.shape[:a], int(include_initial), *x.shape[a + 1 :])
        first = torch.full(lengths, start, dtype=out.dtype, device=DEVICE)
        return Array(torch.cat([first, out], a))

    return scan


cumulative_sum, cumulative_prod = _scan(torch.cumsum, 0), _scan(torch.cumprod, 1)


def matmul(x1: Array, x2: Array, /) -> Array:
    """x1 @ x2 for 1-D, 2-D and batched operands."""
    dtype = result_type(x1, x2)
    common = torch.int64 if dtype.kind == "b" else torch_type(dtype)
    out = _shaped(torch.matmul, x1.tensor.to(common), x2.tensor.to(common))
    return astype(out, dtype, copy=False)
