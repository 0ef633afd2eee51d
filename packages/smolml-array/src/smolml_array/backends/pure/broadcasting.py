"""Broadcasting on flat lists: repeating elements to a common shape, and applying a function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Any

from smolml_array._shapes.axes import Shape, ShapeError, _broadcast_shapes
from smolml_array._shapes.sizes import check_count
from smolml_array.backends.pure.ndarray import NDArray

Operand = NDArray | float  # an array, or a Python number (also int and bool) in its place


def expand(flat: list[Any], shape: Shape, to: Shape) -> list[Any]:
    """The elements of an array of `shape`, repeated to the shape `to` (which must broadcast).

    Axis by axis from the last: blocks of what lies behind an axis of length 1 are repeated.

    >>> expand([1, 2], (2, 1), (2, 3))
    [1, 1, 1, 2, 2, 2]
    >>> expand([1, 2], (2,), (3, 2))
    [1, 2, 1, 2, 1, 2]
    """
    if shape == to:
        return flat
    if 0 in to:
        return []
    block = 1  # elements behind the axis
    lengths = (*repeat(1, len(to) - len(shape)), *shape)
    for own, wanted in zip(reversed(lengths), reversed(to), strict=True):
        if own != wanted:
            if block == len(flat):
                flat = flat * wanted
            elif block == 1:
                flat = [v for v in flat for _ in range(wanted)]
            else:
                blocks = [flat[i : i + block] * wanted for i in range(0, len(flat), block)]
                flat = list(chain.from_iterable(blocks))
        block *= wanted
    return flat


def common(who: str, *operands: Operand) -> tuple[list[Iterable[Any]], Shape]:
    """The elements of each operand, repeated to the common shape, and that shape.

    Raises:
        ShapeError: the shapes do not broadcast.
        MemoryError: what they broadcast to does not fit in memory.
    """
    shapes = [x.shape if isinstance(x, NDArray) else () for x in operands]
    shape = _broadcast_shapes(*shapes, who=who)
    size = math.prod(shape)
    check_count(size, who)
    flats: list[Iterable[Any]] = [
        expand(x.flat, x.shape, shape) if isinstance(x, NDArray) else repeat(x, size)
        for x in operands
    ]
    return flats, shape


def _broadcast_and_apply(
    f: Callable[[Any, Any], Any],
    x: Operand,
    y: Operand,
    who: str = "broadcast",
    safe: Callable[[Any, Any], Any] | None = None,
) -> tuple[list[Any], Shape]:
    """f of each pair of elements of two operands, after broadcasting, and the common shape.

    Args:
        f: a function of two Python numbers.
        x: an array or a number.
        y: an array or a number.
        who: the operation, for errors.
        safe: does all of it again where f raises for some pair.

    Raises:
        ShapeError: the shapes do not broadcast.
    """
    try:
        if not isinstance(y, NDArray) and isinstance(x, NDArray):
            return list(map(f, x.flat, repeat(y))), x.shape
        if isinstance(x, NDArray) and isinstance(y, NDArray) and x.shape == y.shape:
            return list(map(f, x.flat, y.flat)), x.shape
        (a, b), shape = common(who, x, y)
        return list(map(f, a, b)), shape
    except (ArithmeticError, ValueError) as error:
        if safe is None or isinstance(error, ShapeError):
            raise
        return _broadcast_and_apply(safe, x, y, who)


def gather(flat: list[Any], dims: list[Any]) -> list[Any]:
    """The elements at offset i + j + ... for i in dims[0], j in dims[1], ..., in that order.

    What transposes, slices, repeats and picks: each axis of the result is a sequence of offsets.

    >>> gather([0, 1, 2, 3, 4, 5], [range(0, 3), range(0, 6, 3)])  # a (2, 3) array transposed
    [0, 3, 1, 4, 2, 5]
    """
    if not dims:
        return flat[:1]
    *outer, last = dims
    starts = offsets(outer)
    if isinstance(last, range) and last.step > 0:  # whole rows as slices
        first, stop, step = last.start, last.stop, last.step
        if len(starts) == 1:
            return flat[starts[0] + first : starts[0] + stop : step]
        return list(chain.from_iterable([flat[s + first : s + stop : step] for s in starts]))
    return [flat[s + i] for s in starts for i in last]


def offsets(dims: list[Any]) -> list[int]:
    """i + j + ... for i in dims[0], j in dims[1], ..., in that order."""
    sums = [0]
    for dim in dims:
        sums = [s + i for s in sums for i in dim] if sums != [0] else list(dim)
    return sums
