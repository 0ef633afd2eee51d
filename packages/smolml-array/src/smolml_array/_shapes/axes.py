"""Tuple arithmetic on shapes and axes, without any data: what all backends agree on."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any, SupportsIndex, TypeGuard

from smolml_array._shapes.sizes import check_lengths
from smolml_value.errors import SmolMLError

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class ShapeError(SmolMLError, ValueError):
    """Shapes that do not fit together."""


class AxisError(SmolMLError, ValueError, IndexError):
    """An axis that the array does not have, or that is named twice."""


def is_index(x: object) -> TypeGuard[SupportsIndex]:
    """Whether x can count as an integer: what isinstance(x, SupportsIndex) says, 100 times faster.

    An array that has axes is a sequence of integers at best.

    >>> is_index(2), is_index(2.0)
    (True, False)
    """
    return isinstance(x, int) or (hasattr(type(x), "__index__") and not getattr(x, "ndim", 0))


def _lengths(shape: object, who: str) -> Shape:
    given: Any = (shape,) if is_index(shape) else shape
    try:
        return tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"{who}: expected integers as the shape, got {shape!r}") from None


def as_shape(shape: SupportsIndex | Iterable[SupportsIndex], who: str = "shape") -> Shape:
    """A shape given as an int or as a sequence of ints, as a tuple.

    Raises:
        ShapeError: a negative length.
        TypeError: a length that is not an integer.
        MemoryError: more elements than can be counted.

    >>> as_shape(3), as_shape([2, 3])
    ((3,), (2, 3))
    """
    result = _lengths(shape, who)
    if result and min(result) < 0:
        raise ShapeError(f"{who}: shape {result} has a negative length: expected lengths >= 0")
    check_lengths(result, who)
    return result


def strides(shape: Shape) -> Shape:
    """Steps, counted in elements, between neighbours along each axis in C order.

    A length of 0 counts as 1, so that no stride is 0.

    >>> strides((2, 3, 4))
    (12, 4, 1)
    """
    steps = []
    step = 1
    for length in reversed(shape):
        steps.append(step)
        step *= length or 1
    return tuple(reversed(steps))


def fits(shape: Shape, to: Shape) -> bool:
    """Whether an array of `shape` can be repeated to the shape `to`."""
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(own in (1, wanted) for own, wanted in pairs)


def broadcast_strides(shape: Shape, to: Shape) -> Shape:
    """Strides that read an array of `shape` as if it had the shape `to`: 0 where it repeats.

    >>> broadcast_strides((3, 1), (2, 3, 4))
    (0, 1, 0)
    """
    own = (0 if n == 1 else step for n, step in zip(shape, strides(shape), strict=True))
    return (0,) * (len(to) - len(shape)) + tuple(own)


def check_matrix(shape: Shape, who: str) -> None:
    """Raise ShapeError for the shape of an array of fewer than 2 dimensions."""
    if len(shape) < 2:
        raise ShapeError(f"{who}: shape {shape}: expected at least 2 dimensions")


def _join(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes[:-1])) + f" and {shapes[-1]}"


def _ordinal(i: int) -> str:
    return _ORDINALS[i] if i < len(_ORDINALS) else f"{i + 1}th"


def _broadcast_shapes(*shapes: Shape, who: str = "broadcast") -> Shape:
    """The common shape of operands (NumPy's rule): align at the right; equal, or one of them 1.

    Raises:
        ShapeError: the shapes do not broadcast; names the first two axes that disagree.

    >>> _broadcast_shapes((2, 1), (3,), ())
    (2, 3)
    """
    if len(shapes) == 2 and shapes[0] == shapes[1]:
        return shapes[0]
    result = []
    for back, lengths in enumerate(zip_longest(*map(reversed, shapes), fillvalue=1), start=1):
        wide = {n for n in lengths if n != 1}
        if len(wide) > 1:
            i, j = (lengths.index(n) for n in sorted(wide, key=lengths.index)[:2])
            raise ShapeError(
                f"{who}: shapes {_join(shapes)} do not broadcast: "
                f"{lengths[i]} (axis {len(shapes[i]) - back} of the {_ordinal(i)}) != "
                f"{lengths[j]} (axis {len(shapes[j]) - back} of the {_ordinal(j)}); reshape one"
            )
        result.append(wide.pop() if wide else 1)
    return tuple(reversed(result))


@lru_cache(maxsize=1024)  # asked for on every edge of a graph, of few different shapes
def unbroadcast_axes(from_shape: Shape, to_shape: Shape) -> Shape:
    """The axes of `from_shape` along which an operand of `to_shape` was repeated.

    Summing over them is the adjoint of broadcasting.

    >>> unbroadcast_axes((4, 2, 3), (2, 1))
    (0, 2)
    """
    extra = len(from_shape) - len(to_shape)
    return tuple(
        axis
        for axis, length in enumerate(from_shape)
        if axis < extra or (to_shape[axis - extra] == 1 and length != 1)
    )


def normalize_axis(axis: SupportsIndex, ndim: int, who: str) -> int:
    """The axis counted from 0.

    Raises:
        AxisError: out of range.
        TypeError: not an integer.

    >>> normalize_axis(-1, 3, "sum")
    2
    """
    try:
        given = operator.index(axis)
    except TypeError:
        raise TypeError(f"{who}: expected an integer as the axis, got {axis!r}") from None
    if -ndim <= given < ndim:
        return given + ndim if given < 0 else given
    expected = f"expected {-ndim} <= axis < {ndim}" if ndim else "it has no axis"
    plural = "" if ndim == 1 else "s"
    raise AxisError(
        f"{who}: axis {given} is out of range for an array of {ndim} dimension{plural}: {expected}"
    )


def normalize_axes(axis: Axis | Sequence[int], ndim: int, who: str) -> tuple[int, ...]:
    """The axes counted from 0; None means all of them.

    Raises:
        AxisError: out of range, or the same axis twice.

    >>> normalize_axes((0, -1), 3, "sum"), normalize_axes(None, 2, "sum")
    ((0, 2), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    if is_index(axis):
        return (normalize_axis(axis, ndim, who),)
    several: Any = axis
    if not isinstance(several, Iterable):
        raise TypeError(
            f"{who}: expected an integer, a tuple of integers or None as the axis, got {axis!r}"
        )
    axes = tuple(normalize_axis(a, ndim, who) for a in several)
    if len(set(axes)) != len(axes):
        raise AxisError(
            f"{who}: axes {tuple(several)} name the same axis twice: expected each once"
        )
    return axes


def one_axis(axis: int | None, ndim: int, who: str) -> int:
    """The axis counted from 0, which only an array of one dimension need not name.

    >>> one_axis(None, 1, "take"), one_axis(-1, 2, "take")
    (0, 1)
    """
    if axis is None and ndim != 1:
        raise AxisError(
            f"{who}: expected axis= for an array of {ndim} dimensions; "
            f"only with 1 may it be left out"
        )
    return normalize_axis(0 if axis is None else axis, ndim, who)


def normalize_permutation(axes: Sequence[int], ndim: int, who: str) -> tuple[int, ...]:
    """The order of the axes, counted from 0.

    Raises:
        AxisError: not a permutation of all axes.

    >>> normalize_permutation((0, -1, 1), 3, "permute_dims")
    (0, 2, 1)
    """
    order = normalize_axes(tuple(axes), ndim, who)
    if len(order) != ndim:
        raise AxisError(
            f"{who}: axes {tuple(axes)} have {len(order)} entries: "
            f"expected each of the {ndim} axes of the array once"
        )
    return order


def inverse_permutation(axes: Sequence[int]) -> tuple[int, ...]:
    """The order that undoes `axes`.

    >>> inverse_permutation((2, 0, 1))
    (1, 2, 0)
    """
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def reduced_shape(shape: Shape, axes: Sequence[int], keepdims: bool = False) -> Shape:
    """The shape after a reduction over `axes` (counted from 0).

    >>> reduced_shape((2, 3, 4), (1,)), reduced_shape((2, 3, 4), (1,), keepdims=True)
    ((2, 4), (2, 1, 4))
    """
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def reduced_count(shape: Shape, axis: Axis, who: str) -> int:
    """How many elements each result of a reduction comes from."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in normalize_axes(axis, len(shape), who))


def check_not_empty(who: str, shape: Shape, axes: Sequence[int]) -> None:
    """Refuse a reduction without identity that would run over nothing."""
    for i in axes:
        if shape[i] == 0:
            raise ShapeError(
                f"{who}: cannot reduce axis {i} of shape {shape}: "
                f"it is empty and {who} has no identity"
            )


def reshape_shape(
    shape: Shape, new: SupportsIndex | Iterable[SupportsIndex], who: str = "reshape"
) -> Shape:
    """The new shape with -1 worked out.

    Raises:
        ShapeError: the number of elements would change, or more than one -1.

    >>> reshape_shape((2, 6), (3, -1))
    (3, 4)
    """
    wanted = _lengths(new, who)
    count = math.prod(shape)
    unknown = wanted.count(-1)
    known = math.prod(n for n in wanted if n != -1)
    given = f"{who}: cannot reshape {count} elements of shape {shape} into {wanted}"
    if unknown > 1:
        raise ShapeError(f"{given}: expected at most one -1")
    if any(n < -1 for n in wanted):
        raise ShapeError(f"{given}, which has a negative length")
    if unknown:
        if known == 0 or count % known:
            raise ShapeError(f"{given}: no length in place of -1 makes {count} elements")
        return tuple(count // known if n == -1 else n for n in wanted)
    if known != count:
        raise ShapeError(f"{given}, which has {known}; one length may be -1, for what fits")
    check_lengths(wanted, who)
    return wanted


def squeeze_axes(shape: Shape, axis: Axis, who: str = "squeeze") -> tuple[int, ...]:
    """The axes to drop: those named, or (None) every one of length 1.

    Raises:
        ShapeError: an axis whose length is not 1.

    >>> squeeze_axes((1, 3, 1), None)
    (0, 2)
    """
    if axis is None:
        return tuple(i for i, n in enumerate(shape) if n == 1)
    axes = normalize_axes(axis, len(shape), who)
    for i in axes:
        if shape[i] != 1:
            raise ShapeError(
                f"{who}: axis {i} of shape {shape} has length {shape[i]}: expected length 1"
            )
    return axes


def expand_shape(shape: Shape, axis: int | tuple[int, ...], who: str = "expand_dims") -> Shape:
    """The shape with axes of length 1 put in at the positions `axis` of the result.

    >>> expand_shape((2, 3), (0, -1))
    (1, 2, 3, 1)
    """
    new = len(axis) if isinstance(axis, tuple | list) else 1
    ndim = len(shape) + new
    axes = normalize_axes(axis, ndim, who)
    lengths = iter(shape)
    return tuple(1 if i in axes else next(lengths) for i in range(ndim))


def move_axes(
    ndim: int, source: int | tuple[int, ...], destination: int | tuple[int, ...], who: str
) -> tuple[int, ...]:
    """The order of axes that moves `source` to `destination` and keeps the rest in order.

    >>> move_axes(3, 0, -1, "moveaxis")
    (1, 2, 0)
    """
    come = normalize_axes(source, ndim, who)
    go = normalize_axes(destination, ndim, who)
    if len(come) != len(go):
        raise AxisError(
            f"{who}: {len(come)} source axes and {len(go)} destination axes: expected as many"
        )
    order = [i for i in range(ndim) if i not in come]
    for target, axis in sorted(zip(go, come, strict=True)):
        order.insert(target, axis)
    return tuple(order)


def concat_shape(shapes: Sequence[Shape], axis: int, who: str = "concat") -> tuple[Shape, int]:
    """The shape of arrays joined along an axis, and that axis counted from 0.

    Raises:
        ShapeError: nothing to join, or lengths that differ on another axis.

    >>> concat_shape([(2, 3), (4, 3)], 0)
    ((6, 3), 0)
    """
    if not shapes:
        raise ShapeError(f"{who}: expected at least one array, got none")
    first = shapes[0]
    axis = normalize_axis(axis, len(first), who)
    for shape in shapes:
        if len(shape) != len(first):
            raise ShapeError(
                f"{who}: shapes {first} and {shape} do not join: "
                f"{len(first)} dimensions != {len(shape)}"
            )
        for i, (n, m) in enumerate(zip(first, shape, strict=True)):
            if n != m and i != axis:
                raise ShapeError(
                    f"{who}: shapes {first} and {shape} do not join along axis {axis}: "
                    f"{n} != {m} (axis {i})"
                )
    total = sum(shape[axis] for shape in shapes)
    return (*first[:axis], total, *first[axis + 1 :]), axis


def stack_shape(shapes: Sequence[Shape], axis: int, who: str = "stack") -> tuple[Shape, int]:
    """The shape of equal-shaped arrays put side by side along a new axis, and that axis.

    Raises:
        ShapeError: nothing to stack, or shapes that differ.

    >>> stack_shape([(2, 3), (2, 3)], -1)
    ((2, 3, 2), 2)
    """
    if not shapes:
        raise ShapeError(f"{who}: expected at least one array, got none")
    first = shapes[0]
    for shape in shapes:
        if shape != first:
            raise ShapeError(f"{who}: shapes {first} and {shape} differ: expected equal shapes")
    axis = normalize_axis(axis, len(first) + 1, who)
    return (*first[:axis], len(shapes), *first[axis:]), axis
