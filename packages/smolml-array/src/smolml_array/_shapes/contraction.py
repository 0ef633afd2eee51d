"""The axes over which matmul, vecdot and tensordot sum, for every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsIndex

from smolml_array._shapes.axes import (
    AxisError,
    Shape,
    ShapeError,
    _broadcast_shapes,
    normalize_axes,
    normalize_axis,
)

Axes = int | tuple[Sequence[int], Sequence[int]]


def _align(who: str, a: Shape, i: int, b: Shape, j: int) -> None:
    if a[i] != b[j]:
        raise ShapeError(
            f"{who}: shapes {a} and {b} do not align: "
            f"{a[i]} (axis {i} of the left) != {b[j]} (axis {j} of the right); transpose one"
        )


def matmul_shape(a: Shape, b: Shape, who: str = "matmul") -> Shape:
    """The shape of a @ b: 1-D operands lose their axis again, leading axes broadcast.

    Raises:
        ShapeError: an operand without axes, inner lengths or batch axes that do not agree.

    >>> matmul_shape((5, 2, 3), (3, 4)), matmul_shape((3,), (3,))
    ((5, 2, 4), ())
    """
    for side, shape in (("left", a), ("right", b)):
        if not shape:
            raise ShapeError(
                f"{who}: the {side} operand has 0 dimensions: expected at least 1; "
                f"to scale by a number, multiply"
            )
    axis_a, axis_b = len(a) - 1, max(len(b) - 2, 0)
    _align(who, a, axis_a, b, axis_b)
    try:
        batch = _broadcast_shapes(a[:-2], b[:-2])
    except ShapeError as error:
        clash = str(error).rpartition(": ")[2].replace("first", "left").replace("second", "right")
        raise ShapeError(
            f"{who}: shapes {a} and {b} do not align: their batch axes do not broadcast: {clash}"
        ) from None
    rows = a[-2:-1] if len(a) > 1 else ()
    columns = b[-1:] if len(b) > 1 else ()
    return batch + rows + columns


def tensordot_axes(a: Shape, b: Shape, axes: Axes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a and of b that are summed together, counted from 0.

    Raises:
        ShapeError: their lengths differ, or there are not so many.

    >>> tensordot_axes((2, 3, 4), (3, 4, 5), 2)
    ((1, 2), (0, 1))
    """
    if isinstance(axes, SupportsIndex):
        n = int(axes)
        if not 0 <= n <= min(len(a), len(b)):
            raise AxisError(
                f"tensordot: cannot sum over {n} axes of shapes {a} and {b}: "
                f"expected 0 <= axes <= {min(len(a), len(b))}"
            )
        left, right = tuple(range(len(a) - n, len(a))), tuple(range(n))
    else:
        left = normalize_axes(axes[0], len(a), "tensordot")
        right = normalize_axes(axes[1], len(b), "tensordot")
        if len(left) != len(right):
            raise AxisError(
                f"tensordot: {len(left)} axes of the left and {len(right)} of the right: "
                f"expected as many"
            )
    for i, j in zip(left, right, strict=True):
        _align("tensordot", a, i, b, j)
    return left, right


def vecdot_axes(a: Shape, b: Shape, axis: int) -> tuple[int, int]:
    """The axis of a and of b that is summed, counted from 0.

    Raises:
        ShapeError: their lengths differ, or the other axes do not broadcast.

    >>> vecdot_axes((2, 3), (3,), -1)
    (1, 0)
    """
    i, j = normalize_axis(axis, len(a), "vecdot"), normalize_axis(axis, len(b), "vecdot")
    _align("vecdot", a, i, b, j)
    _broadcast_shapes(a[:i] + a[i + 1 :], b[:j] + b[j + 1 :], who="vecdot")
    return i, j
