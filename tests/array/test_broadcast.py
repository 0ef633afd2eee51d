"""Broadcasting and its adjoint: <B x, y> = <x, B' y> for every pair of shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from smolml_array import MLArray, ShapeError
from smolml_value import Value
from tests.array.numeric import array, assert_same


def dot(x: MLArray, y: MLArray) -> float:
    """<x, y>, by a sum that does not round."""
    return math.fsum((np.asarray(x) * np.asarray(y)).ravel())


operands = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4)


@settings(max_examples=200)
@given(pair=operands)
def test_the_gradient_of_broadcasting_is_its_adjoint(
    backend: str, pair: hnp.BroadcastableShapes
) -> None:
    (shape, other), result = pair
    x, y = MLArray(array(shape, "x")), MLArray(array(result, "y"), requires_grad=False)
    # B x, made by adding zeros of the other shape
    wide = x + np.zeros(other)
    assert wide.shape == result
    (wide * y).sum().backward()  # x gets B' y
    assert x.grad().shape == shape
    assert dot(wide, y) == pytest.approx(dot(x, x.grad()), rel=1e-12, abs=1e-12)
    if x.shape == result:
        assert_same(x.grad(), np.asarray(y), 0.0, 0.0)


@settings(max_examples=100)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
def test_every_operand_gets_its_own_adjoint(backend: str, shapes: hnp.BroadcastableShapes) -> None:
    arrays = [array(s, i) for i, s in enumerate(shapes.input_shapes)]
    x, y, z = map(MLArray, arrays)
    out = x * y + z
    assert_same(out, arrays[0] * arrays[1] + arrays[2])
    out.backward()
    ones = np.ones(out.shape)
    for leaf, partial in [(x, arrays[1]), (y, arrays[0]), (z, 1.0)]:
        full = ones * partial
        # what NumPy itself repeats is what must be summed
        places = np.broadcast_to(np.arange(leaf.size()).reshape(leaf.shape), out.shape)
        want = np.zeros(leaf.size())
        np.add.at(want, places.ravel(), full.ravel())
        assert_same(leaf.grad(), want.reshape(leaf.shape))


@pytest.mark.parametrize(
    ("left", "right"),
    [((), ()), ((1,), ()), ((2, 3), (1, 1)), ((1, 3), (2, 1)), ((4, 1, 3), (2, 1)), ((0,), (1,))],
    ids=str,
)
def test_both_sides(backend: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = array(left, "left"), array(right, "right")
    x, y = MLArray(a), MLArray(b)
    (x - y).backward()
    times = math.prod(np.broadcast_shapes(left, right))
    for leaf, sign in ((x, 1.0), (y, -1.0)):
        repeated = times / leaf.size() if leaf.size() else 0.0
        assert_same(leaf.grad(), np.full(leaf.shape, sign * repeated))


def test_a_value_gets_the_sum_over_all_elements(backend: str) -> None:
    v, x = Value(3.0), MLArray(array((2, 3)))
    out: Any = v * x
    out.backward()
    assert v.grad == pytest.approx(float(np.asarray(x).sum()))
    assert_same(x.grad(), np.full((2, 3), 3.0))


def test_the_cotangent_is_summed_once(backend: str) -> None:
    x = MLArray([[1.0], [2.0]])
    y = x + np.zeros((2, 3))
    z = y + np.zeros((4, 2, 3))
    z.backward()
    assert x.grad().to_list() == [[12.0], [12.0]]
    assert y.grad().to_list() == [[4.0] * 3] * 2


@given(
    shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    other=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
)
def test_shapes_that_do_not_broadcast_are_refused(
    backend: str, shape: tuple[int, ...], other: tuple[int, ...]
) -> None:
    x, y = MLArray(np.zeros(shape)), MLArray(np.zeros(other))
    try:
        want = np.broadcast_shapes(shape, other)
    except ValueError:
        with pytest.raises(ShapeError, match=r"add: shapes .* do not broadcast: .* != .*"):
            x + y
        with pytest.raises(ShapeError, match=r"less: shapes .* do not broadcast"):
            x.__lt__(y)
    else:
        assert (x + y).shape == (x < y).shape == want
