"""Shapes, axes and indices that do not fit: each error names them and what was expected."""

from __future__ import annotations

from collections.abc import Callable

from smolml_array import (
    AxisError,
    MLArray,
    ShapeError,
    affine,
    arange,
    concat,
    eye,
    linspace,
    ones,
    rand,
    randn,
    stack,
    where,
    zeros,
)
from smolml_value import ops
from tests.array.refusals import Case, X, check, raises, unchecked

SHAPES: list[Case] = [
    (
        lambda: X() + MLArray([1.0, 2.0]),
        ShapeError,
        (
            r"add: shapes \(2, 3\) and \(2,\) do not broadcast: "
            r"3 \(axis 1 of the first\) != 2 \(axis 0 of the second\)"
        ),
    ),
    (
        lambda: zeros(4, 1, 3) * zeros(2, 2),
        ShapeError,
        r"multiply: shapes \(4, 1, 3\) and \(2, 2\) .* 3 \(axis 2 .*\) != 2 \(axis 1 ",
    ),
    (lambda: ops.atan2(zeros(2), zeros(3)), ShapeError, r"atan2: shapes .* do not broadcast"),
    (lambda: X() == [1.0, 2.0], ShapeError, r"equal: shapes \(2, 3\) and \(2,\) do not broadcast"),
    (lambda: where(zeros(2), zeros(3), 1.0), ShapeError, r"where: shapes .* do not broadcast"),
    (
        lambda: X() @ zeros(4, 5),
        ShapeError,
        (
            r"matmul: shapes \(2, 3\) and \(4, 5\) do not align: "
            r"3 \(axis 1 of the left\) != 4 \(axis 0 of the right\)"
        ),
    ),
    (lambda: X() @ [1.0, 2.0], ShapeError, r"matmul: .* 3 \(axis 1 .*\) != 2 \(axis 0 "),
    (lambda: zeros(2) @ X().T, ShapeError, r"matmul: .* 2 \(axis 0 .*\) != 3 \(axis 0 "),
    (
        lambda: zeros(2, 3, 4) @ zeros(5, 4, 3),
        ShapeError,
        r"matmul: .* batch axes do not broadcast",
    ),
    (lambda: X() @ 2.0, ShapeError, r"matmul: the right operand has 0 dimensions.* multiply"),
    (lambda: 2.0 @ X(), ShapeError, r"matmul: the left operand has 0 dimensions"),
    (
        lambda: X().reshape(4, 2),
        ShapeError,
        r"reshape: cannot reshape 6 elements of shape \(2, 3\) into \(4, 2\), which has 8",
    ),
    (lambda: X().reshape(-1, 4), ShapeError, r"reshape: .* into \(-1, 4\): no length"),
    (lambda: X().reshape(-1, -1), ShapeError, r"reshape: .*expected at most one -1"),
    (lambda: X().reshape(-2, -3), ShapeError, r"reshape: .*negative length"),
    (lambda: X().reshape("a"), TypeError, r"reshape: expected integers as the shape, got 'a'"),
    (lambda: X().reshape(2.0, 3.0), TypeError, r"reshape: .* as the shape, got \(2.0, 3.0\)"),
    (lambda: X().broadcast_to(None), TypeError, r"broadcast_to: .* as the shape, got None"),
    (
        lambda: X().squeeze(0),
        ShapeError,
        r"squeeze: axis 0 of shape \(2, 3\) has length 2: expected length 1",
    ),
    (lambda: X().broadcast_to((3, 3)), ValueError, r"broadcast.* \(2, 3\).* \(3, 3\)"),
    (lambda: X().broadcast_to((3,)), ValueError, r"broadcast"),
    (lambda: X().__setitem__(0, [1.0, 2.0]), ShapeError, r"shape \(2,\) does not broadcast to \(3"),
    (
        lambda: X().__setitem__(0, zeros(2)),
        ShapeError,
        r"shape \(2,\) does not broadcast to \(3,\)",
    ),
    (lambda: X().update_values([1.0]), ShapeError, r"update_values: expected the shape \(2, 3\)"),
    (lambda: setattr(X(), "data", 1.0), ShapeError, r"MLArray.data: expected the shape \(2, 3\)"),
    (
        lambda: concat([X(), zeros(2, 2)]),
        ShapeError,
        r"concat: array 1 has shape \(2, 2\), array 0",
    ),
    (lambda: concat([X(), zeros(3)]), ShapeError, r"concat: array 1 has shape \(3,\), array 0 has"),
    (lambda: concat([]), ValueError, r"concat: expected at least one array, got none"),
    (lambda: stack([]), ValueError, r"stack: expected at least one array, got none"),
    (lambda: stack([X(), zeros(2)]), ShapeError, r"stack: array 1 has shape \(2,\), array 0 has"),
    (
        lambda: stack([zeros(2), zeros(3), zeros(4)]),
        ShapeError,
        r"stack: array 1 has shape \(3,\), array 0 has \(2,\): expected equal shapes",
    ),
    *(
        (
            lambda b=b: affine([[1.0, 2.0]], [[1.0], [2.0]], b),
            ShapeError,
            rf"affine: b of shape {said} does not broadcast to \(1, 1\), the shape of x @ w",
        )
        for b, said in (([1.0, 2.0], r"\(2,\)"), ([[1.0], [2.0]], r"\(2, 1\)"))
    ),
    (lambda: affine(X(), zeros(2, 3), zeros(3)), ShapeError, r"affine: .* 3 \(axis 1 of the left"),
    (lambda: affine(X(), X().T, zeros(3)), ShapeError, r"affine: .* do not broadcast: 2 \(axis 1 "),
    (lambda: zeros(2, -1), ShapeError, r"zeros: shape \(2, -1\) has a negative length"),
    (lambda: randn(-1), ShapeError, r"randn: shape \(-1,\) has a negative length"),
    (lambda: ones(unchecked(2.5)), TypeError, r"ones: expected integers as the shape, got 2.5"),
    (lambda: rand(unchecked("a")), TypeError, r"rand: expected integers as the shape, got 'a'"),
    (lambda: zeros((2, 3), 4), TypeError, r"zeros: expected integers as the shape"),
    (lambda: eye(-1), ShapeError, r"eye: shape \(-1, -1\) has a negative length"),
    (lambda: eye(unchecked(2.5)), TypeError, r"eye: expected integers as the shape"),
    (lambda: linspace(0.0, 1.0, -1), ValueError, r"linspace: num is -1: expected >= 0"),
    (lambda: arange(0.0, 1.0, 0.0), ValueError, r"arange: .*step"),
]


@raises(SHAPES)
def test_shapes(backend: str, do: Callable[[], object], error: type[Exception], said: str) -> None:
    check(do, error, said)


AXES: list[Case] = [
    *(
        (
            lambda name=name, axis=axis: getattr(X(), name)(axis=axis),
            AxisError,
            rf"{name}: axis {axis} is out of range for an array of 2 .*: expected -2 <= axis < 2",
        )
        for name in ["sum", "mean", "prod", "max", "min", "var", "std", "argmax", "argmin", "flip"]
        for axis in (2, -3)
    ),
    (lambda: zeros(2).sum(1), AxisError, r"for an array of 1 dimension: expected -1 <= axis < 1"),
    (lambda: MLArray(1.0).sum(0), AxisError, r"sum: axis 0 is out of range .*: it has no axis"),
    (lambda: X().sum((0, 0)), AxisError, r"sum: axes \(0, 0\) name the same axis twice"),
    (lambda: X().sum((0, -2)), AxisError, r"sum: axes \(0, -2\) name the same axis twice"),
    (lambda: X().sum("a"), TypeError, r"sum: .*'a'"),
    (lambda: X().sum(1.0), TypeError, r"sum: expected an integer, a tuple .* axis, got 1.0"),
    (lambda: X().argmax((0, 1)), TypeError, r"argmax: expected an integer .*, got \(0, 1\)"),
    (lambda: X().transpose(0), AxisError, r"transpose: axes \(0,\) have 1 entries: expected each"),
    (lambda: X().transpose(0, 0), AxisError, r"transpose: axes \(0, 0\) name the same axis twice"),
    (lambda: X().transpose(0, 2), AxisError, r"transpose: axis 2 is out of range"),
    (lambda: X().squeeze(5), AxisError, r"squeeze: axis 5 is out of range"),
    (lambda: X().expand_dims(4), AxisError, r"expand_dims: axis 4 is out of range"),
    (lambda: concat([X()], axis=2), AxisError, r"concat: axis 2 is out of range"),
    (lambda: concat([MLArray(1.0)]), AxisError, r"concat: axis 0 is out of range .*it has no axis"),
    (lambda: stack([X()], axis=3), AxisError, r"stack: axis 3 is out of range"),
]


@raises(AXES)
def test_axes(backend: str, do: Callable[[], object], error: type[Exception], said: str) -> None:
    check(do, error, said)


INDICES: list[Case] = [
    (lambda: X()[2], IndexError, r"index 2 is out of bounds for axis 0 with size 2"),
    (lambda: X()[0, -4], IndexError, r"index -4 is out of bounds for axis 1 with size 3"),
    (lambda: X()[0, 0, 0], IndexError, r"too many indices"),
    (lambda: X()[[0, 5]], IndexError, r"index 5 is out of bounds for axis 0 with size 2"),
    (lambda: X()[1.0], IndexError, r"only integers, slices .* are valid indices"),
    (lambda: X()["a"], IndexError, r"only integers, slices .* are valid indices"),
    (lambda: X()[None, None, {}], IndexError, r"only integers, slices .* are valid indices"),
    (lambda: X()[[0.5]], IndexError, r"indices"),
    (
        lambda: X()[MLArray([1.0, 0.0])],
        IndexError,
        r"index: expected integers or booleans, got an array of float64; use MLArray\(",
    ),
    (lambda: X()[[True, False, True]], IndexError, r"boolean index did not match .*axis 0"),
    (lambda: X()[..., ...], IndexError, r"ellipsis"),
    (lambda: X()[::0], ValueError, r"slice step cannot be zero"),
    (
        lambda: X().__setitem__(2, 1.0),
        IndexError,
        r"index 2 is out of bounds for axis 0 with size 2",
    ),
    (lambda: X()[0].__setitem__(3, 1.0), IndexError, r"index 3 is out of bounds for axis 0"),
    (lambda: X().data[0].__setitem__(5, 1.0), IndexError, r"index 5 is out of bounds for axis 1"),
]


@raises(INDICES)
def test_indices(backend: str, do: Callable[[], object], error: type[Exception], said: str) -> None:
    check(do, error, said)
