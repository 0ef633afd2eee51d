"""What is computed of whole arrays at once, beside NumPy's own, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array.backends.numpy.at_once import MANY, chosen
from tests.array.backends.agreement import NUMPY

SPECIAL = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-160, -1e-300, 1e160, -1e300, math.inf, -math.inf)
numbers = st.sampled_from((*SPECIAL, math.nan)) | st.floats(-1e3, 1e3)


def many(few: list[float], seed: int) -> Any:
    """So many that they are computed at once, these among them, wherever that is."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=MANY + 7)
    x[rng.choice(x.size, len(few), replace=False)] = few
    return x


def bits(x: Any) -> Any:
    return np.asarray(x).view(np.int64)


@given(few=st.lists(numbers, max_size=20), other=numbers, seed=st.integers(0, 99))
def test_where_gives_the_very_bits(few: list[float], other: float, seed: int) -> None:
    x, y = many(few, seed), many(few, seed + 1)
    mask = many([], seed + 2) > 0.0
    for x1, x2 in ((x, y), (x, other), (other, y), (other, 0.5), (math.nan, -0.0)):
        assert chosen(mask, x1, x2) is not None
        np.testing.assert_array_equal(bits(NUMPY.where(mask, x1, x2)), bits(np.where(mask, x1, x2)))


def test_where_leaves_to_numpy_what_is_not_for_it() -> None:
    x = many([], 0)
    mask = x > 0.0
    for args in (
        (mask[:50], 1.0, 0.0),
        (x, 1.0, 0.0),  # no mask
        (mask, 1, 0),  # int64
        (mask, x.astype(np.float32), x.astype(np.float32)),
        (mask, x[:1], x),
        (mask[:, None], x, 0.0),
        (mask, np.array(1.0), 0.5),
        (np.sort(mask), x, -x),  # which is as quick there
    ):
        assert chosen(*args) is None
        got, want = NUMPY.where(*args), np.where(*args)
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype
    table = mask[:-7].reshape(64, -1)
    x = x[:-7].reshape(64, -1)
    turns: list[Callable[[Any], Any]] = [lambda a: a.T, lambda a: a[::-1, ::2]]
    for turned in turns:
        args = turned(np.concatenate([table, ~table])), turned(np.concatenate([x, x])), 2.0
        assert chosen(*args) is not None
        np.testing.assert_array_equal(NUMPY.where(*args), np.where(*args))


def ulps(got: Any, want: Any) -> Any:
    """How far, in units in the last place; 0 between equal infinities and nan."""
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    return np.max(np.abs(got - want)[finite] / np.spacing(np.abs(want[finite])), initial=0.0)


@given(few=st.lists(numbers, max_size=20), other=numbers, seed=st.integers(0, 99))
@pytest.mark.parametrize("name", ["hypot", "logaddexp"])
@pytest.mark.filterwarnings("ignore")
def test_of_two_as_numpy(name: str, few: list[float], other: float, seed: int) -> None:
    x, y = many(few, seed), many(few, seed + 1)
    ours, theirs = getattr(NUMPY, name), getattr(np, name)
    for x1, x2 in ((x, y), (x, x[::-1]), (x, other), (other, y), (x.reshape(-1, 1), y[:2])):
        got = ours(x1, x2)
        want = np.asarray(theirs(x1, x2))
        assert got.shape == want.shape
        if name == "hypot":
            assert ulps(got, want) <= 1.0
        else:  # where both cancel, what they make of the larger one decides
            scale = 1e-15 * np.nan_to_num(np.abs(np.maximum(x1, x2)), posinf=0.0)
            np.testing.assert_array_less(
                np.abs(got - want)[np.isfinite(want)], np.max(scale) + 1e-14
            )
            np.testing.assert_array_equal(got[~np.isfinite(want)], want[~np.isfinite(want)])


@pytest.mark.parametrize("name", ["hypot", "logaddexp"])
def test_of_two_in_other_types(name: str) -> None:
    ours, theirs = getattr(NUMPY, name), getattr(np, name)
    x = many([], 3)
    assert ours(3.0, 4.0).shape == ()
    assert ours(x.astype(np.float32), 0.5).dtype == np.float32
    for a in (x.astype(np.int64), x > 0.0, x[:0]):
        got = ours(a, a)
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, theirs(a.astype(float), a.astype(float)), 1e-14)
    with pytest.raises(ValueError, match=name):
        ours(x, x[:-1])


@given(
    few=st.lists(st.sampled_from((*SPECIAL, math.nan)) | st.floats(-3, 3), min_size=1, max_size=20),
    seed=st.integers(0, 99),
    descending=st.booleans(),
)
def test_positions_that_sort_keep_the_order_of_equals(
    few: list[float], seed: int, descending: bool
) -> None:
    """Python's own sort is stable; with nan, with equal numbers, with none, in few and in many."""
    for x in (np.array(few), np.resize(few, MANY + 7), many(few, seed), many([], seed)):
        numbers = x.tolist()
        key = [(math.isnan(v), 0.0 if math.isnan(v) else v) for v in numbers]
        want = sorted(range(len(numbers)), key=key.__getitem__, reverse=descending)
        assert NUMPY.argsort(x, descending=descending).tolist() == want
        both = np.stack([x, x], axis=1)
        for axis, table in ((0, both), (1, both.T)):
            got = NUMPY.argsort(table, axis=axis, descending=descending)
            assert np.moveaxis(got, axis, 0).T.tolist() == [want, want]
