"""erf and erfc of whole ndarrays, beside mpmath and beside those of floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_array.backends.numpy.elementwise import SMALL
from smolml_value import elementwise_grad, ops
from tests.array.backends.agreement import NUMPY

ULPS = 4.0
functions = pytest.mark.parametrize(
    ("f", "exact"), [(math.erf, mpmath.erf), (math.erfc, mpmath.erfc)], ids=["erf", "erfc"]
)


def whole(f: Any, points: Any) -> Any:
    """f of an array that is large enough to be computed at once."""
    points = np.asarray(points)
    return NUMPY.map_scalar(f, np.concatenate([points, np.zeros(SMALL)]))[: points.size]


def error(got: float, exact: Any) -> float:
    """In units in the last place of the exact number."""
    return abs(float((mpmath.mpf(got) - exact) / max(np.spacing(abs(float(exact))), 5e-324)))


@functions
@given(x=st.floats(-28.0, 28.0) | st.floats(-1.5, 1.5) | st.floats(-1e-3, 1e-3))
def test_to_the_last_digits(f: Any, exact: Callable[..., Any], x: float) -> None:
    with mpmath.workdps(40):
        assert error(float(whole(f, [x])[0]), exact(mpmath.mpf(x))) <= ULPS


@functions
def test_on_a_grid_and_at_the_seams(f: Any, exact: Callable[..., Any]) -> None:
    seams = [s * n for n in (0.5, 1.0, 28.0, 26.5, 5e-324, 1e-300, 0.0) for s in (1.0, -1.0)]
    near = [float(np.nextafter(x, to)) for x in seams for to in (-99.0, 99.0)]
    points = [*np.linspace(-7.0, 27.0, 2000).tolist(), *seams, *near]
    with mpmath.workdps(40):
        got = whole(f, points).tolist()
        assert max(map(error, got, (exact(mpmath.mpf(x)) for x in points))) <= ULPS


@functions
def test_edges_shapes_and_types(f: Any, exact: Callable[..., Any]) -> None:
    edges = [math.inf, -math.inf, math.nan, 1e308, -1e308, -0.0]
    got = whole(f, edges)
    np.testing.assert_array_equal(got, [f(x) for x in edges])
    np.testing.assert_array_equal(np.signbit(got), np.signbit([f(x) for x in edges]))
    x = np.arange(-6.0, 6.0, 0.001).reshape(3, 4, 1000)
    want = np.vectorize(f)(x)
    for given_, wanted in ((x, want), (x.T, want.T), (x[::-1, ::2], want[::-1, ::2])):
        np.testing.assert_allclose(NUMPY.map_scalar(f, given_), wanted, rtol=1e-15)
    assert NUMPY.map_scalar(f, x.astype(np.float32)).dtype == np.float32
    assert NUMPY.map_scalar(f, np.array([0, 1])).tolist() == pytest.approx([f(0.0), f(1.0)], 1e-15)
    assert NUMPY.map_scalar(f, np.array(0.3)).shape == ()
    assert NUMPY.map_scalar(f, 0.3).shape == ()
    assert NUMPY.map_scalar(f, np.zeros((0, 3))).shape == (0, 3)


def test_gelu_has_its_digits_in_both_tails() -> None:
    x = np.array([-10.0, -8.0, -1.0, 0.0, 1e-9, 2.0, 40.0])
    with mpmath.workdps(40):
        want = [float(mpmath.mpf(v) * mpmath.ncdf(mpmath.mpf(v))) for v in x.tolist()]
    many = MLArray(np.concatenate([x, np.zeros(SMALL)]))
    np.testing.assert_allclose(np.asarray(ops.gelu(many))[: x.size], want, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(ops.gelu(MLArray(x))), want, rtol=1e-14)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_slope_of_gelu_has_its_digits(kind: Any) -> None:
    """Phi(x) + x phi(x), which is 0 near -0.75: there only the distance counts."""
    x = np.array([-9.0, -3.0, -0.75, -1e-9, -1e-44, 0.0, 1e-40, 1e-30, 1e-5, 0.5, 3.0, 40.0], kind)
    with mpmath.workdps(40):
        m = [mpmath.mpf(v) for v in x.tolist()]
        want = np.array([float(mpmath.ncdf(v) + v * mpmath.npdf(v)) for v in m])
    a = MLArray(x)
    ops.gelu(a).backward()
    eps = float(np.finfo(kind).eps)
    np.testing.assert_allclose(np.asarray(a.grad()), want, rtol=150 * eps, atol=eps)
    if kind is np.float64:
        slopes = [elementwise_grad(ops.gelu)(v) for v in x.tolist()]
        np.testing.assert_allclose(slopes, want, rtol=150 * eps, atol=1e-16)
