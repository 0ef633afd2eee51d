"""Manipulation: the same elements in other shapes and orders, shifted, repeated, cut and joined."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Final, Self, overload

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.mixing import numbers_on
from smolml_array._graph.shaping import RESHAPE
from smolml_array._shapes.axes import (
    Axis,
    Shape,
    ShapeError,
    as_shape,
    inverse_permutation,
    is_index,
    move_axes,
    normalize_axes,
    normalize_axis,
    normalize_permutation,
    reshape_shape,
)
from smolml_array.backends.signatures import DType, Raw
from smolml_array.convert import as_dtype, check_cast, is_floating
from smolml_array.functions.indexing import index
from smolml_array.functions.table import (
    A,
    Array,
    array_function,
    as_array,
    entry,
    for_rules,
    linear,
)
from smolml_value.extending import TracedNamespace

# Windows onto the same Values ------------------------------------------------------------------

PERMUTE_DIMS = linear(
    "permute_dims",
    lambda xp, g, out, x, *, axes: xp.permute_dims(g, inverse_permutation(axes)),
    forward=lambda xp, x, *, axes: xp.permute_dims(x, axes),
    formula="{g}; back",
)
FLIP = linear("flip", lambda xp, g, out, x, *, axis: xp.flip(g, axis=axis), formula="{g}; back")


@array_function()
def reshape(x: Array, *shape: int | Sequence[int]) -> Array:
    """A window onto the same elements in C order in another shape; one length may be -1.

    Raises:
        ShapeError: the number of elements would change.
    """
    wanted = shape[0] if len(shape) == 1 else shape
    new = reshape_shape(x.shape, wanted)  # type: ignore[arg-type]  # it checks them
    return x._window(RESHAPE, {"shape": new})


@for_rules
def _reshape(x: A, shape: Shape) -> A:
    return x._rule(RESHAPE, x, shape=reshape_shape(x.shape, shape))


@array_function(numpy="ravel(a)")
def flatten(x: Array) -> Array:
    """A window onto all elements along one axis."""
    return reshape(x, -1) if math.prod(x.shape) else reshape(x, 0)


@array_function("x, /, axes", numpy="a, axes=None", name="permute_dims")
def transpose(x: Array, *axes: int | Sequence[int] | None) -> Array:
    """A window with the axes in another order, reversed if none is given.

    Raises:
        AxisError: the axes are not each named once.
    """
    given = axes[0] if len(axes) == 1 and not is_index(axes[0]) else axes
    if given is None or axes == ():
        order = tuple(reversed(range(len(x.shape))))
    else:
        order = normalize_permutation(given, len(x.shape), "transpose")  # type: ignore[arg-type]
    return x._window(PERMUTE_DIMS, {"axes": order})


@array_function("x, /, axis", numpy="a, axis=None")
def squeeze(x: Array, axis: Axis = None) -> Array:
    """A window without these axes of length 1; None: without all of them.

    Raises:
        ShapeError: an axis of another length.
    """
    node = x._current_node()
    return reshape(x, node.backend.squeeze(node.raw, axis=axis).shape)


@array_function("x, /, axis=0", numpy="a, axis")
def expand_dims(x: Array, axis: int | tuple[int, ...]) -> Array:
    """A window with axes of length 1 put in at these positions of the result."""
    node = x._current_node()
    return reshape(x, node.backend.expand_dims(node.raw, axis=axis).shape)


@array_function("x, /, *, axis=None", numpy="m, axis=None")
def flip(x: ArrayLike, axis: Axis = None) -> Array:
    """x backwards along the axes; None: along all. A window onto the same elements.

    Raises:
        AxisError: an axis that x does not have.

    >>> flip([[1, 2], [3, 4]], axis=1).to_list()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    array = as_array(x)
    return array._window(FLIP, {"axis": normalize_axes(axis, len(array.shape), "flip")})


@array_function("x, source, destination, /", numpy="a, source, destination")
def moveaxis(x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Array:
    """A window on x with axes moved to new positions, the others in order."""
    return transpose(x, move_axes(len(x.shape), source, destination, "moveaxis"))


@array_function(numpy="a, axis1, axis2")
def swapaxes(x: Array, axis1: int, axis2: int) -> Array:
    """A window on x with two axes in each other's place.

    Raises:
        AxisError: an axis that x does not have.

    >>> MLArray([[1.0, 2.0]]).swapaxes(0, 1).to_list()
    [[1.0], [2.0]]
    """
    i, j = (normalize_axis(axis, len(x.shape), "swapaxes") for axis in (axis1, axis2))
    return transpose(x, [{i: j, j: i}.get(k, k) for k in range(len(x.shape))])


@overload
def split(x: A, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[A]: ...
@overload
def split(x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]: ...
@entry(numpy="ary, indices_or_sections, axis=0")
def split(x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """x cut into pieces along an axis; as `numpy.split`. The pieces are windows onto x.

    Args:
        x: anything that MLArray takes.
        indices_or_sections: how many equal parts, or the positions to cut at.
        axis: along which axis.

    Raises:
        ShapeError: a length that cannot be cut into so many equal parts.
        AxisError: an axis that x does not have.

    >>> [piece.to_list() for piece in split([1, 2, 3, 4], 2)]
    [[1.0, 2.0], [3.0, 4.0]]
    >>> [piece.to_list() for piece in split([1, 2, 3, 4], [1, 3])]
    [[1.0], [2.0, 3.0], [4.0]]
    """
    array: Any = as_array(x)
    axis = normalize_axis(axis, len(array.shape), "split")
    n = array.shape[axis]
    if is_index(indices_or_sections):
        parts = operator.index(indices_or_sections)
        if parts < 1 or n % parts:
            raise ShapeError(
                f"split: axis {axis} of shape {array.shape} cannot be cut into {parts} equal "
                f"parts; give the positions to cut at, such as [{n // 2}]"
            )
        cuts = tuple(range(n // parts, n, n // parts)) if n else (0,) * (parts - 1)
    else:
        cuts = _integers("split: indices_or_sections", indices_or_sections)
    lead = (slice(None),) * axis
    pairs = zip((0, *cuts), (*cuts, n), strict=True)
    return [array[(*lead, slice(start, stop))] for start, stop in pairs]


# Copies: elements repeated, shifted, joined, in another type -----------------------------------

_FEW: Final = 8  # copies up to which adding them up beats sums over so short an axis

BROADCAST_TO = linear(
    "broadcast_to",
    lambda xp, g, out, x, *, shape: xp.sum_to_shape(g, x.shape),
    formula="{g}; summed {shape}",
)
ASTYPE = linear(
    "astype",
    lambda xp, g, out, x, *, dtype: xp.astype(g, x.dtype),
    forward=lambda xp, x, *, dtype: xp.astype(x, dtype),
)
ROLL = linear(
    "roll",
    lambda xp, g, out, x, *, shift, axis: xp.roll(g, tuple(-s for s in shift), axis=axis),
)


@array_function("x, /, shape", numpy="array, shape")
def broadcast_to(x: Array, shape: int | Sequence[int]) -> Array:
    """Repeated to this shape."""
    return x._rule(BROADCAST_TO, x, shape=as_shape(shape, "broadcast_to"))


@array_function()
def astype(x: Array, dtype: DType | str) -> Array:
    """The numbers in another type; gradients flow between floats, others are constants.

    Raises:
        TypeError: a type that the backend does not have.
        ValueError: floats that are no integers in int64: nan, inf, or too large.
    """
    xp = x._node.backend
    wanted = as_dtype(xp, dtype)
    check_cast(xp, x._current_node().raw, wanted, "astype")
    source = x if xp.isdtype(wanted, "real floating") else x.detach()
    return x._rule(ASTYPE, source, dtype=wanted)


def floating(x: A) -> A:
    """The numbers as floats."""
    node = x._current_node()
    if is_floating(node.backend, node.raw):
        return x
    return x._rule(ASTYPE, x, dtype=node.backend.float64)


@array_function("x, /, shift, *, axis=None", numpy="a, shift, axis=None")
def roll(x: ArrayLike, shift: int | Sequence[int], axis: Axis = None) -> Array:
    """x shifted along the axes: out[i + shift] = x[i], what falls out comes in again.

    Args:
        x: anything that MLArray takes.
        shift: how far; several numbers for several axes.
        axis: along which axes; None: all elements in C order.

    Raises:
        AxisError: an axis that x does not have.
        ValueError: not as many shifts as axes.

    >>> roll(MLArray([1.0, 2.0, 3.0]), 1).to_list()
    [3.0, 1.0, 2.0]
    """
    array = as_array(x)
    shifts = _integers("roll: shift", shift)
    if axis is None:
        return array._rule(ROLL, array, shift=(sum(shifts),), axis=None)
    given = (axis,) if is_index(axis) else tuple(axis)  # type: ignore[arg-type]
    axes = tuple(normalize_axis(a, len(array.shape), "roll") for a in given)
    return array._rule(ROLL, array, shift=shifts, axis=axes)


def _repeat_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, repeats: int, axis: int) -> Raw:
    """The sum over the copies of each element."""
    if 0 < repeats <= _FEW and not isinstance(xp, TracedNamespace):
        copies = (
            xp.index(g, (*(slice(None),) * axis, slice(i, None, repeats))) for i in range(repeats)
        )
        return reduce(xp.add, copies)
    apart = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    return xp.sum(xp.reshape(g, apart), axis=axis + 1)


REPEAT = linear(
    "repeat",
    _repeat_vjp,
    forward=lambda xp, x, *, repeats, axis: xp.repeat(x, repeats, axis=axis),
)


@array_function("x, repeats, /, *, axis=None", numpy="a, repeats, axis=None")
def repeat(x: ArrayLike, repeats: ArrayLike, axis: int | None = None) -> Array:
    """Each element, or each slice along the axis, repeated; the gradient is the sum of the copies'.

    Args:
        x: anything that MLArray takes.
        repeats: how often: one integer, or one for each slice.
        axis: along which axis; None flattens x first.

    Raises:
        ShapeError: neither one number nor one for each slice.
        ValueError: a negative number.

    >>> repeat([1, 2], 2).to_list(), repeat([1, 2], [1, 3]).to_list()
    ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 2.0, 2.0])
    """
    array = as_array(x)
    if axis is None:
        array, axis = flatten(array), 0
    axis = normalize_axis(axis, len(array.shape), "repeat")
    n = array.shape[axis]
    xp = array._current_node().backend
    if isinstance(repeats, Array):
        repeats = numbers_on(xp, repeats)
    if not hasattr(repeats, "shape"):
        repeats = list(_integers("repeat: repeats", repeats))
    counts = xp.reshape(xp.asarray(repeats), (-1,))
    if counts.size and counts.dtype != xp.int64:
        raise TypeError(f"repeat: repeats: expected integers, got an array of {counts.dtype}")
    if counts.size and bool(xp.less(xp.min(counts), 0)):
        shown = tuple(xp.to_flat(counts))
        raise ValueError(f"repeat: a number of repeats is negative: {shown}: expected >= 0")
    if counts.size == 1:
        return array._rule(REPEAT, array, repeats=xp.to_flat(counts)[0], axis=axis)
    if counts.size != n:
        raise ShapeError(
            f"repeat: {counts.size} numbers of repeats for axis {axis} of shape {array.shape}: "
            f"expected one, or {n}"
        )
    origins = xp.repeat(xp.arange(n), counts if n else 0)
    return index(array, (*(slice(None),) * axis, origins))


def _tile_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, repetitions: tuple[int, ...]) -> Raw:
    """The sum over the tiles."""
    own = (1,) * (len(repetitions) - len(x.shape)) + tuple(x.shape)
    apart = tuple(n for pair in zip(repetitions, own, strict=True) for n in pair)
    tiles = xp.reshape(g, apart)
    return xp.reshape(xp.sum(tiles, axis=tuple(range(0, len(apart), 2))), x.shape)


TILE = linear("tile", _tile_vjp, forward=lambda xp, x, *, repetitions: xp.tile(x, repetitions))


@array_function("x, repetitions, /", numpy="A, reps")
def tile(x: ArrayLike, repetitions: int | Sequence[int]) -> Array:
    """x laid side by side, so many times along each axis, the last ones if they are fewer.

    Raises:
        ShapeError: a negative number.

    >>> tile([1, 2], 2).to_list(), tile([1, 2], (2, 1)).to_list()
    ([1.0, 2.0, 1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])
    """
    array = as_array(x)
    counts = as_shape(repetitions, "tile")
    counts = (1,) * (len(array.shape) - len(counts)) + counts
    return array._rule(TILE, array, repetitions=counts)


def _integers(who: str, given: Any) -> tuple[int, ...]:
    """One integer or several, as a tuple."""
    several = given if isinstance(given, Iterable) else (given,)
    try:
        return tuple(map(operator.index, several))
    except TypeError:
        raise TypeError(f"{who}: expected integers, got {given!r:.60}") from None


class Manipulation(Array):
    """These functions as methods."""

    __slots__ = ()
    reshape: Final = reshape
    flatten: Final = flatten
    ravel: Final = flatten
    transpose: Final = transpose
    squeeze: Final = squeeze
    swapaxes: Final = swapaxes
    expand_dims: Final = expand_dims
    flip: Final = flip
    broadcast_to: Final = broadcast_to
    astype: Final = astype
    roll: Final = roll
    repeat: Final = repeat
    tile: Final = tile
    split: Final = split

    @property
    def T(self) -> Self:
        """The axes reversed."""
        return transpose(self)
