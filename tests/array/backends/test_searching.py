"""Sorting and searching on both backends, against NumPy itself; nan is the largest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array.backends.agreement import NUMPY, PURE, agree, arrays, on_pure, same

SOME = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)


def _argsort(x: Any, axis: int, descending: bool) -> Any:
    """Stable in both directions: the sort of what is negated, with nan, inf and all."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    ranks = np.unique(x, return_inverse=True, equal_nan=True)[1].reshape(x.shape)
    return np.argsort(-ranks, axis, kind="stable")


@given(arrays(SOME), st.data(), st.booleans())
@settings(max_examples=120)
def test_sort_and_argsort(x: Any, data: st.DataObject, descending: bool) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    options = {"axis": axis, "descending": descending}
    agree("argsort", x, expected=_argsort, **options)

    def expected(x: Any, axis: int, descending: bool) -> Any:
        return np.take_along_axis(x, _argsort(x, axis, descending), axis)

    agree("sort", x, expected=expected, **options)


def test_equal_elements_keep_their_order() -> None:
    for backend in (PURE, NUMPY):
        x = backend.asarray([1.0, 0.0, 1.0, 0.0, float("nan"), 1.0, float("nan")])
        assert backend.to_list(backend.argsort(x)) == [1, 3, 0, 2, 5, 4, 6]
        assert backend.to_list(backend.argsort(x, descending=True)) == [4, 6, 0, 2, 5, 1, 3]


@given(arrays(st.integers(0, 5)), arrays())
@settings(max_examples=100)
def test_searchsorted(x: Any, wanted: Any) -> None:
    line = np.sort(x)
    for side in ("left", "right"):
        agree("searchsorted", line, wanted, side=side)
        order = np.argsort(x, kind="stable")
        got = PURE.searchsorted(on_pure(x), on_pure(wanted), side=side, sorter=on_pure(order))
        same("sorter", got, np.searchsorted(line, wanted, side))


@given(arrays())
@settings(max_examples=60)
def test_unique_values(x: Any) -> None:
    agree("unique_values", x, expected=lambda x: np.unique(x, equal_nan=False))


@pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
def test_errors(backend: Any) -> None:
    with pytest.raises(ValueError, match="searchsorted: unknown side 'middle': expected 'left'"):
        backend.searchsorted(backend.zeros(3), backend.zeros(1), side="middle")
    with pytest.raises(ValueError, match="nonzero: a 0-d array has no positions"):
        backend.nonzero(backend.asarray(1.0))
    with pytest.raises(ValueError, match="take: expected axis= for an array of 2 dimensions"):
        backend.take(backend.zeros((2, 2)), backend.asarray([0]))
    with pytest.raises(ValueError, match="sort: axis 1 is out of range"):
        backend.sort(backend.zeros(3), axis=1)
