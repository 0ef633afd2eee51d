"""Reductions against NumPy: every axis, keepdims, empty and 0-d arrays, ties, zeros, nan."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import AxisError, MLArray, use_backend
from tests.array.helpers import assert_close, gradient
from tests.array.numeric import array, assert_same, axes_of, check, shapes

Reduction = Callable[..., Any]
OURS: dict[str, Reduction] = {
    "sum": MLArray.sum,
    "mean": MLArray.mean,
    "prod": MLArray.prod,
    "max": MLArray.max,
    "min": MLArray.min,
    "var": MLArray.var,
    "std": MLArray.std,
}
THEIRS: dict[str, Reduction] = {name: getattr(np, name) for name in OURS}
every_reduction = pytest.mark.parametrize("name", OURS)
AXES: list[Any] = [None, 0, 1, -1, -3, (), (0,), (0, 2), (-1, 0), (2, 1), (0, 1, 2)]


@every_reduction
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_every_axis(backend: str, name: str, axis: Any, keepdims: bool) -> None:
    check(
        lambda x: OURS[name](x, axis=axis, keepdims=keepdims),
        lambda a: THEIRS[name](a, axis=axis, keepdims=keepdims),
        array((2, 3, 2)),
    )


@every_reduction
@settings(max_examples=30)
@given(data=st.data())
def test_every_shape(backend: str, name: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(max_dims=3, max_side=3, min_side=int(name in ("max", "min"))))
    axis = data.draw(axes_of(shape))

    def theirs(a: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of the mean of nothing
            return THEIRS[name](a, axis=axis)

    check(lambda x: OURS[name](x, axis), theirs, array(shape))


@every_reduction
def test_as_positional_arguments_and_by_default(backend: str, name: str) -> None:
    x, a = MLArray(array((2, 3))), array((2, 3))
    assert_same(OURS[name](x), THEIRS[name](a))
    assert_same(OURS[name](x, 1, True), THEIRS[name](a, axis=1, keepdims=True))
    assert_same(OURS[name](x, [0, 1]), THEIRS[name](a))
    assert_same(OURS[name](x, np.int64(1)), THEIRS[name](a, axis=1))


@every_reduction
@pytest.mark.parametrize("axis", [None, 0])
def test_whatever_is_true_keeps_the_axes(backend: str, name: str, axis: Any) -> None:
    a = array((2, 3))
    for keepdims in (0, 1, -1, np.False_, np.True_):
        kept = THEIRS[name](a, axis=axis, keepdims=bool(keepdims))
        assert_same(OURS[name](MLArray(a), axis, keepdims), kept)


@every_reduction
def test_a_reduction_of_a_constant_is_constant(backend: str, name: str) -> None:
    assert not OURS[name](MLArray([1.0, 2.0], requires_grad=False)).requires_grad


@every_reduction
def test_float32_stays_float32(name: str) -> None:
    with use_backend("numpy"):
        x = MLArray(array((3, 4)).astype(np.float32))
        out = OURS[name](x, axis=0)
        assert out.dtype == np.float32
        out.backward()
        assert x.grad().dtype == np.float32


# Nothing to reduce ---------------------------------------------------------------------------

NOTHING: list[tuple[str, tuple[int, ...], Any]] = [
    *[("sum", (0,), 0.0), ("sum", (2, 0), 0.0), ("prod", (0,), 1.0), ("prod", (0, 3), 1.0)],
    *[("mean", (0,), math.nan), ("var", (0,), math.nan), ("std", (0, 2), math.nan)],
]


@pytest.mark.parametrize(("name", "shape", "want"), NOTHING)
def test_a_reduction_of_nothing(
    backend: str, name: str, shape: tuple[int, ...], want: float
) -> None:
    x = MLArray(np.zeros(shape))
    out = OURS[name](x)
    assert_close(out.item(), want)
    out.backward()
    assert x.grad().shape == shape


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_the_largest_of_nothing_is_an_error(backend: str, name: str) -> None:
    for shape, axis, said in [((0,), None, ""), ((2, 0), 1, "axis 1"), ((2, 0), None, "")]:
        x = MLArray(np.zeros(shape))
        with pytest.raises(ValueError, match=rf"{name}: cannot reduce .*{said}.*\(.*0.*\).*empty"):
            getattr(x, name)(axis=axis)
    assert getattr(MLArray(np.zeros((0, 3))), name)(axis=1).shape == (0,)


# Ties, zeros, no spread ----------------------------------------------------------------------


@pytest.mark.parametrize("axis", [(1, 2), (2, 1), (-1, 1)])
def test_the_first_extreme_is_the_first_in_c_order(axis: tuple[int, int], backend: str) -> None:
    """In whatever order the axes are named."""
    x = MLArray([[[1.0, 2.0], [2.0, 0.0]]])
    x.max(axis=axis).sum().backward()
    assert gradient(x) == [0.0, 1.0, 0.0, 0.0]


def test_an_extreme_that_stands_twice_sends_its_gradient_to_the_first(backend: str) -> None:
    for name, sign in [("max", 1.0), ("min", -1.0)]:
        x = MLArray([[1.0 * sign, 5.0 * sign, 5.0 * sign], [5.0 * sign, 0.0, 5.0 * sign]])
        OURS[name](x).backward()
        assert gradient(x) == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
        x.zero_grad()
        OURS[name](x, axis=1).backward()
        assert gradient(x) == [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]
        x.zero_grad()
        OURS[name](x, axis=0, keepdims=True).backward()
        assert gradient(x) == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_extremes_and_nan_and_infinities(backend: str) -> None:
    x = MLArray([1.0, math.nan, 3.0, math.nan])
    assert math.isnan(x.max().item())
    x.max().backward()
    assert gradient(x) == [0.0, 1.0, 0.0, 0.0]
    assert (x.argmax().item(), x.argmin().item()) == (1, 1)
    y = MLArray([-math.inf, -math.inf])
    y.max().backward()
    assert gradient(y) == [1.0, 0.0]
    assert MLArray([math.inf, 1.0]).mean().item() == math.inf
    assert math.isnan(MLArray([math.inf, -math.inf]).sum().item())


def test_products_with_zeros(backend: str) -> None:
    x = MLArray([[2.0, 3.0, 4.0], [0.0, 3.0, 4.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    x.prod(axis=1).backward()
    assert x.grad().to_list() == [[12.0, 8.0, 6.0], [12.0, 0.0, 0.0], [0.0] * 3, [0.0] * 3]
    y = MLArray([[0.0, 2.0], [3.0, 4.0]])
    y.prod().backward()
    assert y.grad().to_list() == [[24.0, 0.0], [0.0, 0.0]]


def test_no_spread_has_no_gradient(backend: str) -> None:
    x = MLArray([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    x.std(axis=1).sum().backward()
    third = 1.0 / math.sqrt(6.0)
    assert_close(x.grad(), [[0.0, 0.0, 0.0], [-third, 0.0, third]])
    x.zero_grad()
    x.var(axis=1).sum().backward()
    assert_close(x.grad(), [[0.0, 0.0, 0.0], [-2.0 / 3.0, 0.0, 2.0 / 3.0]])
    single = MLArray(3.0)
    single.std().backward()
    assert single.grad().item() == 0.0


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("correction", [0, 1, 1.5, -1.0])
def test_correction(backend: str, name: str, correction: float) -> None:
    check(
        lambda x: OURS[name](x, axis=1, correction=correction),
        lambda a: THEIRS[name](a, axis=1, ddof=correction),
        array((2, 4)),
    )


def test_more_correction_than_elements(backend: str) -> None:
    x = MLArray([3.0])
    out = x.var(correction=1)
    assert math.isnan(out.item())
    out.backward()
    assert math.isnan(x.grad().to_list()[0])
    y = MLArray([1.0, 3.0])
    out = y.var(correction=5)
    assert out.item() == math.inf
    out.backward()
    assert gradient(y) == [-math.inf, math.inf]


# Against PyTorch and closed forms ------------------------------------------------------------


@every_reduction
@pytest.mark.parametrize("axis", [0, 1])
def test_gradients_agree_with_torch(backend: str, name: str, axis: int) -> None:
    torch = pytest.importorskip("torch")
    a = array((4, 5))
    x, t = MLArray(a), torch.tensor(a, requires_grad=True)
    theirs = {"max": torch.amax, "min": torch.amin}.get(name) or getattr(torch, name)
    options = {"correction": 0} if name in ("var", "std") else {}
    (OURS[name](x, axis=axis) ** 2).sum().backward()
    (theirs(t, axis, **options) ** 2).sum().backward()
    assert_same(x.grad(), t.grad.numpy(), 1e-12, 1e-12)


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_closed_forms_of_gradients(backend: str, values: list[float]) -> None:
    n = len(values)
    x = MLArray(values)
    x.sum().backward()
    assert gradient(x) == [1.0] * n
    x.zero_grad()
    x.mean().backward()
    assert_close(gradient(x), [1.0 / n] * n)
    x.zero_grad()
    x.var().backward()
    mean = math.fsum(values) / n
    assert_close(gradient(x), [2.0 * (v - mean) / n for v in values], 1e-9, 1e-9)
    x.zero_grad()
    x.max().backward()
    assert gradient(x) == [float(i == values.index(max(values))) for i in range(n)]


# Positions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(data=st.data())
def test_positions_of_extremes(backend: str, name: str, data: st.DataObject) -> None:
    shape = data.draw(shapes(max_dims=3, min_side=1))
    few = st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.inf, math.nan])
    size = math.prod(shape)
    a = np.array(data.draw(st.lists(few, min_size=size, max_size=size))).reshape(shape)
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1) if shape else st.none())
    keepdims = data.draw(st.booleans())
    out = getattr(MLArray(a), name)(axis=axis, keepdims=keepdims)
    assert_same(out, getattr(np, name)(a, axis=axis, keepdims=keepdims))
    assert out.dtype.name == "int64"
    assert not out.requires_grad


def test_a_position_is_an_index(backend: str) -> None:
    x = MLArray([3.0, 7.0, 5.0])
    place = x.argmax()
    assert ["a", "b", "c"][place] == "b"
    assert x[place].item() == 7.0
    assert int(place) == 1


def test_the_product_of_many_with_a_zero_needs_no_square_of_memory(backend: str) -> None:
    x = MLArray([0.0] + [1.0] * 99_999)
    x.prod().backward()
    assert x.grad().to_list() == [1.0] + [0.0] * 99_999
    y = MLArray([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [2.0, 3.0, 4.0]])
    (y.prod(axis=1) * [1.0, 10.0, 100.0]).sum().backward()
    assert y.grad().to_list() == [[6.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1200.0, 800.0, 600.0]]


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_correction_that_is_no_number(backend: str, name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: correction: expected a number.*str 'one'"):
        getattr(MLArray([1.0, 2.0]), name)(correction="one")


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_any_and_all(backend: str, axis: Any, keepdims: bool) -> None:
    raw = np.array([[0.0, 1.0, math.nan], [0.0, 0.0, 2.0]])
    for name in ("any", "all"):
        got = getattr(MLArray(raw), name)(axis=axis, keepdims=keepdims)
        expected = getattr(np, name)(raw, axis=axis, keepdims=keepdims)
        assert got.to_list() == expected.tolist()
        assert got.dtype.name == "bool"
        assert not got.requires_grad
    with pytest.raises(AxisError, match="any: axis 2 is out of range"):
        MLArray(raw).any(axis=2)
