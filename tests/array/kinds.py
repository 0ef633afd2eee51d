"""The kinds of arrays that keep the same promises about their elements."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smolml_array import MLArray
from smolml_value import Value
from tests.array.helpers import filled, nested, numbers

SHAPE = (2, 3)


def leaf() -> MLArray:
    return filled(SHAPE)


def inner() -> MLArray:
    return filled(SHAPE).sin() * 2.0


def transposed() -> MLArray:
    return filled((3, 2)).T


def sliced() -> MLArray:
    return filled((3, 6))[::-2, 1:6:2]


def view_of_inner() -> MLArray:
    return filled((6,)).exp().reshape(2, 3)[:, ::-1]


def of_values() -> MLArray:
    return MLArray(nested([Value(x) for x in numbers(6)], SHAPE))


def of_results() -> MLArray:
    return MLArray(nested([Value(x).tanh() for x in numbers(6)], SHAPE))


def mixed() -> MLArray:
    row = filled((3,))
    return MLArray([[Value(1.5), 2.0, Value(-0.5) * 3.0], [row.data[0], 4, row.data[2]]])


def view_of_values() -> MLArray:
    return MLArray(nested([Value(x) for x in numbers(6)], (3, 2))).T


def of_arrays() -> MLArray:
    return MLArray([filled((3,), 1), filled((3,), 2)])


def piece() -> MLArray:
    return filled((5, 3)).split([1, 3])[1]


def diagonal() -> MLArray:
    return filled((2, 3, 4)).diagonal(1)


def sliding() -> MLArray:
    return filled((4,)).sliding_windows(3)


def sorted_view() -> MLArray:
    return filled((3, 2)).sort(axis=0).T


KINDS: list[Callable[[], MLArray]] = [
    *(leaf, inner, transposed, sliced, view_of_inner, of_values, of_results),
    *(mixed, view_of_values, of_arrays, piece, diagonal, sliding, sorted_view),
]
every_kind = pytest.mark.parametrize("make", KINDS, ids=lambda f: f.__name__)
WEIGHTS = nested(numbers(6, "weights"), SHAPE)
