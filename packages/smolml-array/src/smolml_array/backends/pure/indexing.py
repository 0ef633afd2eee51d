"""NumPy's indexing on flat lists: a key becomes, for each axis of the result, a list of offsets."""

from __future__ import annotations

import math
import operator
from itertools import repeat as again
from typing import Any, NamedTuple

from smolml_array._shapes.axes import Shape, ShapeError, _broadcast_shapes, fits, strides
from smolml_array._shapes.sizes import check_count
from smolml_array.backends.pure.broadcasting import expand, gather, offsets
from smolml_array.backends.pure.creation import asarray
from smolml_array.backends.pure.dtypes import bool_, float64, int64, settled
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, cast
from smolml_array.backends.signatures import references

_FORMS = (
    "only integers, slices (`:`), ellipsis (`...`), newaxis (`None`) and integer or boolean arrays "
    "are valid indices"
)


class _Picks(NamedTuple):
    """Positions along one axis, from an integer array in the key or from one axis of a mask."""

    flat: list[int]
    shape: Shape
    axis: int | None  # None: a single True or False, which stands for no axis


def _part(k: Any) -> Any:
    """One part of a key as int, slice, None, ..., an int64 array or a bool array."""
    if k is None or k is Ellipsis or type(k) in (int, slice):
        return k
    if isinstance(k, NDArray | list | tuple | range | bool) or hasattr(k, "dtype"):
        array = asarray(k)
        if not array.flat and not hasattr(k, "dtype"):
            return NDArray([], array.shape, int64)  # x[[]]
        if array.dtype is int64:
            return array if array.shape else array.flat[0]
        if array.dtype is bool_:
            return array
        raise IndexError(f"arrays used as indices must be int64 or bool, not {array.dtype}")
    try:
        return operator.index(k)
    except TypeError:
        raise IndexError(f"{_FORMS}; got {k!r}") from None


def _axes_used(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, NDArray) and part.dtype is bool_ else 1


def _parts(key: Any, ndim: int) -> list[Any]:
    """The parts of a key, with `...` written out and slices for the axes that are not named."""
    parts = list(map(_part, key if isinstance(key, tuple) else (key,)))
    used = sum(map(_axes_used, parts))
    ellipses = [i for i, p in enumerate(parts) if p is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > ndim:
        raise IndexError(
            f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed"
        )
    at = ellipses[0] if ellipses else len(parts)
    rest: list[Any] = [slice(None)] * (ndim - used)
    if ellipses and not rest:
        rest = [Ellipsis]  # stands for no axis, but still separates what is left and right of it
    return [*parts[:at], *rest, *parts[at + 1 :]]


def _position(i: int, axis: int, n: int) -> int:
    """A position along an axis of length n, counted from 0."""
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of bounds for axis {axis} with size {n}")
    return i + n if i < 0 else i


def _positions(flat: list[int], axis: int, n: int) -> list[int]:
    if flat and (min(flat) < 0 or max(flat) >= n):
        return [_position(i, axis, n) for i in flat]
    return flat


def true_positions(x: NDArray) -> list[list[int]]:
    """The positions of what is not zero, in C order: one list per axis."""
    hits = [i for i, v in enumerate(x.flat) if v]
    return [
        [i // step % n for i in hits] for n, step in zip(x.shape, strides(x.shape), strict=True)
    ]


def plan(shape: Shape, key: Any) -> tuple[list[Any], Shape]:
    """The offsets along each axis of x[key], for `gather`, and its shape.

    Integer arrays and masks in the key are read together as one group of axes. The group stands
    where they stood, or first if something else stood between them (NumPy's rule).

    >>> plan((2, 3), (slice(None), -1))
    ([range(0, 6, 3), [2]], (2,))
    """
    parts = _parts(key, len(shape))
    steps = strides(shape)
    grouped = (NDArray, int) if any(isinstance(p, NDArray) for p in parts) else NDArray
    dims: list[tuple[Any, Shape]] = []  # offsets, with what they add to the shape
    group: list[_Picks] = []  # the array indices, with their seats in the key
    seats: list[int] = []
    place = 0  # in dims, of the first of them
    axis = 0
    for seat, part in enumerate(parts):
        if isinstance(part, grouped):
            place = place if seats else len(dims)
            seats.append(seat)
            group += _picks(part, axis, shape)
        elif part is None:
            dims.append(([0], (1,)))
        elif isinstance(part, slice):
            r, step = range(shape[axis])[part], steps[axis]
            dims.append((range(r.start * step, r.stop * step, r.step * step), (len(r),)))
        elif part is not Ellipsis:
            dims.append(([_position(part, axis, shape[axis]) * steps[axis]], ()))
        axis += _axes_used(part)
    if group:
        adjacent = seats[-1] - seats[0] == len(seats) - 1
        dims.insert(place if adjacent else 0, _joined(group, shape))
    lengths = tuple(n for _, several in dims for n in several)
    check_count(math.prod(lengths), "index")
    return [offsets for offsets, _ in dims], lengths


def _picks(part: NDArray | int, axis: int, shape: Shape) -> list[_Picks]:
    """The positions that one array (or int) of the key names, for each axis it stands for."""
    if not isinstance(part, NDArray):
        return [_Picks([_position(part, axis, shape[axis])], (), axis)]
    if part.dtype is int64:
        return [_Picks(part.flat, part.shape, axis)]
    if not part.shape:
        return [_Picks([0] * part.flat[0], (int(part.flat[0]),), None)]
    for i, (n, m) in enumerate(zip(part.shape, shape[axis:], strict=False), start=axis):
        if n != m and n:  # NumPy lets a mask of length 0 pass
            raise IndexError(
                f"boolean index did not match indexed array along axis {i}; "
                f"size of axis is {m} but size of corresponding boolean axis is {n}"
            )
    return [_Picks(p, (len(p),), i) for i, p in enumerate(true_positions(part), start=axis)]


def _joined(group: list[_Picks], shape: Shape) -> tuple[list[int], Shape]:
    """The offsets that several array indices name together, and their common shape."""
    try:
        joined = _broadcast_shapes(*(p.shape for p in group))
    except ShapeError:
        shapes = " ".join(str(p.shape) for p in group)
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {shapes}"
        ) from None
    check_count(math.prod(joined), "index")
    total = [0] * math.prod(joined)
    if not total:
        return [], joined  # what names nothing is not out of bounds
    steps = strides(shape)
    for flat, own, axis in group:
        if axis is not None:
            at = expand(_positions(flat, axis, shape[axis]), own, joined)
            total = list(map(operator.add, total, map(operator.mul, at, again(steps[axis]))))
    return total, joined


def index(x: NDArray, key: Any, /) -> NDArray:
    """x[key], always as an array."""
    if type(key) is int and x.shape:  # one row: the commonest, and contiguous
        shape = x.shape[1:]
        block = math.prod(shape)
        at = _position(key, 0, x.shape[0]) * block
        return NDArray(x.flat[at : at + block], shape, x.dtype)
    dims, shape = plan(x.shape, key)
    return NDArray(gather(x.flat, dims) if 0 not in shape else [], shape, x.dtype)


def _value(who: str, v: Any, x: NDArray, key: Any, shape: Shape) -> list[Any]:
    """The elements of v, in x's dtype, broadcast to the shape of the indexed part."""
    v = cast(as_array(v, who), x.dtype)
    own = v.shape
    parts = key if isinstance(key, tuple) else (key,)
    is_element = not shape and all(type(k) is int for k in parts)  # which takes a number only
    while not is_element and len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    if not fits(own, shape):
        raise ShapeError(
            f"{who}: a value of shape {v.shape} does not broadcast to {shape}, "
            f"the shape of the indexed part"
        )
    return expand(v.flat, own, shape)


def index_add(x: NDArray, key: Any, v: Any, /) -> NDArray:
    """A copy of x with v added at x[key]; positions that repeat accumulate."""
    return index_add_into(NDArray(x.flat.copy(), x.shape, x.dtype), key, v)


def index_add_into(total: NDArray, key: Any, v: Any, /) -> NDArray:
    """total with v added at total[key], written into total."""
    dims, shape = plan(total.shape, key)
    flat = total.flat
    for at, value in zip(offsets(dims), _value("index_add", v, total, key, shape), strict=True):
        flat[at] += value
    if total.dtype is not float64:
        flat[:] = settled(flat, total.dtype)
    return total


def index_put(x: NDArray, key: Any, v: Any, /) -> NDArray:
    """A copy of x with x[key] = v, v broadcast and turned into x's dtype."""
    return _put(NDArray(x.flat.copy(), x.shape, x.dtype), key, v)


def index_put_into(total: NDArray, key: Any, v: Any, /) -> NDArray:
    """total with total[key] = v, written into total if no other array has its list."""
    return (_put if references(total.flat) == _OWN else index_put)(total, key, v)


_sample = NDArray([], (0,), int64)
_OWN = references(_sample.flat)


def _put(x: NDArray, key: Any, v: Any) -> NDArray:
    dims, shape = plan(x.shape, key)
    flat = x.flat
    for at, value in zip(offsets(dims), _value("setitem", v, x, key, shape), strict=True):
        flat[at] = value
    return x


def nonzero(x: NDArray, /) -> tuple[NDArray, ...]:
    """The positions of what is not zero, one array per axis."""
    if x.ndim == 0:
        raise ValueError("nonzero: a 0-d array has no positions: expected at least 1 dimension")
    return tuple(NDArray(p, (len(p),), int64) for p in true_positions(x))
