"""concat, stack, where, clip, maximum, minimum: against NumPy, with gradients and conventions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, clip, concat, maximum, minimum, stack, use_backend, where
from smolml_value import Value
from tests.array.helpers import assert_close, gradient
from tests.array.numeric import array, assert_same, check, cotangent, shapes

# Joining -------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(data=st.data())
def test_concat(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(max_dims=3, min_dims=1, max_side=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    arrays = []
    for i, n in enumerate(lengths):
        own = list(shape)
        own[axis] = n
        arrays.append(array(own, i))
    check(lambda *xs: concat(xs, axis), lambda *a: np.concatenate(a, axis), *arrays)
    check(lambda *xs: concat(xs, axis=None), lambda *a: np.concatenate(a, None), *arrays)


@settings(max_examples=60)
@given(data=st.data())
def test_stack(backend: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(max_dims=3, max_side=3))
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    arrays = [array(shape, i) for i in range(data.draw(st.integers(1, 3)))]
    check(lambda *xs: stack(xs, axis), lambda *a: np.stack(a, axis), *arrays)


def test_joining_an_array_with_itself(backend: str) -> None:
    check(lambda x: concat([x, x * 2.0, x]), lambda a: np.concatenate([a, 2 * a, a]), array(3))
    check(lambda x: stack([x, x], axis=1), lambda a: np.stack([a, a], axis=1), array((2, 2)))


@pytest.mark.parametrize("join", [concat, stack])
def test_what_can_be_joined(backend: str, join: Any) -> None:
    x, v = MLArray([1.0, 2.0]), Value(5.0)
    out = join([x, [3, 4.0], np.array([5.0, 6.0]), (v, 7.0)])
    assert out.flatten().to_list() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 7.0]
    (out.flatten() * np.arange(8.0)).sum().backward()
    assert gradient(x) == [0.0, 1.0]
    assert v.grad == 6.0
    rows = MLArray([[1.0, 2.0], [3.0, 4.0]])
    assert join(rows).to_list() == join(list(rows)).to_list()
    assert join(np.eye(2)).to_list() == join([[1.0, 0.0], [0.0, 1.0]]).to_list()
    assert not join([[1.0], np.array([2.0])]).requires_grad


def test_joining_keeps_the_backend(backend: str) -> None:
    other = "pure" if backend == "numpy" else "numpy"
    x = MLArray([1.0], backend=other)
    assert concat([[2.0], x]).backend == stack([[2.0], x]).backend == other


def test_joining_float32() -> None:
    with use_backend("numpy"):
        x, y = MLArray([1.0], dtype="float32"), MLArray([2.0], dtype="float32")
        assert concat([x, y]).dtype == stack([x, y]).dtype == np.float32
        both = concat([x, MLArray([3.0])])
        assert both.dtype == np.float64
        both.backward()
        assert x.grad().dtype == np.float32


# Choosing ------------------------------------------------------------------------------------


def test_where_broadcasts(backend: str) -> None:
    condition = array((3, 1)) > 0.0
    a, b = array((4,), "a"), array((2, 1, 4), "b")
    check(
        lambda x, y: where(condition, x, y), lambda p, q: np.where(condition, p, q), a, b, rel=0.0
    )
    for c in (condition.tolist(), MLArray(condition, dtype="bool"), MLArray(condition)):
        assert_same(where(c, MLArray(a), MLArray(b)), np.where(condition, a, b), 0.0, 0.0)
    check(lambda x: where(x > 0, x * x, -x), lambda p: np.where(p > 0, p * p, -p), array((3, 3)))


def test_what_where_takes(backend: str) -> None:
    x, v = MLArray([1.0, 2.0, 3.0]), Value(7.0)
    mask = [True, False, True]
    out = where(mask, x, v)
    assert out.to_list() == [1.0, 7.0, 3.0]
    out.sum().backward()
    assert gradient(x) == [1.0, 0.0, 1.0]
    assert v.grad == 1.0
    assert where(mask, 0.0, x).to_list() == [0.0, 2.0, 0.0]
    assert where(x > 1.5, x, 0).to_list() == [0.0, 2.0, 3.0]
    assert where(mask, [1, 2, 3], np.array([4, 5, 6])).to_list() == [1.0, 5.0, 3.0]
    assert where(True, x, 0.0).to_list() == [1.0, 2.0, 3.0]
    assert not where(mask, 1.0, [2.0, 3.0, 4.0]).requires_grad
    values = where(mask, [v, 1.0, v], 0.0)
    values.sum().backward()
    assert v.grad == 3.0


def test_the_condition_gets_no_gradient(backend: str) -> None:
    c, x = MLArray([1.0, 0.0]), MLArray([3.0, 4.0])
    where(c, x, -x).sum().backward()
    assert gradient(c) == [0.0, 0.0]
    assert gradient(x) == [1.0, -1.0]


def test_nan_does_not_leak_out_of_the_branch_that_was_not_taken(backend: str) -> None:
    x = MLArray([0.0, 4.0, -1.0])
    where(x > 0, x.sqrt(), 0.0).sum().backward()
    assert gradient(x) == [0.0, 0.25, 0.0]
    x.zero_grad()
    where(x > 0, x * x.log(), 0.0).sum().backward()
    assert_close(gradient(x), [0.0, math.log(4.0) + 1.0, 0.0])
    x.zero_grad()
    where(x != 0, 1.0 / x, 0.0).sum().backward()
    assert gradient(x) == [0.0, -1.0 / 16.0, -1.0]
    y = MLArray([[0.0, 1.0], [4.0, 0.0]])
    where(y > 0, y**-0.5, 0.0).sum(axis=0).sum().backward()
    assert y.grad().to_list() == [[0.0, -0.5], [-0.0625, 0.0]]


# Extremes of two, and bounds -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_the_larger_and_the_smaller_of_two(backend: str, name: str) -> None:
    ours, theirs = {"maximum": maximum, "minimum": minimum}[name], getattr(np, name)
    check(ours, theirs, array((3, 1), "a"), array((4,), "b"))
    x = MLArray([1.0, 2.0, 3.0])
    y = MLArray([2.0, 2.0, 2.0])
    ours(x, y).sum().backward()
    larger = [0.0, 0.5, 1.0] if name == "maximum" else [1.0, 0.5, 0.0]
    assert gradient(x) == larger
    assert gradient(y) == [1.0 - g for g in larger]
    x.zero_grad()
    ours(x, x).sum().backward()
    assert gradient(x) == [1.0, 1.0, 1.0]
    x.zero_grad()
    ours(2.0, x).sum().backward()
    assert gradient(x) == larger
    for other in (y, [2.0] * 3, np.full(3, 2.0), 2, Value(2.0), [Value(2.0), 2.0, 2]):
        want = theirs([1.0, 2.0, 3.0], 2.0).tolist()
        assert ours(x, other).to_list() == ours(other, x).to_list() == want
    nan = ours([math.nan, 1.0], MLArray([1.0, math.nan])).to_list()
    assert [math.isnan(v) for v in nan] == [True, True]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_values_beside_arrays_get_their_gradients(backend: str, name: str) -> None:
    ours, sign = {"maximum": (maximum, 1.0), "minimum": (minimum, -1.0)}[name]
    for swap in (False, True):
        v, w, x = Value(5.0 * sign), Value(-5.0 * sign), MLArray([1.0 * sign, 9.0 * sign])
        for other in (v, [v, w]):
            pair = (x, other) if swap else (other, x)
            ours(*pair).sum().backward()
        assert (v.grad, w.grad) == (2.0, 0.0)
        assert gradient(x) == [0.0, 2.0]


def test_clip(backend: str) -> None:
    a = array((4, 5), "clip", -3.0, 3.0)
    for low, high in [(-1.0, 1.0), (None, 0.5), (-0.5, None), (None, None), (0.0, 0.0)]:
        check(
            lambda x, lo=low, hi=high: clip(x, lo, hi),
            lambda p, lo=low, hi=high: p if lo is None and hi is None else np.clip(p, lo, hi),
            a,
        )
        assert clip(MLArray(a), low, high).to_list() == MLArray(a).clip(low, high).to_list()
    x = MLArray([-1.0, -0.5, 0.0, 1.0, 1.5])
    clip(x, min=-0.5, max=1.0).backward()
    assert gradient(x) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert clip([5, -5], 0, 1).to_list() == [1.0, 0.0]
    v = Value(0.5)
    (clip(v, 0.0, 1.0) * 3.0 + clip([v, 2.0], 0.0, 1.0)).sum().backward()
    assert v.grad == 7.0


# Against the definition ----------------------------------------------------------------------


def test_softmax_written_with_these_functions(backend: str) -> None:
    a = array((3, 4))

    def ours(x: MLArray) -> MLArray:
        e = (x - x.max(axis=1, keepdims=True)).exp()
        return e / e.sum(axis=1, keepdims=True)

    def theirs(p: Any) -> Any:
        e = np.exp(p)
        return e / e.sum(axis=1, keepdims=True)

    check(ours, theirs, a)
    x = MLArray(a)
    out = ours(x)
    weights = cotangent((3, 4))
    (out * weights).sum().backward()
    s = np.asarray(out)
    assert_same(x.grad(), s * (weights - (s * weights).sum(axis=1, keepdims=True)))
