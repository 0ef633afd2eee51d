"""Shapes and axes: the rules, and what the errors say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array._shapes.axes import (
    AxisError,
    ShapeError,
    _broadcast_shapes,
    as_shape,
    broadcast_strides,
    concat_shape,
    expand_shape,
    inverse_permutation,
    move_axes,
    normalize_axes,
    normalize_axis,
    normalize_permutation,
    reduced_shape,
    reshape_shape,
    squeeze_axes,
    stack_shape,
    strides,
    unbroadcast_axes,
)
from smolml_array._shapes.contraction import matmul_shape


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([()], ()),
        ([(2, 3), (3,)], (2, 3)),
        ([(2, 1), (1, 3)], (2, 3)),
        ([(2, 1, 4), (3, 1), (1,)], (2, 3, 4)),
        ([(0, 1), (1, 5)], (0, 5)),
        ([(1,), (0,)], (0,)),
    ],
)
def test_shapes_that_broadcast(shapes: list[tuple[int, ...]], expected: tuple[int, ...]) -> None:
    assert _broadcast_shapes(*shapes) == expected
    assert _broadcast_shapes(*reversed(shapes)) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((3,), (3,), ()),
        ((2, 3), (3,), (2,)),
        ((3,), (3, 4), (4,)),
        ((2, 3), (3, 4), (2, 4)),
        ((5, 2, 3), (3, 4), (5, 2, 4)),
        ((5, 1, 2, 3), (6, 3, 4), (5, 6, 2, 4)),
        ((0, 3), (3, 0), (0, 0)),
    ],
)
def test_shapes_of_products(a: Any, b: Any, expected: Any) -> None:
    assert matmul_shape(a, b) == expected


def test_axes() -> None:
    assert [normalize_axis(i, 3, "f") for i in (-3, -1, 0, 2)] == [0, 2, 0, 2]
    assert normalize_axes((2, 0), 3, "f") == (2, 0)
    assert normalize_axes((), 3, "f") == ()
    assert normalize_axes(None, 0, "f") == ()
    assert inverse_permutation((2, 0, 1)) == (1, 2, 0)
    assert reduced_shape((2, 3), (0, 1)) == ()
    assert reduced_shape((2, 3), (0, 1), keepdims=True) == (1, 1)
    assert move_axes(3, (0, 1), (-1, 0), "moveaxis") == (1, 2, 0)
    assert expand_shape((), (0, 1)) == (1, 1)
    assert squeeze_axes((1, 2, 1), -1) == (2,)
    assert unbroadcast_axes((4, 2, 1), (2, 1)) == (0,)


def test_strides() -> None:
    assert strides(()) == ()
    assert strides((4, 0, 3)) == (3, 3, 1)
    assert broadcast_strides((3,), (2, 3)) == (0, 1)


CASES: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: matmul_shape((2, 3), (4, 5)),
        ShapeError,
        (
            "matmul: shapes (2, 3) and (4, 5) do not align: "
            "3 (axis 1 of the left) != 4 (axis 0 of the right); transpose one"
        ),
    ),
    (
        lambda: matmul_shape((3,), (4,)),
        ShapeError,
        (
            "matmul: shapes (3,) and (4,) do not align: "
            "3 (axis 0 of the left) != 4 (axis 0 of the right); transpose one"
        ),
    ),
    (
        lambda: matmul_shape((7, 2, 3), (6, 3, 2)),
        ShapeError,
        (
            "matmul: shapes (7, 2, 3) and (6, 3, 2) do not align: "
            "their batch axes do not broadcast: 7 (axis 0 of the left) != 6 (axis 0 of the right); "
            "reshape one"
        ),
    ),
    (
        lambda: matmul_shape((2, 2), ()),
        ShapeError,
        (
            "matmul: the right operand has 0 dimensions: expected at least 1; "
            "to scale by a number, multiply"
        ),
    ),
    (
        lambda: _broadcast_shapes((2, 3), (4,), who="add"),
        ShapeError,
        (
            "add: shapes (2, 3) and (4,) do not broadcast: "
            "3 (axis 1 of the first) != 4 (axis 0 of the second); reshape one"
        ),
    ),
    (
        lambda: _broadcast_shapes((2, 3), (1, 3), (5, 3), who="where"),
        ShapeError,
        (
            "where: shapes (2, 3), (1, 3) and (5, 3) do not broadcast: "
            "2 (axis 0 of the first) != 5 (axis 0 of the third); reshape one"
        ),
    ),
    (
        lambda: reshape_shape((2, 3), (4, 2)),
        ShapeError,
        (
            "reshape: cannot reshape 6 elements of shape (2, 3) into (4, 2), which has 8; "
            "one length may be -1, for what fits"
        ),
    ),
    (
        lambda: reshape_shape((2, 3), (-1, 4)),
        ShapeError,
        (
            "reshape: cannot reshape 6 elements of shape (2, 3) into (-1, 4): "
            "no length in place of -1 makes 6 elements"
        ),
    ),
    (
        lambda: reshape_shape((2, 3), (-1, -1)),
        ShapeError,
        "reshape: cannot reshape 6 elements of shape (2, 3) into (-1, -1): expected at most one -1",
    ),
    (
        lambda: normalize_axis(2, 2, "sum"),
        AxisError,
        "sum: axis 2 is out of range for an array of 2 dimensions: expected -2 <= axis < 2",
    ),
    (
        lambda: normalize_axes((0, -2), 2, "sum"),
        AxisError,
        "sum: axes (0, -2) name the same axis twice: expected each once",
    ),
    (
        lambda: normalize_axis(0, 0, "sum"),
        AxisError,
        "sum: axis 0 is out of range for an array of 0 dimensions: it has no axis",
    ),
    (
        lambda: normalize_permutation((0,), 2, "permute_dims"),
        AxisError,
        "permute_dims: axes (0,) have 1 entries: expected each of the 2 axes of the array once",
    ),
    (
        lambda: squeeze_axes((2, 1), 0),
        ShapeError,
        "squeeze: axis 0 of shape (2, 1) has length 2: expected length 1",
    ),
    (
        lambda: concat_shape([(2, 3), (2, 4)], 0),
        ShapeError,
        "concat: shapes (2, 3) and (2, 4) do not join along axis 0: 3 != 4 (axis 1)",
    ),
    (
        lambda: stack_shape([(2,), (3,)], 0),
        ShapeError,
        "stack: shapes (2,) and (3,) differ: expected equal shapes",
    ),
    (
        lambda: as_shape((2, -1), "zeros"),
        ShapeError,
        "zeros: shape (2, -1) has a negative length: expected lengths >= 0",
    ),
    (
        lambda: normalize_axis(1.0, 2, "sum"),  # type: ignore[arg-type]
        TypeError,
        "sum: expected an integer as the axis, got 1.0",
    ),
    (
        lambda: as_shape("ab", "zeros"),  # type: ignore[arg-type]
        TypeError,
        "zeros: expected integers as the shape, got 'ab'",
    ),
]


@pytest.mark.parametrize(("f", "kind", "message"), CASES)
def test_errors(f: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        f()
    assert str(caught.value) == message


def test_an_axis_error_is_both_kinds_that_numpy_users_catch() -> None:
    assert issubclass(AxisError, ValueError)
    assert issubclass(AxisError, IndexError)
    assert issubclass(ShapeError, ValueError)
