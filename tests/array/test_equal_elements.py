"""Equal elements have a mean that is one of them and no spread, exactly; others are as NumPy's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray, norm, replay, use_backend, vector_norm
from smolml_value import Value, fused, grad, hessian, jvp
from tests.array.helpers import flat, gradient

NUMBERS = (0.1, 1.1, -0.089, 0.7, 1e-300, 1e300, 5e-324, 1.7e308, 0.0, -0.0, 1 / 3)
SPREADS: dict[str, Callable[[Any], Any]] = {
    "var": lambda x: x.var(),
    "var, corrected": lambda x: x.var(correction=1),
    "var of rows": lambda x: x.var(axis=-1),
    "var of columns": lambda x: x.var(axis=0, keepdims=True),
    "std": lambda x: x.std(),
    "std of rows": lambda x: x.std(axis=-1),
    "std of both axes": lambda x: x.std(axis=(0, 1)),
    "norm of what is centred": lambda x: norm(x - x.mean()),
    "norms of centred rows": lambda x: vector_norm(x - x.mean(axis=1, keepdims=True), axis=1),
    "distances": lambda x: (x - x.mean(axis=0)).abs(),
}


def dtypes(backend: str) -> tuple[str, ...]:
    return ("float64", "float32") if backend == "numpy" else ("float64",)


@pytest.mark.parametrize("name", SPREADS)
def test_no_spread_and_no_gradient(name: str, backend: str) -> None:
    spread = SPREADS[name]
    for dtype in dtypes(backend):
        for number in (0.1, 1.1, -0.089, 0.7, 1 / 3, 1e5 + 0.1):
            for shape in ((1, 3), (3, 1), (6, 7), (49, 2)):
                x = MLArray(np.full(shape, number), dtype=dtype)
                y = spread(x)
                assert set(flat(y.to_list())) == {0.0}, (number, shape)
                y.sum().backward()
                assert set(gradient(x)) == {0.0}


def test_means_are_the_number(backend: str) -> None:
    for number in NUMBERS:
        for n in (1, 2, 3, 6, 7, 10, 49, 1000):
            x = MLArray([[number] * n] * 2, dtype="float64")
            for mean in (x.mean(), x.mean(axis=1), x.mean(axis=(0, 1)), x.mean(axis=0)):
                assert set(flat(mean.to_list())) == {number}
            assert fused.mean([Value(number)] * n).data == number


def test_rows_that_are_equal_beside_others(backend: str) -> None:
    rows = [[0.1] * 3, [0.1, 0.2, 0.1], [0.7] * 3, [math.nan] * 3, [1.0, 2.0, 3.0]]
    x = MLArray(rows)
    spread = x.std(axis=1)
    spread.sum().backward()
    with np.errstate(invalid="ignore"):
        want = np.std(rows, axis=1)
    got = spread.to_list()
    assert (got[0], got[2]) == (0.0, 0.0)
    assert np.allclose(got[1::2], want[1::2], 1e-14, equal_nan=True)
    assert x.grad().to_list()[0] == x.grad().to_list()[2] == [0.0] * 3
    assert np.allclose(x.grad().to_list()[4], [-1 / (3 * want[4]), 0.0, 1 / (3 * want[4])])


def test_layer_norm_of_equal_rows(backend: str) -> None:
    layer_norm = pytest.importorskip("smolml_utils").layer_norm
    for dtype in dtypes(backend):
        x = MLArray([[0.1] * 3, [0.7] * 3, [-0.089] * 3], dtype=dtype)
        y = layer_norm(x)
        assert set(flat(y.to_list())) == {0.0}
        (y * MLArray([1.0, -2.0, 3.0], dtype=dtype)).sum().backward()
        centred = np.array([1.0, -2.0, 3.0]) - 2 / 3
        assert np.allclose(x.grad().to_list(), [centred / 1e-5**0.5] * 3, 1e-5)


def test_along_every_path(backend: str) -> None:
    point = MLArray([0.1] * 3)
    assert grad(lambda x: x.std())(point).to_list() == [0.0] * 3
    value, tangent = jvp(lambda x: x.std(), (point,), (MLArray([1.0, 2.0, 4.0]),))
    assert (value.item(), tangent.item()) == (0.0, 0.0)
    second = np.array(hessian(lambda x: x.var())(point).to_list())
    assert np.allclose(second, 2 / 3 * (np.eye(3) - 1 / 3), 1e-14)
    on_values = MLArray([Value(0.1)] * 3).std()
    on_values.backward()
    assert on_values.item() == 0.0


def test_replayed_steps_too() -> None:
    with use_backend("numpy"):
        w = MLArray([1.0, 1.0, 1.0])
        step = replay(lambda x: (w * x).std() + (w * x).mean(), [w])
        for numbers in ([1.0, 2.0, 3.0], [0.1] * 3, [0.2, 0.3, 0.2], [0.7] * 3):
            x = MLArray(numbers, requires_grad=False)
            w.zero_grad()
            played, slope = step(x).item(), w.grad().to_list()
            w.zero_grad()
            y = (w * x).std() + (w * x).mean()
            y.backward()
            assert (played, slope) == (y.item(), w.grad().to_list())


_rows = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from([0.1, 0.7, -0.0, 0.0, 2.0, 1e10]), min_size=n, max_size=n),
        min_size=1,
        max_size=4,
    )
)


@given(_rows, st.sampled_from([None, 0, 1, (0, 1)]), st.booleans())
def test_as_numpy_where_something_differs(rows: Any, axis: Any, keepdims: bool) -> None:
    a = np.array(rows)
    low, high = a.min(axis=axis, keepdims=keepdims), a.max(axis=axis, keepdims=keepdims)
    for backend in ("numpy", "pure"):
        x = MLArray(rows, backend=backend)
        for name in ("mean", "var", "std"):
            got = np.asarray(getattr(x, name)(axis=axis, keepdims=keepdims).to_list())
            want = getattr(np, name)(a, axis=axis, keepdims=keepdims)
            exact = low if name == "mean" else np.zeros_like(low)
            assert got.shape == want.shape
            assert np.array_equal(got[low == high], exact[low == high])
            assert np.allclose(got[low != high], want[low != high], 1e-14, 1e-16)
            if name == "mean" and backend == "numpy":  # to the bit, and to the sign of a zero
                other = (low != high) | (low == 0.0)
                assert got[other].tobytes() == want[other].tobytes()
