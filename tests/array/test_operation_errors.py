"""What the array functions refuse, and where: each error names it and says what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from smolml_array import (
    AxisError,
    MLArray,
    ShapeError,
    cumulative_prod,
    cumulative_sum,
    diagonal,
    diff,
    logcumsumexp,
    matrix_norm,
    norm,
    pad,
    repeat,
    roll,
    sliding_windows,
    sort,
    split,
    take,
    take_along_axis,
    tile,
    trace,
    tril,
    triu,
    vector_norm,
    zeros,
)
from tests.array.refusals import Case, X, check, raises, unchecked

ints = MLArray([0, 1], dtype="int64")
CASES: list[Case] = [
    (lambda: sliding_windows(X(), 2), AxisError, r"\(2,\) has 1 lengths for all 2 axes: expected"),
    (lambda: sliding_windows(X(), (1, 4)), ShapeError, r"of 4 does not fit into axis 1 of shape"),
    (lambda: sliding_windows(X(), 2, axis=2), AxisError, r"sliding_windows: axis 2 is out of"),
    (lambda: sliding_windows(X(), unchecked(1.5), 0), TypeError, r"expected integers as the shape"),
    (lambda: pad(X(), [(1, 2)] * 3), ValueError, r"pad: widths .* of 2 dimensions: expected a num"),
    (lambda: pad(X(), (1, -1)), ValueError, r"pad: a width of -1: expected >= 0; to cut off, use"),
    (lambda: pad(X(), unchecked(1.5)), TypeError, r"pad: expected integers as widths, got 1\.5"),
    (lambda: pad(X(), 1, "mirror"), ValueError, r"pad: unknown mode 'mirror': expected one of 'c"),
    (lambda: pad(zeros(2, 0), 1, "edge"), ShapeError, r"axis 1 of shape \(2, 0\) is empty: there"),
    (lambda: pad(X(), 1, constant_values=[1, 2]), ShapeError, r"expected one number as constant_v"),
    (lambda: roll(X(), 1, axis=5), AxisError, r"roll: axis 5 is out of range"),
    (lambda: roll(X(), (1, 2, 3), axis=(0, 1)), ValueError, r"roll: 3 shifts for 2 axes: expected"),
    (lambda: roll(X(), unchecked(0.5)), TypeError, r"roll: shift: expected integers, got 0\.5"),
    (lambda: repeat(X(), -1), ValueError, r"repeat: a number of repeats is negative: \(-1,\)"),
    (lambda: repeat(X(), [1, 2], axis=1), ShapeError, r"2 numbers of repeats for axis 1 of shape"),
    (lambda: repeat(X(), 1.5), TypeError, r"repeat: repeats: expected integers, got 1\.5"),
    (lambda: repeat(X(), 2, axis=2), AxisError, r"repeat: axis 2 is out of range"),
    (lambda: tile(X(), -1), ShapeError, r"tile: shape \(-1,\) has a negative length"),
    (lambda: tril(MLArray([1.0])), ShapeError, r"tril: shape \(1,\): expected at least 2 dimens"),
    (lambda: triu(2.0), ShapeError, r"triu: shape \(\): expected at least 2 dimensions"),
    (lambda: diagonal([1.0]), ShapeError, r"diagonal: shape \(1,\): expected at least 2 dimens"),
    (lambda: trace([1.0]), ShapeError, r"trace: shape \(1,\): expected at least 2 dimensions"),
    (
        lambda: split(X(), 2, axis=1),
        ShapeError,
        r"axis 1 of shape \(2, 3\) cannot be cut into 2 .*; give the .* such as \[1\]",
    ),
    (lambda: split(X(), 0), ShapeError, r"split: axis 0 of shape \(2, 3\) cannot be cut into 0"),
    (lambda: split(X(), [0.5], axis=1), TypeError, r"split: indices_or_sections: expected integ"),  # type: ignore[list-item]
    (lambda: split(X(), 1, axis=2), AxisError, r"split: axis 2 is out of range"),
    (lambda: take(X(), [0]), AxisError, r"take: expected axis= for an array of 2 dimensions; only"),
    (lambda: take(X(), [3], axis=1), IndexError, r"take: position 3 is out of bounds for axis 1"),
    (
        lambda: take(X(), -3, axis=0),
        IndexError,
        r"position -3 .* \(2, 3\): expected -2 <= pos",
    ),
    (lambda: take(X(), [0.5], axis=0), IndexError, r"take: expected integers as positions, got an"),
    (lambda: take(X(), [True, False], axis=0), IndexError, r"got an array of bool; use MLArray"),
    (lambda: take(X(), MLArray([0.0]), axis=0), IndexError, r"got an array of float64; use MLArr"),
    (lambda: take_along_axis(X(), ints), ShapeError, r"indices of shape \(2,\) for an array of sh"),
    (lambda: take_along_axis(X(), [[9]]), IndexError, r"take_along_axis: position 9 is out of bou"),
    (lambda: take_along_axis(X(), [[0]] * 3), ShapeError, r"take_along_axis: shapes .* do not bro"),
    (lambda: take_along_axis(X(), [[0]], 2), AxisError, r"take_along_axis: axis 2 is out of range"),
    (lambda: sort(2.0), AxisError, r"sort: axis -1 is out of range for an array of 0 dimensions"),
    (lambda: X().argsort(axis=2), AxisError, r"argsort: axis 2 is out of range"),
    (lambda: cumulative_sum(X()), AxisError, r"cumulative_sum: expected axis= for an array of 2 d"),
    (lambda: cumulative_prod(X()), AxisError, r"cumulative_prod: expected axis= for an array of 2"),
    (lambda: cumulative_sum(X(), axis=2), AxisError, r"cumulative_sum: axis 2 is out of range"),
    (lambda: cumulative_sum(1.0), AxisError, r"cumulative_sum: expected axis= for an array of 0"),
    (lambda: logcumsumexp(X()), AxisError, r"logcumsumexp: expected axis= for an array of 2 dim"),
    (lambda: diff(X(), axis=2), AxisError, r"diff: axis 2 is out of range"),
    (lambda: diff(X(), n=-1), ValueError, r"diff: n is -1: expected >= 0"),
    (lambda: diff(X(), prepend=zeros(3, 1)), ShapeError, r"concat: array 1 has shape \(2, 3\)"),
    (lambda: vector_norm(X(), axis=2), AxisError, r"vector_norm: axis 2 is out of range"),
    (lambda: vector_norm(X(), ord=unchecked("fro")), ValueError, r"vector_norm: ord is 'fro': exp"),
    (lambda: vector_norm(X(), ord=math.nan), ValueError, r"vector_norm: ord is nan: expected a nu"),
    (lambda: matrix_norm(X(), ord=2), ValueError, r"matrix_norm: ord is 2: .* singular values are"),
    (lambda: matrix_norm(X(), ord="nuc"), ValueError, r"expected one of 'fro', 1, -1, inf, -inf"),
    (lambda: matrix_norm([1.0]), ShapeError, r"matrix_norm: shape \(1,\): expected at least 2"),
    (lambda: norm(zeros(2, 2, 2), 1), ShapeError, r"norm: 3 axes of shape \(2, 2, 2\): expected 1"),
    (lambda: norm([1.0], "fro"), ValueError, r"norm: ord is 'fro': of vectors expected a number"),
    (lambda: norm(X(), 3), ValueError, r"norm: ord is 3: of matrices expected one of 'fro', 1"),
    (lambda: norm(X(), axis=(0, 0)), AxisError, r"norm: axes \(0, 0\) name the same axis twice"),
]


@raises(CASES)
def test_mistakes(do: Callable[[], object], error: type[Exception], said: str) -> None:
    check(do, error, said)


def test_what_was_given_may_change_afterwards(backend: str) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    places, along, counts = np.array([0, 2]), np.array([[1], [0]]), np.array([1, 2, 1])
    made = [x.take(places, axis=1), x.take_along_axis(along), x.repeat(counts, axis=1)]
    for given in (places, along, counts):
        given[...] = 1
    for y in made:
        y.backward()
    assert x.grad().to_list() == [[2.0, 3.0, 2.0], [3.0, 2.0, 2.0]]
