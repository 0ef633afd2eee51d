"""The choices of the array functions: ties, zeros, nan, windows, operands, tables of functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from smolml_array import (
    MLArray,
    cumulative_prod,
    diff,
    logcumsumexp,
    norm,
    outer,
    pad,
    repeat,
    sliding_windows,
    sort,
    take,
    vector_norm,
)
from smolml_value import Value, grad
from tests.array.helpers import assert_close, filled, gradient
from tests.array.numeric import array, assert_same

NAN = math.nan


def test_equal_elements_keep_their_order_and_their_gradients(backend: str) -> None:
    x = MLArray([2.0, 1.0, 2.0, 1.0])
    (sort(x) * [1.0, 2.0, 3.0, 4.0]).backward()
    assert gradient(x) == [3.0, 1.0, 4.0, 2.0]
    x.zero_grad()
    (sort(x, descending=True) * [1.0, 2.0, 3.0, 4.0]).backward()
    assert gradient(x) == [1.0, 3.0, 2.0, 4.0]


def test_nan_is_the_largest_and_has_a_gradient(backend: str) -> None:
    x = MLArray([NAN, 1.0, math.inf])
    y = sort(x)
    assert y.to_list()[:2] == [1.0, math.inf]
    assert math.isnan(y.to_list()[2])
    (y * [1.0, 2.0, 3.0]).backward()
    assert gradient(x) == [3.0, 1.0, 2.0]
    assert sort(x, descending=True).to_list()[1:] == [math.inf, 1.0]
    assert x.argsort().to_list() == [1, 2, 0]
    assert not x.argsort().requires_grad


@pytest.mark.parametrize("ord", [0.5, 1, 2, 3, math.inf, -math.inf, -1])
def test_the_gradient_of_a_norm_of_zero_is_zero(ord: float, backend: str) -> None:
    x = MLArray([[0.0, 0.0], [3.0, -4.0]])
    vector_norm(x, axis=1, ord=ord).backward()
    assert x.grad().to_list()[0] == [0.0, 0.0]
    assert any(x.grad().to_list()[1])
    x.zero_grad()
    vector_norm(x[:1] * 0.0, ord=ord).backward()
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]


def test_norms_with_one_extreme_of_several(backend: str) -> None:
    x = MLArray([-3.0, 3.0, 1.0, -1.0])
    vector_norm(x, ord=math.inf).backward()
    assert gradient(x) == [-1.0, 0.0, 0.0, 0.0]
    x.zero_grad()
    vector_norm(x, ord=-math.inf).backward()
    assert gradient(x) == [0.0, 0.0, 1.0, 0.0]


def test_norms_of_integers_and_of_nothing(backend: str) -> None:
    x = MLArray([[3, 0], [-4, 0]], dtype="int64")
    for made in (vector_norm(x), vector_norm(x, ord=1), vector_norm(x, ord=0), norm(x, 1)):
        assert made.dtype.name == "float64"
    assert vector_norm(x, ord=0).item() == 2.0
    assert vector_norm(x, axis=1, ord=math.inf).to_list() == [3.0, 4.0]
    assert norm(x, -math.inf, axis=(1, 0)).item() == 0.0
    assert vector_norm(MLArray([])).item() == vector_norm(MLArray([]), ord=3).item() == 0.0
    assert_same(norm(MLArray(np.zeros((2, 0, 3))), axis=1), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="empty"):
        vector_norm(MLArray([]), ord=math.inf)


@pytest.mark.parametrize("zeros", [[], [0], [4], [1, 3], [0, 1, 2, 3, 4]])
def test_running_products_with_zeros(zeros: list[int], backend: str) -> None:
    numbers = [0.5 if i not in zeros else 0.0 for i in range(5)]
    for k in range(5):
        got = grad(lambda x, k=k: cumulative_prod(x)[k])(MLArray(numbers))
        want = [math.prod(numbers[j] for j in range(k + 1) if j != i) * (i <= k) for i in range(5)]
        assert_close(got, want)


def test_what_is_not_there_adds_nothing_to_logarithms_of_sums(backend: str) -> None:
    x = MLArray([-math.inf, -math.inf, 1000.0, 1000.0])
    y = logcumsumexp(x)
    y[2:].sum().backward()
    assert_close(y, [-math.inf, -math.inf, 1000.0, 1000.0 + math.log(2.0)])
    assert_close(x.grad(), [0.0, 0.0, 1.5, 0.5])


def test_pieces_diagonals_and_flips_are_windows(backend: str) -> None:
    x = filled((4, 3))
    first, last = x.split(2)
    assert last.data[1][2] is x.data[3][2]
    assert x.diagonal(-1).data[1] is x.data[2][1]
    first[0] = 7.0
    assert x.to_list()[0] == [7.0] * 3
    (last * x.diagonal().sum()).backward()
    assert last.grad().to_list() == x.grad().to_list()[2:]


def test_sliding_windows_are_results_of_their_own(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    y = sliding_windows(x, 2)
    y.data[0][1].data = 10.0
    assert x.to_list() == [1.0, 2.0, 3.0]
    assert y.to_list() == [[1.0, 10.0], [2.0, 3.0]]
    (y * [[1.0, 2.0], [3.0, 4.0]]).backward()
    assert y.grad().to_list() == [[1.0, 2.0], [3.0, 4.0]]
    assert gradient(x) == [1.0, 2.0 + 3.0, 4.0]
    assert sliding_windows(x, 0).shape == (4, 0)
    assert sliding_windows(2.0, ()).item() == 2.0


def test_values_are_operands(backend: str) -> None:
    v, w = Value(2.0), Value(3.0)
    outer([v, w], [v, 1.0]).sum().backward()
    assert (v.grad, w.grad) == ((2.0 + 2.0) + 1.0 + 3.0, 2.0 + 1.0)
    v.grad = w.grad = 0.0
    pad(MLArray([1.0, 1.0]), 2, constant_values=v).backward()
    assert v.grad == 4.0
    v.grad = 0.0
    (outer(v, [1.0, 2.0]) + repeat([v, w], 2)[:2] + take([v, w], [0])).sum().backward()
    assert v.grad == 1.0 + 2.0 + 2.0 + 2.0


def test_constants_stay_constants(backend: str) -> None:
    for made in (sort([2.0, 1.0]), pad([1.0], 1), norm(np.ones(3)), outer([1.0], 2.0)):
        assert not made.requires_grad
    flags = MLArray([True, False], dtype="bool")
    assert flags.repeat(2).to_list() == [True, True, False, False]
    assert flags.cumulative_sum().dtype.name == "int64"
    assert MLArray([3, 1], dtype="int64").sort().to_list() == [1, 3]
    assert flags.pad(1).to_list() == [False, True, False, False]


def test_indices_of_every_kind(backend: str) -> None:
    a = array((3, 4))
    x = MLArray(a)
    other = "pure" if backend == "numpy" else "numpy"
    places = [0, 2, -1]
    for given in (
        places,
        tuple(places),
        np.array(places),
        np.array(places, np.int8),
        MLArray(places, dtype="int64"),
        MLArray(places, dtype="int64", backend=other),
    ):
        assert_same(x.take(given, axis=1), a.take(places, 1))
    assert_same(x.take(np.uint8(2), axis=0), a[2])
    assert x.take([], axis=0).shape == (0, 4)
    assert x.take([[]], axis=1).shape == (3, 1, 0)
    assert_same(x.take_along_axis(x.argsort(axis=0), axis=0), np.sort(a, 0))
    with pytest.raises(TypeError, match="expected a real number"):
        x.take(["a"], axis=0)


def test_many_pieces_and_empty_ones(backend: str) -> None:
    x = filled((5,))
    assert [p.to_list() for p in x.split([2, 2, 9])] == [
        x.to_list()[:2],
        [],
        x.to_list()[2:],
        [],
    ]
    assert [p.shape for p in MLArray(np.zeros((0, 2))).split(3)] == [(0, 2)] * 3
    sum((p.sum() * i for i, p in enumerate(x.split([1, 3]))), MLArray(0.0)).backward()
    assert gradient(x) == [0.0, 1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_differences_of_bools_say_where_they_change(n: int, backend: str) -> None:
    bools = np.array([[1, 1, 0, 0, 1], [0, 1, 0, 1, 1], [0, 0, 0, 1, 0], [1, 0, 1, 1, 1]], bool)
    for axis in (0, 1):
        found = diff(MLArray(bools.tolist()) > 0.5, n=n, axis=axis)
        assert found.to_list() == np.diff(bools, n, axis).tolist()
