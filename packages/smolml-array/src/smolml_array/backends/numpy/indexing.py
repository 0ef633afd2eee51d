"""Reading, adding and putting at positions of ndarrays; searching and sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from smolml_array._shapes.axes import ShapeError, normalize_axis
from smolml_array._shapes.picking import flat_along, is_basic
from smolml_array.backends.numpy.at_once import MANY
from smolml_array.backends.numpy.creation import astype
from smolml_array.backends.numpy.dtypes import F64
from smolml_array.backends.signatures import Raw, references

ndarray = np.ndarray


def index(x: Raw, key: Any, /) -> Raw:
    """x[key]; of one element a NumPy scalar, which the guard makes an array."""
    return x[key]


def _add_at(out: Any, key: Any, v: Any) -> None:
    if is_basic(key):
        out[key] += v
    elif out.ndim > 1 and 4 * v.size > out.size and out.flags.c_contiguous:
        # along one axis alone np.add.at is many times quicker
        places = np.arange(out.size).reshape(out.shape)[key]
        np.add.at(out.reshape(-1), places.ravel(), np.broadcast_to(v, places.shape).ravel())
    else:
        if v.ndim and out.ndim == 1:
            # with an index of more dimensions, NumPy 2.4 reads beyond a v of one
            v = np.broadcast_to(v, out[key].shape)
        np.add.at(out, key, v)


def _changed(out: Raw, key: Any, v: Raw, adds: bool) -> Raw:
    """`out` with v put at the key, or added there."""
    own = out.dtype
    if v.__class__ is ndarray:
        fits = v.dtype is own
    else:
        fits = v.__class__ is float and own is F64 and not adds
    if not fits:
        v = astype(np.asarray(v), own, copy=False)
    try:
        if adds:
            _add_at(out, key, v)
        else:
            out[key] = v
    except ValueError as error:
        who, part = "index_add" if adds else "setitem", np.shape(out[key])
        raise ShapeError(
            f"{who}: a value of shape {np.shape(v)} does not broadcast to {part}, "
            f"the shape of the indexed part"
        ) from error
    return out


# A copy lies in memory as what it copies: what is computed from another layout may round otherwise.


def index_add(x: Raw, key: Any, v: Raw, /) -> Raw:
    """A copy of x with v added at x[key]; positions that repeat accumulate."""
    return _changed(np.array(x), key, v, adds=True)


def index_add_into(total: Raw, key: Any, v: Raw, /) -> Raw:
    """total with v added at total[key], written into total."""
    return _changed(total, key, v, adds=True)


def index_put(x: Raw, key: Any, v: Raw, /) -> Raw:
    """A copy of x with x[key] = v, v broadcast and turned into x's dtype."""
    return _changed(np.array(x), key, v, adds=False)


def index_put_into(total: Raw, key: Any, v: Raw, /) -> Raw:
    """total with total[key] = v, written into total if no other array has its memory."""
    base, flags = total.base, total.flags
    free = flags.writeable
    if base is None:
        free = free and flags.owndata
    else:
        free = free and references(base) == _OWN and type(base) is ndarray and base.flags.owndata
    return _changed(total if free else np.array(total), key, v, adds=False)


def _held() -> int:
    """What `references` says of memory that one array looks into, and a name here."""
    look = np.zeros(2).reshape(1, 2)
    base = look.base
    return references(base)


_OWN = _held()


def sort(x: Raw, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Raw:
    """x sorted along the axis; nan is the largest."""
    axis = normalize_axis(axis, x.ndim, "sort")
    out = np.sort(x, axis, kind="stable" if stable else None)
    return np.flip(out, axis) if descending else out


def argsort(x: Raw, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Raw:
    """The positions that sort x; equal elements keep their order; nan is the largest."""
    axis = normalize_axis(axis, x.ndim, "argsort")
    if not descending:
        return _argsort(x, axis, stable)
    backwards = _argsort(np.flip(x, axis), axis, stable)  # flipped twice: equals stay in order
    return np.flip(x.shape[axis] - 1 - backwards, axis)


def _argsort(x: Any, axis: int, stable: bool) -> Any:
    """A stable sort takes twice as long, and is only needed where numbers are equal, or nan."""
    many = x.dtype.kind == "f" and x.size >= MANY
    order = np.argsort(x, axis, kind=None if many or not stable else "stable")
    if stable and many:
        ordered = np.moveaxis(x.reshape(-1)[flat_along(np, x.shape, order, axis)], axis, 0)
        if not np.all(ordered[1:] > ordered[:-1]):
            return np.argsort(x, axis, kind="stable")
    return order


def nonzero(x: Raw, /) -> tuple[Raw, ...]:
    """The positions of what is not zero, one array per axis."""
    if x.ndim == 0:
        raise ValueError("nonzero: a 0-d array has no positions: expected at least 1 dimension")
    return np.nonzero(x)


def searchsorted(x1: Raw, x2: Raw, /, *, side: str = "left", sorter: Raw | None = None) -> Raw:
    """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: unknown side {side!r}: expected 'left' or 'right'")
    return np.asarray(np.searchsorted(x1, x2, side, sorter))  # type: ignore[call-overload]
