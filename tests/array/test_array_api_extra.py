"""array-api-extra, written for any array of the standard, on MLArrays; gradients flow through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_extra
import numpy as np
import pytest

from smolml_array import MLArray
from tests.array.numeric import array, assert_same, cotangent, differences

xpx: Any = array_api_extra  # typed for arrays of any library but ours

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "atleast_nd": lambda x: xpx.atleast_nd(x, ndim=3),
    "cov": lambda x: xpx.cov(x),
    "create_diagonal": lambda x: xpx.create_diagonal(x[0]),
    "kron": lambda x: xpx.kron(x, x[:1] + 1.0),
    "pad": lambda x: xpx.pad(x, 1, constant_values=2.0),
    "sinc": lambda x: xpx.sinc(x),
    "apply_where": lambda x: xpx.apply_where(x > 1.0, x, lambda v: v * v, lambda v: 3.0 * v),
}


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_gradients_flow_through(backend: str, name: str) -> None:
    f = SMOOTH[name]
    a = array((2, 3), "x", 0.5, 2.0)
    x = MLArray(a)
    out = f(x)
    assert isinstance(out, MLArray)
    assert_same(out, f(a))
    (out * cotangent(out.shape)).sum().backward()
    assert_same(x.grad(), differences(f, [a], 0), 1e-6, 1e-7)


def test_constants(backend: str) -> None:
    a = np.array([3.0, 1.0, 3.0, np.nan, np.inf])
    x = MLArray(a, requires_grad=False)
    xp = x.__array_namespace__()
    assert_same(xpx.isclose(x, x + 1e-12), xpx.isclose(a, a))
    assert_same(xpx.nan_to_num(x), np.nan_to_num(a))
    assert_same(xpx.setdiff1d(x[:3], x[1:2]), [3.0])
    assert xpx.nunique(x) == 4
    assert_same(xpx.one_hot(xp.asarray([2, 0]), 3), np.eye(3)[[2, 0]])
    assert xpx.default_dtype(xp) == xp.float64
    assert_same(xpx.at(x)[1].set(7.0, copy=True), [3.0, 7.0, 3.0, np.nan, np.inf])
    assert_same(x, a)
