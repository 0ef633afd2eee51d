"""Sliding windows, their overlaps and borders on both backends, against NumPy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array.backends.agreement import NUMPY, PURE, agree, arrays

BACKENDS = pytest.mark.parametrize("backend", [PURE, NUMPY], ids=["pure", "numpy"])
_view = np.lib.stride_tricks.sliding_window_view


@st.composite
def windowed(draw: st.DrawFn, of: Any = arrays) -> tuple[Any, Any, Any]:
    """An array, a window shape that may be too long, and its axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    axes: Any = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape)))]
    window: Any = tuple(draw(st.integers(0, min(shape[a] + 1, 4))) for a in axes)
    if len(axes) == 1 and draw(st.booleans()):
        axes, window = axes[0] - len(shape), window[0]
    elif len(axes) == len(shape) and draw(st.booleans()):
        axes, window = None, tuple(w for _, w in sorted(zip(axes, window, strict=True)))
    return draw(of(shape)), window, tuple(axes) if isinstance(axes, list) else axes


@given(windowed())
@settings(max_examples=120)
def test_sliding_windows(case: Any) -> None:
    x, window, axis = case
    agree("sliding_windows", x, window, axis, expected=_view)


def _overlap_add(windows: Any, shape: Any, axis: Any) -> Any:
    """Where each element of every window was taken from, by the positions of a range."""
    at = _view(
        np.arange(np.prod(shape, dtype=int)).reshape(shape), windows.shape[len(shape) :], axis
    )
    kind = np.int64 if windows.dtype.kind == "b" else windows.dtype
    out = np.zeros(int(np.prod(shape)), kind)
    np.add.at(out, at.ravel(), windows.ravel().astype(kind))
    return out.reshape(shape)


@given(windowed(lambda shape: arrays(shape, tame=True)))
@settings(max_examples=120)
def test_overlap_add_is_the_adjoint(case: Any) -> None:
    x, window, axis = case
    try:
        windows = _view(x, window, axis)
    except ValueError:
        return
    weights = np.linspace(-1.0, 1.0, windows.size).reshape(windows.shape).astype(x.dtype)
    options: dict[str, Any] = {"expected": _overlap_add, "rtol": 1e-12, "scale": 1e3}
    agree("overlap_add", windows * weights, x.shape, axis, **options)
    agree("overlap_add", weights, (*x.shape, 2), axis, expected=_refused)


def _refused(*args: Any, **kwargs: Any) -> Any:
    raise ValueError


def _pad(x: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    value = np.asarray(constant_values).astype(x.dtype)
    return np.pad(x, pad_width, constant_values=value) if x.ndim else x.copy()


@given(arrays(), st.data(), st.floats(-3, 3) | st.integers(-3, 3))
@settings(max_examples=120)
def test_pad(x: Any, data: st.DataObject, value: float) -> None:
    pair = st.tuples(st.integers(0, 3), st.integers(0, 3))
    each = data.draw(st.tuples(*[pair] * x.ndim))
    agree("pad", x, each, constant_values=value, expected=_pad)
    agree("pad", x, data.draw(pair), constant_values=value, expected=_pad)
    agree("pad", x, [data.draw(pair)], expected=_pad)
    agree("pad", x, data.draw(st.integers(0, 2)), expected=_pad)


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
