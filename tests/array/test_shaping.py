"""reshape, transpose, flip, squeeze, expand_dims, broadcast_to: against NumPy, with gradients."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, ShapeError
from tests.array.numeric import array, assert_same, axes_of, cotangent, shapes


def check_places(
    ours: Callable[[MLArray], MLArray], theirs: Callable[[Any], Any], shape: tuple[int, ...]
) -> None:
    """Each element, and its gradient, stands where NumPy puts it."""
    a = array(shape)
    x = MLArray(a)
    out = ours(x)
    assert_same(out, theirs(a), 0.0, 0.0)
    weights = cotangent(out.shape)
    (out * weights).sum().backward()
    grads = np.zeros(math.prod(shape))
    places = theirs(np.arange(grads.size).reshape(shape))
    np.add.at(grads, places.ravel(), weights.ravel())
    assert_same(x.grad(), grads.reshape(shape))


FORMS: list[tuple[Callable[[MLArray], MLArray], Callable[[Any], Any]]] = [
    (lambda x: x.T, lambda a: a.T),
    (lambda x: x.transpose(), lambda a: a.transpose()),
    (lambda x: x.transpose(None), lambda a: a.transpose(None)),
    (lambda x: x.transpose(2, 0, 1), lambda a: a.transpose(2, 0, 1)),
    (lambda x: x.transpose((1, -1, 0)), lambda a: a.transpose((1, -1, 0))),
    (lambda x: x.transpose([0, 2, 1]), lambda a: a.transpose([0, 2, 1])),
    (lambda x: x.reshape(6, 4), lambda a: a.reshape(6, 4)),
    (lambda x: x.reshape((6, 4)), lambda a: a.reshape((6, 4))),
    (lambda x: x.reshape([2, 2, 2, 3]), lambda a: a.reshape([2, 2, 2, 3])),
    (lambda x: x.reshape(24), lambda a: a.reshape(24)),
    (lambda x: x.reshape(-1), lambda a: a.reshape(-1)),
    (lambda x: x.reshape(3, -1, 2), lambda a: a.reshape(3, -1, 2)),
    (lambda x: x.reshape(tuple(np.array([4, -1]))), lambda a: a.reshape(4, -1)),
    (lambda x: x.flatten(), lambda a: a.flatten()),
    (lambda x: x.T.flatten(), lambda a: a.T.flatten()),
    (lambda x: x.T.reshape(2, 12), lambda a: a.T.reshape(2, 12)),
    (lambda x: x.flip(), lambda a: np.flip(a)),
    (lambda x: x.flip(1), lambda a: np.flip(a, 1)),
    (lambda x: x.flip((0, -1)), lambda a: np.flip(a, (0, -1))),
    (lambda x: x.flip(()), lambda a: a),
    (lambda x: x.expand_dims(0), lambda a: np.expand_dims(a, 0)),
    (lambda x: x.expand_dims(-1), lambda a: np.expand_dims(a, -1)),
    (lambda x: x.expand_dims((1, 3)), lambda a: np.expand_dims(a, (1, 3))),
    (lambda x: x[:, :1].squeeze(), lambda a: a[:, :1].squeeze()),
    (lambda x: x[:, :1].squeeze(1), lambda a: a[:, :1].squeeze(1)),
    (lambda x: x[:1, :1].squeeze((0, -2)), lambda a: a[:1, :1].squeeze((0, -2))),
    (lambda x: x.squeeze(), lambda a: a.squeeze()),
    (lambda x: x.broadcast_to((5, 2, 3, 4)), lambda a: np.broadcast_to(a, (5, 2, 3, 4))),
    (lambda x: x[:, :1].broadcast_to([2, 6, 4]), lambda a: np.broadcast_to(a[:, :1], (2, 6, 4))),
    (lambda x: x[0, 0].broadcast_to(4), lambda a: a[0, 0]),
    (lambda x: x[:0].broadcast_to((0, 3, 4)), lambda a: a[:0]),
]


@pytest.mark.parametrize(("ours", "theirs"), FORMS)
def test_forms(
    backend: str, ours: Callable[[MLArray], MLArray], theirs: Callable[[Any], Any]
) -> None:
    check_places(ours, theirs, (2, 3, 4))


@given(data=st.data())
def test_transpose(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes())
    order = data.draw(st.permutations(range(len(shape))))
    axes = tuple(a - len(shape) if data.draw(st.booleans()) else a for a in order)
    check_places(lambda x: x.transpose(axes), lambda a: a.transpose(order), shape)
    check_places(lambda x: x.T, lambda a: a.T, shape)


@given(data=st.data())
def test_reshape(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes())
    factors = [f for n in shape for f in ([2, 2] if n == 4 else [n])]
    new = data.draw(st.permutations(factors)) + [1] * data.draw(st.integers(0, 2))
    if data.draw(st.booleans()) and 0 not in new and new:
        new[data.draw(st.integers(0, len(new) - 1))] = -1
    check_places(lambda x: x.reshape(new), lambda a: a.reshape(new), shape)
    check_places(lambda x: x.flatten(), lambda a: a.flatten(), shape)


@given(data=st.data())
def test_flip_and_lengths_of_one(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(max_side=3))
    axes = data.draw(axes_of(shape))
    check_places(lambda x: x.flip(axes), lambda a: np.flip(a, axes), shape)
    check_places(lambda x: x.squeeze(), lambda a: a.squeeze(), shape)
    single = tuple(i for i, n in enumerate(shape) if n == 1 and data.draw(st.booleans()))
    check_places(lambda x: x.squeeze(single), lambda a: a.squeeze(single), shape)
    ndim = len(shape) + 2
    new = data.draw(
        st.lists(st.integers(-ndim, ndim - 1), min_size=2, max_size=2, unique_by=lambda a: a % ndim)
    )
    check_places(
        lambda x: x.expand_dims(tuple(new)), lambda a: np.expand_dims(a, tuple(new)), shape
    )


@settings(max_examples=60)
@given(data=st.data())
def test_broadcast_to(backend: str, data: st.DataObject) -> None:
    wide = data.draw(shapes(max_side=3))
    own = tuple(1 if data.draw(st.booleans()) else n for n in wide)
    own = own[data.draw(st.integers(0, len(own))) :]
    check_places(lambda x: x.broadcast_to(wide), lambda a: np.broadcast_to(a, wide), own)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
def test_borders_of_any_width(backend: str, mode: Any) -> None:
    for n, before, after in itertools.product(range(1, 6), range(8), range(8)):
        numbers = np.arange(1.0, n + 1.0)
        want = np.pad(numbers, (before, after), mode)
        assert MLArray(numbers).pad((before, after), mode).to_list() == want.tolist()


def test_a_broadcast_array_is_a_copy(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    wide = x.broadcast_to((2, 2))
    wide[0, 0] = 7.0
    assert wide.to_list() == [[7.0, 2.0], [1.0, 2.0]]
    assert x.to_list() == [1.0, 2.0]


@pytest.mark.parametrize("axis", [1, (0, 1), -1])
def test_an_axis_that_is_longer_than_one_stays(backend: str, axis: Any) -> None:
    with pytest.raises(ShapeError, match=r"squeeze: axis 1 of shape \(1, 3\) has length 3"):
        MLArray([[1.0, 2.0, 3.0]]).squeeze(axis)
