"""Arrays in Python's own protocols: iteration, conversion, comparison, subclasses, hashing."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest

from smolml_array import MLArray, zeros
from tests.array.helpers import gradient


def test_what_it_says_of_itself(backend: str) -> None:
    x = MLArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], label="weights")
    assert (x.shape, x.ndim, x.size(), len(x)) == ((2, 3), 2, 6, 2)
    assert (x.dtype.name, x.backend, x.label, x.requires_grad) == (
        "float64",
        backend,
        "weights",
        True,
    )
    x.label = "w"
    assert x.label == "w"
    assert (MLArray(1.0).shape, MLArray(1.0).ndim, MLArray(1.0).size()) == ((), 0, 1)
    assert (zeros(0, 3).size(), len(zeros(0, 3))) == (0, 0)


def test_iteration(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    rows = list(x)
    assert [row.to_list() for row in rows] == [[1.0, 2.0], [3.0, 4.0]]
    assert rows[1].data[0] is x.data[1][0]
    assert [row.to_list() for row in reversed(x)] == [[3.0, 4.0], [1.0, 2.0]]
    first, second = x
    (first * second).sum().backward()
    assert x.grad().to_list() == [[3.0, 4.0], [1.0, 2.0]]
    total: Any = sum(MLArray([1.0, 2.0, 3.0]))
    assert total.item() == 6.0
    assert max(MLArray([1.0, 3.0, 2.0])).item() == 3.0
    pair: Any = MLArray([1.0, 2.0])
    assert 2.0 in pair
    assert 5.0 not in pair
    assert list(zeros(0, 3)) == []


def test_one_number_converts(backend: str) -> None:
    for x in (MLArray(2.5), MLArray([2.5]), MLArray([[2.5]])):
        assert (float(x), int(x), bool(x), x.item()) == (2.5, 2, True, 2.5)
        assert math.floor(float(x)) == 2
    assert not MLArray(0.0)
    assert bool(MLArray([math.nan]))
    assert operator.index(MLArray(3, dtype="int64")) == 3
    assert "ab" * MLArray(2, dtype="int64") == "abab"


def test_comparisons_are_constants_of_bools(backend: str) -> None:
    x, y = MLArray([1.0, 2.0, 3.0]), MLArray([2.0, 2.0, 2.0])
    want = {
        operator.lt: [True, False, False],
        operator.le: [True, True, False],
        operator.gt: [False, False, True],
        operator.ge: [False, True, True],
        operator.eq: [False, True, False],
        operator.ne: [True, False, True],
    }
    for compare, expected in want.items():
        for other in (y, 2.0, 2, [2.0, 2.0, 2.0], y.data[0]):
            out = compare(x, other)
            assert (out.to_list(), out.dtype.name, out.requires_grad) == (expected, "bool", False)
    below: Any = x < 2.0
    assert below.to_list() == [True, False, False]
    nan = MLArray([math.nan])
    assert (nan == nan).to_list() == [False]
    assert (nan != nan).to_list() == [True]


def test_masks_combine(backend: str) -> None:
    x = MLArray([-1.0, 0.5, 2.0])
    low, high = x > 0.0, x < 1.0
    assert (low & high).to_list() == [False, True, False]
    assert (low | high).to_list() == [True, True, True]
    assert (low ^ high).to_list() == [True, False, True]
    assert (~low).to_list() == [True, False, False]
    assert (low & [True, True, False]).to_list() == [False, True, False]
    assert ([True, True, False] & low).to_list() == [False, True, False]
    assert x[low & ~high].to_list() == [2.0]


def test_augmented_assignment_is_an_assignment(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    y = x * 1.0
    same = y
    y += 1.0
    y *= x
    assert y is same
    assert x.to_list() == [1.0, 2.0]
    assert y.to_list() == [2.0, 6.0]
    y.backward()
    assert gradient(x) == [3.0, 5.0]
    x[0] += 5.0
    assert x.to_list() == [6.0, 2.0]


def test_an_array_is_a_key_by_identity(backend: str) -> None:
    x, y = MLArray([1.0]), MLArray([1.0])
    names = {x: "x", y: "y"}
    assert (names[x], names[y], len({x, y, x})) == ("x", "y", 2)
    hash_before = hash(x)
    x[0] = 5.0
    assert hash(x) == hash_before


def test_whole_numbers_of_any_size(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    assert (x * 10**30).to_list() == [1e30, 2e30]
    assert (10**30 - x).to_list() == [1e30, 1e30]
    assert (x < 10**30).to_list() == [True, True]
    with pytest.raises(OverflowError, match="too large for a float"):
        x * 10**400


def test_a_subclass_stays_one(backend: str) -> None:
    class Named(MLArray):
        def total(self) -> float:
            return float(self.sum().item())

    x = Named([[1.0, 2.0], [3.0, 4.0]])
    for made in (
        x * 2.0,
        2.0 * x,
        x.T,
        x[0],
        x @ x,
        x.exp(),
        x.sum(),
        x.grad(),
        x.detach(),
        x > 1.0,
    ):
        assert isinstance(made, Named)
    assert (x * 2.0).total() == 20.0
    x.sum().backward()
    assert x.grad().total() == 4.0


def test_arrays_of_another_backend_keep_theirs(backend: str) -> None:
    other = "pure" if backend == "numpy" else "numpy"
    if other == "numpy":
        pytest.importorskip("numpy")
    x = MLArray([1.0, 2.0], backend=other)
    for y in (MLArray(x), MLArray([x, x]), x * [1.0, 2.0], [1.0, 2.0] @ x, x[::-1], x.sum()):
        assert y.backend == other
        x.zero_grad()
        y.backward()
        assert all(g != 0.0 for g in gradient(x))
