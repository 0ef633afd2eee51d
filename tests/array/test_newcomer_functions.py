"""Functions and methods that newcomers look for, as they write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array import AxisError, MLArray, ShapeError, cross, index_add, interp, median, ones
from smolml_value import Value, check_grads, grad
from tests.array.numeric import array, assert_same

# A batch of one --------------------------------------------------------------------------------


def test_a_batch_of_one_keeps_its_axis() -> None:
    labels = np.array(["a", "b"])
    for batch in ([[1.0, 2.0]], [[1.0, 2.0], [5.0, 3.0]]):
        x: Any = MLArray(batch)
        want = labels[np.argmax(batch, axis=1)]
        assert labels[x.argmax(axis=1)].tolist() == want.tolist()
        with pytest.raises(TypeError, match="without axes"):
            x.argmax(axis=1).__index__()
    assert labels[MLArray([[1.0, 2.0]]).argmax()] == "b"
    chosen: Any = np.arange(1)[MLArray([1.0]) > 0]
    assert chosen.tolist() == [0]


# Methods ---------------------------------------------------------------------------------------


def test_methods_by_numpys_names(backend: str) -> None:
    a = np.array([[3.0, 0.0, 2.0], [1.0, 5.0, 4.0]])
    x: Any = MLArray(a)
    assert x.tolist() == a.tolist()
    assert_same(x.ravel(), a.ravel())
    assert_same(x.swapaxes(0, -1), a.swapaxes(0, -1))
    assert_same(x.cumsum(axis=1), a.cumsum(axis=1))
    assert_same(x.cumprod(axis=0), a.cumprod(axis=0))
    assert_same(x[0].cumsum(), a[0].cumsum())
    for ours, theirs in zip(x.nonzero(), a.nonzero(), strict=True):
        assert ours.to_list() == theirs.tolist()
    for ddof in (0, 1):
        assert_same(x.var(ddof=ddof), a.var(ddof=ddof))
        assert_same(x.std(axis=1, ddof=ddof), a.std(axis=1, ddof=ddof))
    with pytest.raises(AxisError, match="swapaxes"):
        x.swapaxes(0, 2)
    with pytest.raises(AxisError):
        x.cumsum()  # NumPy flattens, PyTorch asks for the axis: so do we


def test_dot_is_numpys_up_to_two_dimensions(backend: str) -> None:
    a, b = array((2, 3), "a"), array((3, 2), "b")
    x: Any = MLArray(a)
    for other in (b, b[:, 0], 2.0):
        assert_same(x.dot(other), a.dot(other))
    assert_same(x[0].dot(x[1]), a[0].dot(a[1]))
    check_grads(lambda x, y: x.dot(y), (MLArray(a), MLArray(b)))
    with pytest.raises(ShapeError, match=r"dot: .* use matmul"):
        x.dot(np.zeros((2, 3, 2)))


def test_a_copy_is_in_the_graph_and_shares_nothing(backend: str) -> None:
    x: Any = MLArray([1.0, 2.0])
    y = x.copy()
    y[0] = 7.0
    assert x.tolist() == [1.0, 2.0]
    x[1] = 9.0
    assert y.tolist() == [7.0, 2.0]
    z: Any = MLArray([1.0, 2.0])
    (z.copy() * 3.0).sum().backward()
    assert z.grad().to_list() == [3.0, 3.0]
    constant: Any = MLArray([1.0, 2.0], requires_grad=False)
    other = constant.copy()
    other[0] = 5.0
    assert constant.tolist() == [1.0, 2.0]
    assert not other.requires_grad


def test_a_number_in_an_array(backend: str) -> None:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    assert 3.0 in x
    assert 5.0 not in x
    assert Value(4.0) in x
    assert "4.0" not in x
    assert [3.0, 4.0] in x  # as in NumPy, an element where they meet


# % and // --------------------------------------------------------------------------------------


def test_a_phase_is_differentiated(backend: str) -> None:
    x: Any = MLArray([0.5, 2.5, -0.5])
    y: Any = MLArray([2.0, 2.0, 2.0])
    out = x % y
    assert_same(out, [0.5, 0.5, 1.5])
    out.sum().backward()
    assert x.grad().to_list() == [1.0, 1.0, 1.0]
    assert y.grad().to_list() == [0.0, -1.0, 1.0]
    assert grad(lambda v: v % 2)(7.5) == 1.0
    assert grad(lambda v: v // 2 + v)(7.5) == 1.0
    assert (7 % Value(4.0)).data == 3.0
    assert (Value(-7.0) // 2).data == -4.0
    counts = MLArray([5, 6], dtype="int64")
    assert (counts % 4).to_list() == [1, 2]
    assert (counts // 4).dtype.name == "int64"
    with pytest.raises(TypeError):
        Value(1.0) % "a"
    check_grads(lambda x, y: (x % y) * x, (MLArray([0.7, 5.3]), MLArray([2.0, -1.5])))


@given(
    x=hnp.arrays("float64", 4, elements=st.floats(-1e6, 1e6)),
    y=hnp.arrays("float64", 4, elements=st.floats(0.01, 1e3) | st.floats(-1e3, -0.01)),
)
def test_a_quotient_and_a_remainder_make_the_number(x: Any, y: Any) -> None:
    for backend in ("numpy", "pure"):
        a, b = MLArray(x, backend=backend), MLArray(y, backend=backend)
        assert_same(a // b, x // y, 0.0, 0.0)
        assert_same(a % b, x % y, 0.0, 0.0)
        assert_same(a // b * b + a % b, x, 1e-9, 1e-6)


# Scatter ---------------------------------------------------------------------------------------


@given(data=st.data())
def test_index_add_is_numpys_add_at(data: st.DataObject) -> None:
    a = data.draw(hnp.arrays("float64", (3, 4), elements=st.floats(-9.0, 9.0)))
    key: Any = data.draw(
        st.lists(st.integers(-3, 2), max_size=5)
        | st.tuples(st.just(slice(None)), st.lists(st.integers(0, 3), min_size=1, max_size=6))
        | st.tuples(st.integers(0, 2), st.integers(0, 3))
        | st.just(slice(None, None, 2))
    )
    key = np.array(key, dtype=int) if isinstance(key, list) else key
    values = data.draw(hnp.arrays("float64", a[key].shape, elements=st.floats(-9.0, 9.0)))
    want = a.copy()
    np.add.at(want, key, values)
    for backend in ("numpy", "pure"):
        x = MLArray(a, backend=backend)
        assert_same(index_add(x, key, values), want, 1e-12, 1e-12)
        assert_same(x, a, 0.0, 0.0)


def test_sums_by_group_have_gradients(backend: str) -> None:
    values: Any = MLArray([1.0, 2.0, 3.0, 4.0])
    groups = MLArray([0, 2, 0, 2], dtype="int64")
    sums = MLArray([0.0] * 3, requires_grad=False).index_add(groups, values)
    assert sums.to_list() == [4.0, 0.0, 6.0]
    (sums * [1.0, 10.0, 100.0]).sum().backward()
    assert values.grad().to_list() == [1.0, 100.0, 1.0, 100.0]
    with pytest.raises(IndexError):
        index_add(ones(2), [5], 1.0)
    with pytest.raises(ValueError, match="broadcast"):
        index_add(ones(2), [0, 1], [1.0, 2.0, 3.0])


# Errors and special numbers of the composites --------------------------------------------------


def test_a_median_of_nan_is_nan(backend: str) -> None:
    assert np.isnan(median([1.0, float("nan"), 2.0]).item())
    got = median([[1.0, float("inf")], [3.0, 4.0]], axis=1)
    assert got.to_list() == [float("inf"), 3.5]


def test_composites_say_what_they_expect(backend: str) -> None:
    for xs, ys in (([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([[1.0, 2.0]], [[1.0, 2.0]])):
        with pytest.raises(ShapeError, match=r"interp: xs .*expected \(n,\), n > 1"):
            interp(0.5, xs, ys)
    with pytest.raises(ShapeError, match=r"cross: axis -1 of shape \(2,\): expected length 3"):
        cross([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="convolve: unknown mode 'all'"):
        np.convolve(MLArray([1.0]), [1.0], mode="all")  # type: ignore[call-overload]
    with pytest.raises(ShapeError, match="convolve"):
        np.convolve(MLArray([1.0]), np.zeros(0))
    with pytest.raises(ValueError, match="where= needs initial="):
        np.max(MLArray([1.0]), where=[True])
