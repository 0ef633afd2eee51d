"""Matrix products against NumPy: every case of rank, batches that broadcast, nothing inside."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray, matmul, use_backend
from smolml_value import Value, grad
from tests.array.helpers import flat
from tests.array.numeric import array, assert_same, check

CASES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    *[((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((1, 1), (1, 1))],
    # batches: on one side, on both, broadcast, of different ranks
    *[((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))],
    *[((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4))],
    *[((2, 1, 2, 3), (4, 3, 2)), ((4, 3, 2), (2, 1, 2, 3)), ((2, 1, 2, 3), (1, 3, 3, 2))],
    *[((2, 2, 2, 3), (3, 2)), ((2, 2, 2, 3), (3,)), ((3,), (2, 2, 3, 2))],
    # nothing: no rows, no columns, nothing to sum, no batch
    *[((0,), (0,)), ((0,), (0, 2)), ((2, 0), (0,)), ((0, 3), (3, 4)), ((2, 3), (3, 0))],
    *[((2, 0), (0, 4)), ((0, 0), (0, 0)), ((0, 2, 3), (3, 4)), ((0, 2, 3), (0, 3, 4))],
    *[((2, 3, 0), (0, 4)), ((2, 3, 0), (2, 0, 4)), ((3, 0), (2, 0, 4)), ((2, 0, 3), (3, 4))],
    *[((2, 3, 4), (4, 0)), ((0, 2, 3), (3,)), ((3,), (0, 3, 2)), ((1, 2, 3), (0, 3, 4))],
]


@pytest.mark.parametrize(("left", "right"), CASES, ids=str)
def test_every_case(backend: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(operator.matmul, np.matmul, array(left, "left"), array(right, "right"))


@settings(max_examples=60)
@given(data=st.data())
def test_batches_broadcast(backend: str, data: st.DataObject) -> None:
    side = st.integers(0, 3)
    n, k, m = data.draw(side), data.draw(side), data.draw(side)
    batch = data.draw(st.lists(st.integers(0, 3), max_size=2))
    left = [1 if data.draw(st.booleans()) else b for b in batch]
    right = [1 if data.draw(st.booleans()) else b for b in batch]
    left, right = left[data.draw(st.integers(0, 2)) :], right[data.draw(st.integers(0, 2)) :]
    shape_left = (*left, n, k) if data.draw(st.booleans()) else (k,)
    shape_right = (*right, k, m) if data.draw(st.booleans()) else (k,)
    check(operator.matmul, np.matmul, array(shape_left, "left"), array(shape_right, "right"))


def test_all_spellings_are_one(backend: str) -> None:
    a, b = array((2, 3), 1), array((3, 4), 2)
    x, y = MLArray(a), MLArray(b)
    want = (x @ y).to_list()
    for out in (
        x.matmul(y),
        matmul(x, y),
        matmul(a, y),
        matmul(x, b),
        matmul(a, b),
        np.matmul(x, y),
    ):
        assert isinstance(out, MLArray)
        assert out.to_list() == want
    assert not matmul(a, b).requires_grad


@pytest.mark.parametrize("side", [0, 1])
def test_operands_of_every_kind(backend: str, side: int) -> None:
    arrays = [array((3, 3), 1), array((3, 3), 2)]
    a = arrays[1 - side]
    values = [[Value(float(v)) for v in row] for row in a]
    kinds: list[Any] = [a, a.tolist(), tuple(map(tuple, a.tolist())), values, MLArray(a)]
    for other in kinds:
        x = MLArray(arrays[side])
        out = x @ other if side == 0 else other @ x
        assert isinstance(out, MLArray)
        assert_same(out, arrays[0] @ arrays[1])
        out.sum().backward()
        ones = np.ones((3, 3))
        assert_same(x.grad(), ones @ a.T if side == 0 else a.T @ ones)
    other_grad = ones @ arrays[1].T if side == 1 else arrays[0].T @ ones
    assert_same(MLArray([[v.grad for v in row] for row in values]), other_grad)
    assert_same(kinds[-1].grad(), other_grad)
    functions = matmul(x, values) if side == 0 else matmul(values, x)
    functions.sum().backward()
    assert_same(MLArray([[v.grad for v in row] for row in values]), 2.0 * other_grad)


def test_an_array_times_itself(backend: str) -> None:
    check(lambda x: x @ x.T @ x, lambda a: a @ a.T @ a, array((2, 3)))
    check(lambda x: x @ x, lambda a: a @ a, array(4))


def test_constants_get_no_gradient(backend: str) -> None:
    c, w = MLArray(array((2, 3)), requires_grad=False), MLArray(array((3, 2)))
    (c @ w).sum().backward()
    assert flat(c.grad().to_list()) == [0.0] * 6
    assert not (c @ w.detach()).requires_grad


def test_float32_stays_float32() -> None:
    with use_backend("numpy"):
        x = MLArray(array((2, 3)).astype(np.float32))
        for y in (MLArray(array((3, 4)).astype(np.float32)), MLArray(array(3).astype(np.float32))):
            out = x @ y
            assert out.dtype == np.float32
            out.backward()
            assert x.grad().dtype == y.grad().dtype == np.float32


def test_gradients_agree_with_torch(backend: str) -> None:
    torch = pytest.importorskip("torch")
    for left, right in CASES[:18]:
        a, b = array(left, "left"), array(right, "right")
        x, y = MLArray(a), MLArray(b)
        s, t = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
        (x @ y).tanh().sum().backward()
        (s @ t).tanh().sum().backward()
        assert_same(x.grad(), s.grad.numpy())
        assert_same(y.grad(), t.grad.numpy())


@pytest.mark.parametrize("x", [[2.0], [[2.0]]])
def test_second_derivatives_where_a_factor_is_infinite(backend: str, x: Any) -> None:
    """The cotangent of the first column is 0, and sends 0: the rest is (x w)^2 with w = 3."""
    w = MLArray([[math.inf, 3.0]], requires_grad=False, backend=backend)

    def loss(x: Any) -> Any:
        return ((x @ w)[..., 1] ** 2).sum()

    at = MLArray(x, backend=backend)
    assert flat(grad(loss)(at)) == [36.0]
    assert flat(grad(lambda x: grad(loss)(x).sum())(at)) == [18.0]
