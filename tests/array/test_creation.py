"""Making arrays: from what, of which type and shape; zeros, ones, full, eye, arange, linspace."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray, arange, eye, full, linspace, ones, use_backend, zeros
from smolml_value import Value, no_grad
from tests.array.helpers import gradient
from tests.array.numeric import array, assert_same


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (3, 3.0),
        (True, 1.0),
        (2.5, 2.5),
        (Fraction(1, 4), 0.25),
        (Decimal("0.5"), 0.5),
        (np.int8(3), 3.0),
        (np.array(2), 2.0),
        ([], []),
        ([[]], [[]]),
        ([1, 2.5, True], [1.0, 2.5, 1.0]),
        ((1, 2), [1.0, 2.0]),
        ([(1, 2), [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        (range(3), [0.0, 1.0, 2.0]),
        ([range(2), range(2, 4)], [[0.0, 1.0], [2.0, 3.0]]),
        ([Fraction(1, 2), np.int64(3)], [0.5, 3.0]),
        ([np.array([1, 2]), [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        (np.array([[1, 2], [3, 4]]), [[1.0, 2.0], [3.0, 4.0]]),
        (np.array([True, False]), [1.0, 0.0]),
        (np.arange(3, dtype=np.uint8), [0.0, 1.0, 2.0]),
        (np.arange(6.0)[::-2], [5.0, 3.0, 1.0]),
        (np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0, 4.0]]),
        ([math.inf, -math.inf], [math.inf, -math.inf]),
        ([[[[1.0]]]], [[[[1.0]]]]),
    ],
    ids=repr,
)
def test_what_an_array_is_made_of(backend: str, data: Any, want: Any) -> None:
    x = MLArray(data)
    assert x.to_list() == want
    assert x.dtype.name == "float64"
    assert x.backend == backend
    assert x.requires_grad
    assert MLArray(data, requires_grad=False).to_list() == want


def test_what_is_given_is_copied(backend: str) -> None:
    a = array((2, 3))
    rows = a.tolist()
    x, y, z = MLArray(a), MLArray(rows), MLArray(a.T)
    w = x * 2.0
    a[0, 0] = rows[0][0] = 100.0
    assert 100.0 not in (x[0, 0].item(), y[0, 0].item(), z[0, 0].item(), w[0, 0].item())


def test_an_operand_given_as_ndarray_is_what_it_was_when_it_was_used(backend: str) -> None:
    x, a = MLArray([1.0, 2.0]), np.array([3.0, 4.0])
    y = x * a
    a[:] = 100.0
    y.sum().backward()
    assert gradient(x) == [3.0, 4.0]


def test_an_array_of_an_array_shows_the_same_elements(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    y = MLArray(x)
    y.sum().backward()
    assert x.grad().to_list() == [[1.0, 1.0], [1.0, 1.0]]
    y[0, 0] = 5.0
    assert x.to_list()[0][0] == 5.0
    assert not MLArray(x, requires_grad=False).requires_grad
    assert MLArray.ensure_array(x) is x
    a, b = MLArray.ensure_array(x, 2.0)
    assert a is x
    assert b.to_list() == 2.0


def test_values_given_to_a_constant_are_copied(backend: str) -> None:
    v = Value(2.0)
    x = MLArray([v, 1.0], requires_grad=False)
    assert not x.requires_grad
    v.data = 5.0
    assert x.to_list() == [2.0, 1.0]
    with no_grad():
        y = MLArray([v, 1.0])
    v.data = 6.0
    assert y.to_list() == [5.0, 1.0]


@pytest.mark.parametrize("dtype", ["float64", float, "int64", int, "bool", bool])
def test_dtypes(backend: str, dtype: Any) -> None:
    name = (
        dtype if isinstance(dtype, str) else {float: "float64", int: "int64", bool: "bool"}[dtype]
    )
    x = MLArray([[0, 1], [2, 3]], dtype=dtype)
    assert x.dtype.name == name
    assert x.requires_grad == (name == "float64")
    want: list[list[Any]] = [[0, 1], [2, 3]]
    if name == "bool":
        want = [[False, True], [True, True]]
    assert x.to_list() == want
    assert type(x.to_list()[0][1]) is type({"float64": 1.0, "int64": 1, "bool": True}[name])
    assert zeros(2, dtype=dtype).dtype.name == name
    assert MLArray(x, dtype="float64").to_list() == [[float(v) for v in row] for row in want]


def test_astype(backend: str) -> None:
    x = MLArray([1.5, -2.5, 0.0])
    whole = x.astype("int64")
    assert whole.to_list() == [1, -2, 0]
    assert x.astype("bool").to_list() == [True, True, False]
    assert not whole.requires_grad
    assert not x.astype("bool").requires_grad
    (x.astype("float64") * 3.0).sum().backward()
    assert gradient(x) == [3.0] * 3
    assert whole.astype("float64").to_list() == [1.0, -2.0, 0.0]


def test_float32() -> None:
    with use_backend("numpy"):
        for x in (MLArray([1.0, 0.1], dtype="float32"), MLArray(np.array([1, 0.1], np.float32))):
            assert x.dtype == np.float32
            assert x.requires_grad
            assert x.to_list() == [1.0, float(np.float32(0.1))]
        wide = x.astype("float64")
        (wide * wide).sum().backward()
        assert x.grad().dtype == np.float32
        assert_same(x.grad(), [2.0, 0.2], 1e-6, 1e-6)
        assert MLArray(np.array([1.0], np.float16)).dtype == np.float32
    with use_backend("pure"):
        assert MLArray(np.array([1.0], np.float32)).dtype.name == "float64"


@pytest.mark.parametrize("dims", [(), (3,), (2, 3), ((2, 3),), ([2, 3],), (0,), (2, 0), ((),)])
def test_zeros_and_ones(backend: str, dims: tuple[Any, ...]) -> None:
    for ours, theirs in ((zeros, np.zeros), (ones, np.ones)):
        shape = dims[0] if len(dims) == 1 else dims
        x = ours(*dims)
        assert_same(x, theirs(shape))
        assert x.requires_grad
        assert not ours(*dims, requires_grad=False).requires_grad


MADE: list[tuple[Callable[[], MLArray], Callable[[], Any]]] = [
    (lambda: full((2, 3), 1.5), lambda: np.full((2, 3), 1.5)),
    (lambda: full(2, 3), lambda: np.full(2, 3.0)),
    (lambda: full((), True), lambda: np.full((), 1.0)),
    (lambda: eye(3), lambda: np.eye(3)),
    (lambda: eye(2, 4), lambda: np.eye(2, 4)),
    (lambda: eye(3, 3, 1), lambda: np.eye(3, 3, 1)),
    (lambda: eye(3, k=-2), lambda: np.eye(3, k=-2)),
    (lambda: eye(0), lambda: np.eye(0)),
    (lambda: arange(5), lambda: np.arange(5.0)),
    (lambda: arange(2, 5), lambda: np.arange(2.0, 5.0)),
    (lambda: arange(5, 2, -1), lambda: np.arange(5.0, 2.0, -1.0)),
    (lambda: arange(0.0, 1.0, 0.1), lambda: np.arange(0.0, 1.0, 0.1)),
    (lambda: arange(1, 2, 0.3), lambda: np.arange(1, 2, 0.3)),
    (lambda: arange(3, 3), lambda: np.arange(3.0, 3.0)),
    (lambda: arange(5, 2), lambda: np.arange(5.0, 2.0)),
    (lambda: linspace(0.0, 1.0, 5), lambda: np.linspace(0.0, 1.0, 5)),
    (lambda: linspace(3, -1, 4), lambda: np.linspace(3, -1, 4)),
    (lambda: linspace(0, 1, 1), lambda: np.linspace(0, 1, 1)),
    (lambda: linspace(0, 1, 0), lambda: np.linspace(0, 1, 0)),
]


@pytest.mark.parametrize(("ours", "theirs"), MADE)
def test_arrays_of_given_numbers(
    backend: str, ours: Callable[[], MLArray], theirs: Callable[[], Any]
) -> None:
    x = ours()
    assert_same(x, theirs(), 1e-15, 1e-15)
    assert x.dtype.name == "float64"
    assert x.requires_grad
    assert x.backend == backend


def test_options_of_creation(backend: str) -> None:
    assert not full(2, 1.0, requires_grad=False).requires_grad
    assert not arange(3, dtype="int64").requires_grad
    assert arange(3, dtype="int64").to_list() == [0, 1, 2]
    assert eye(2, dtype="bool").to_list() == [[True, False], [False, True]]
    assert not linspace(0, 1, 3, requires_grad=False).requires_grad


def test_moving_to_another_backend(backend: str) -> None:
    other = "pure" if backend == "numpy" else "numpy"
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    y = x.to_backend(other)
    assert (y.backend, y.to_list(), y.requires_grad) == (other, x.to_list(), True)
    assert x.to_backend(backend) is x
    y.sum().backward()
    assert x.grad().to_list() == [[0.0, 0.0], [0.0, 0.0]]  # it is a leaf of its own
    for dtype in ("int64", "bool"):
        z = MLArray([1, 0], dtype=dtype).to_backend(other)
        assert (z.dtype.name, z.to_list(), z.requires_grad) == (dtype, [1, 0], False)
    assert MLArray([], backend=other).backend == other
    assert zeros(0, 3).to_backend(other).shape == (0, 3)
