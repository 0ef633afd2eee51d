"""Sliding windows, their overlaps and borders on both backends, against NumPy itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.array.backends.agreement import NUMPY, PURE, agree
from tests.array.backends.cases import CASES

BACKENDS = pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])


@pytest.mark.parametrize("name", ["sliding_windows", "overlap_add", "pad"])
@settings(max_examples=50)
@given(data=st.data())
def test_against_numpy(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    args, kwargs = data.draw(case.calls)
    agree(name, *args, expected=case.expected, rtol=case.rtol, scale=case.scale, **kwargs)


@settings(max_examples=30)
@given(data=st.data())
def test_overlap_add_is_the_adjoint_of_sliding_windows(data: st.DataObject) -> None:
    (x, window, axis), _ = data.draw(CASES["sliding_windows"].calls)
    for backend in (PURE, NUMPY):
        x = np.arange(1.0, x.size + 1.0).reshape(x.shape)
        try:
            windows = backend.sliding_windows(backend.asarray(x), window, axis)
        except ValueError:
            return
        size = math.prod(windows.shape)
        weights = backend.reshape(backend.linspace(-1.0, 1.0, size), windows.shape)
        back = backend.overlap_add(weights, x.shape, axis)
        forth = float(backend.sum(backend.multiply(windows, weights)))
        assert float(backend.sum(backend.multiply(backend.asarray(x), back))) == pytest.approx(
            forth, rel=1e-9, abs=1e-9
        )


@BACKENDS
def test_errors(backend: Any) -> None:
    x = backend.zeros((3, 4))
    with pytest.raises(
        ValueError, match=r"a window of 5 does not fit into axis 1 of shape \(3, 4\)"
    ):
        backend.sliding_windows(x, 5, 1)
    with pytest.raises(ValueError, match=r"window shape \(2,\) has 1 lengths for all 2 axes"):
        backend.sliding_windows(x, 2)
    with pytest.raises(ValueError, match="name the same axis twice"):
        backend.sliding_windows(x, (1, 2), (1, 1))
    with pytest.raises(ValueError, match="has a negative length"):
        backend.sliding_windows(x, -1, 0)
    with pytest.raises(ValueError, match="expected the shape of sliding_windows"):
        backend.overlap_add(x, (5,), 0)
    with pytest.raises(ValueError, match=r"pad: widths \[1, 2, 3\] for an array of 2 dimensions"):
        backend.pad(x, [1, 2, 3])
    with pytest.raises(ValueError, match=r"pad: a width of -1: expected >= 0; to cut off"):
        backend.pad(x, -1)
    with pytest.raises(TypeError, match=r"pad: expected integers as widths, got 1\.5"):
        backend.pad(x, [(0, 1.5), (1, 1)])


def test_windows_of_ndarrays_are_views() -> None:
    x = np.arange(1e6)
    windows = NUMPY.sliding_windows(x, 1000)
    assert np.shares_memory(windows, x)
    assert not windows.flags.writeable
    assert windows.shape == (999_001, 1000)
