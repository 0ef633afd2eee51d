"""tanh' and sigmoid' to the last digits, from one tail to the other, against mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from smolml_array import MLArray
from smolml_value import Value, grad

POINTS: list[float] = [
    *np.linspace(-700.0, 700.0, 281).tolist(),
    *np.linspace(-40.0, 40.0, 321).tolist(),
    *(-1e-300, 1e-17, 708.5),
]


def _tanh(x: Any) -> Any:
    return mpmath.sech(x) ** 2


def _sigmoid(x: Any) -> Any:
    return 1 / (2 + mpmath.exp(x) + mpmath.exp(-x))


SLOPES = {"tanh": _tanh, "sigmoid": _sigmoid}


def _expected(name: str) -> list[float]:
    """Where the slope is a normal number; below, it has fewer digits."""
    with mpmath.workdps(40):
        return [float(SLOPES[name](mpmath.mpf(x))) for x in _points(name)]


def _points(name: str) -> list[float]:
    return [x for x in POINTS if name == "sigmoid" or abs(x) < 350.0]


@pytest.mark.parametrize("name", SLOPES)
def test_of_arrays(name: str, backend: str) -> None:
    x = MLArray(_points(name), backend=backend)
    getattr(x, name)().backward()
    np.testing.assert_allclose(x.grad().to_list(), _expected(name), rtol=1e-14)


@pytest.mark.parametrize("name", SLOPES)
def test_of_values(name: str) -> None:
    values = [Value(x) for x in _points(name)]
    for v in values:
        getattr(v, name)().backward()
    np.testing.assert_allclose([v.grad for v in values], _expected(name), rtol=1e-14)


@pytest.mark.parametrize("x", [-40.0, -1.0, 0.0, 1e-9, 1.0, 40.0])
@pytest.mark.parametrize("name", SLOPES)
def test_of_higher_order(name: str, x: float, backend: str) -> None:
    """Also at 0, where a formula in |x| would be smooth once only."""

    def f(v: Any) -> Any:
        return getattr(v, name)()

    third = grad(grad(grad(f)))
    with mpmath.workdps(60):
        expected = float(mpmath.diff(SLOPES[name], mpmath.mpf(x), 2))
    assert third(x) == pytest.approx(expected, rel=1e-12)
    total = grad(lambda a: grad(lambda b: grad(lambda c: f(c).sum())(b).sum())(a).sum())
    assert total(MLArray([x], backend=backend)).item() == pytest.approx(expected, rel=1e-12)
