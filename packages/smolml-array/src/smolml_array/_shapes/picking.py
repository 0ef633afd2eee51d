"""What is picked along an axis, or repeated: keys for every backend, and what they must fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from smolml_array._shapes.axes import Shape, ShapeError, _broadcast_shapes, broadcast_strides


def is_basic(key: Any) -> bool:
    """Whether a key that was checked holds only ints, slices, None and ...: it names none twice."""
    if key.__class__ is int or key.__class__ is slice:  # most often
        return True
    parts = key if key.__class__ is tuple else (key,)
    return all(k.__class__ in (int, slice) or k is None or k is Ellipsis for k in parts)


def along(xp: Any, shape: Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    """The key that picks what `indices` name along an axis: x[key] is take_along_axis."""
    ndim = len(shape)
    return tuple(
        indices if i == axis else xp.reshape(xp.arange(n), (n,) + (1,) * (ndim - 1 - i))
        for i, n in enumerate(shape)
    )


def flat_along(xp: Any, shape: Shape, indices: Any, axis: int) -> Any:
    """Where the same stands in C order: to look it up there is quicker."""
    if len(shape) == 1:
        return indices
    steps = broadcast_strides(shape, shape)
    return reduce(xp.add, map(xp.multiply, along(xp, shape, indices, axis), steps))


def checked_along(xp: Any, shape: Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    """The same key of indices that may have any shape.

    Raises:
        ShapeError: the dimensions differ in number, or do not broadcast.
    """
    if len(indices.shape) != len(shape):
        raise ShapeError(
            f"take_along_axis: indices of shape {indices.shape} for an array of shape {shape}: "
            f"expected as many dimensions"
        )
    around = tuple(1 if i == axis else n for i, n in enumerate(shape))
    _broadcast_shapes(around, indices.shape, who="take_along_axis")
    return along(xp, shape, indices, axis)


def check_repeats(counts: Sequence[int], n: int) -> None:
    """Raise unless these are one number of repeats, or one for each of n slices."""
    if len(counts) not in (1, n):
        raise ShapeError(
            f"repeat: expected one number of repeats or {n}, got shape {(len(counts),)}"
        )
    if any(k < 0 for k in counts):
        raise ValueError("repeat: a number of repeats is negative: expected >= 0")
