"""Every reduction, on both backends, against NumPy itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.array.backends.agreement import NUMPY, PURE, agree, arrays, oracle, same, tame_arrays


@st.composite
def with_axes(draw: st.DrawFn, of: st.SearchStrategy[Any], single: bool = False) -> Any:
    """An array, an axis (None, one or several, now and then a wrong one) and keepdims."""
    x = draw(of)
    axis: st.SearchStrategy[Any] = st.none()
    if x.ndim:
        axis |= st.integers(-x.ndim, x.ndim - 1)
    if not single:
        axis |= st.lists(st.integers(0, max(x.ndim - 1, 0)), unique=True, max_size=x.ndim).map(
            tuple
        )
    return x, draw(axis), draw(st.booleans())


@given(with_axes(arrays()))
@settings(max_examples=200)
def test_exact_reductions(case: Any) -> None:
    x, axis, keepdims = case
    for name in ("max", "min", "any", "all", "count_nonzero"):
        agree(name, x, axis=axis, keepdims=keepdims)


@given(with_axes(arrays(), single=True))
@settings(max_examples=100)
def test_positions_of_extremes(case: Any) -> None:
    x, axis, keepdims = case
    for name in ("argmax", "argmin"):
        agree(name, x, axis=axis, keepdims=keepdims)


@given(with_axes(tame_arrays() | arrays(dtypes=st.just("bool"))))
@settings(max_examples=150)
def test_sums_and_means(case: Any) -> None:
    x, axis, keepdims = case
    scale = float(np.abs(x).sum())
    agree("sum", x, axis=axis, keepdims=keepdims, rtol=1e-12, scale=scale)
    agree("mean", x, axis=axis, keepdims=keepdims, rtol=1e-12, scale=scale)
    agree("prod", x, axis=axis, keepdims=keepdims, rtol=1e-12)
    counts = x.shape if axis is None else [x.shape[i] for i in np.atleast_1d(axis) if i < x.ndim]
    for correction in (0, 1, 0.5, 3):
        if correction == np.prod(counts):
            continue  # 0 / 0 of equal numbers, and NumPy's spread of these is what rounding leaves
        for name in ("var", "std"):
            options = {"axis": axis, "keepdims": keepdims, "correction": correction}
            agree(name, x, rtol=1e-10, scale=1e-3 * scale, **options)


@pytest.mark.parametrize("xp", [NUMPY, PURE], ids=["numpy", "pure"])
def test_a_spread_with_no_freedom(xp: Any) -> None:
    rows = xp.asarray([[1.948] * 3, [1.0, 2.0, 3.0]], dtype="float64")
    for name in ("var", "std"):
        spread = getattr(xp, name)(rows, axis=1, correction=3)
        equal, other = (xp.index(spread, i) for i in range(2))
        assert math.isnan(equal)
        assert other == math.inf


@given(with_axes(arrays(dtypes=st.just("float64"))))
@settings(max_examples=100)
def test_what_is_not_finite_in_sums(case: Any) -> None:
    x, axis, keepdims = case
    x = np.where(np.abs(x) > 1e200, np.inf, x)
    for name in ("sum", "mean", "prod", "var", "std"):
        agree(name, x, axis=axis, keepdims=keepdims, rtol=1e-9, scale=1e-1)


def test_types_to_sum_in() -> None:
    x = np.array([[True, False], [True, True]])
    for dtype in ("float64", "int64"):
        for name in ("sum", "prod"):
            want = getattr(np, name)(x, axis=0, dtype=dtype)
            same(name, getattr(NUMPY, name)(x, axis=0, dtype=getattr(NUMPY, dtype)), want)
            pure = getattr(PURE, name)(PURE.asarray(x), axis=0, dtype=getattr(PURE, dtype))
            same(name, pure, want)


def _cumulative(x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
    sums = oracle("cumsum")(x, axis=axis)
    if not include_initial:
        return sums
    first = 0 if axis is None else axis
    lengths = tuple(1 if i == first % x.ndim else n for i, n in enumerate(x.shape))
    return np.concatenate([np.zeros(lengths, sums.dtype), sums], axis=first)


@given(with_axes(arrays(dtypes=st.sampled_from(["int64", "bool"])), single=True))
@settings(max_examples=80)
def test_cumulative_sum_of_integers(case: Any) -> None:
    x, axis, initial = case
    if x.ndim == 0 or (axis is None and x.ndim != 1):
        agree("cumulative_sum", x, axis=axis, expected=_refused)
    else:
        agree("cumulative_sum", x, axis=axis, include_initial=initial, expected=_cumulative)


def _refused(x: Any, axis: int | None = None) -> Any:
    raise ValueError


@given(with_axes(tame_arrays(), single=True).filter(lambda case: case[0].ndim > 0))
@settings(max_examples=40)
def test_cumulative_sum_of_floats(case: Any) -> None:
    x, axis, initial = case
    axis = axis or 0
    options = {"axis": axis, "include_initial": initial}
    scale = float(np.abs(x).sum())
    agree("cumulative_sum", x, expected=_cumulative, rtol=1e-12, scale=scale, **options)
