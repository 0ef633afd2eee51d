"""Running products and logarithms of sums of exp, and products of all others, beside exact ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_value import grad, jvp

factors = st.sampled_from((0.0, 1e-200, 1e-160, -1e-150, 1e150, 2.0)) | st.floats(0.5, 2.0)
exponents = st.sampled_from((-math.inf, -800.0, 800.0, 0.0)) | st.floats(-30.0, 30.0)
weights = st.floats(0.5, 2.0)


def close(got: Sequence[float], exact: Sequence[Any]) -> None:
    """Within 1e-12; what is too small for a normal number may be lost."""
    for a, b in zip(got, exact, strict=True):
        if b == -mpmath.inf:
            assert a == -math.inf
        else:
            assert abs(mpmath.mpf(a) - b) <= 1e-12 * abs(b) + mpmath.mpf(2) ** -1020, (a, b)


def vary(x: list[float], w: list[float]) -> tuple[list[float], list[float]]:
    """Both as long as the shorter."""
    n = min(len(x), len(w))
    return x[:n], w[:n]


lists = st.lists(weights, min_size=1, max_size=20)


@given(x=st.lists(exponents, min_size=1, max_size=20), w=lists)
def test_logcumsumexp(backend: str, x: list[float], w: list[float]) -> None:
    x, w = vary(x, w)
    n = len(x)
    with mpmath.workdps(400):
        e = [mpmath.exp(v) if v > -math.inf else mpmath.mpf(0) for v in x]
        sums = [mpmath.fsum(e[: k + 1]) for k in range(n)]
        logs = [mpmath.log(s) if s else -mpmath.inf for s in sums]
        share = [[e[i] / sums[k] if i <= k and sums[k] else 0 for i in range(n)] for k in range(n)]
        slopes = [mpmath.fsum(w[k] * share[k][i] for k in range(n)) for i in range(n)]
        moves = [mpmath.fsum(share[k][i] * w[i] for i in range(n)) for k in range(n)]
        a = MLArray(x, backend=backend)
        weight = MLArray(w, backend=backend).detach()
        y = a.logcumsumexp()
        for got, exact in zip(y.to_list(), logs, strict=True):
            scale = max((abs(v) for v in x if v > -math.inf), default=0.0)
            assert got == exact or abs(got - exact) <= 1e-14 * (1.0 + scale)
        (y * weight).backward()
        close(a.grad().to_list(), slopes)
        _, tangent = jvp(lambda v: v.logcumsumexp(), (a.detach(),), (weight,))
        close(tangent.to_list(), moves)


@given(x=st.lists(factors, min_size=1, max_size=20), w=lists)
def test_the_slope_of_a_running_product(backend: str, x: list[float], w: list[float]) -> None:
    x, w = vary(x, w)
    n = len(x)
    with mpmath.workdps(30):
        exact = [mpmath.mpf(v) for v in x]

        def without(i: int, k: int) -> Any:
            return mpmath.fprod(exact[j] for j in range(k + 1) if j != i)

        partials = [[without(i, k) if i <= k else 0 for i in range(n)] for k in range(n)]
        if any(abs(p) > 1e290 or 0 < abs(p) < 1e-290 for row in partials for p in row):
            return  # too large or too small on the way
        weight = MLArray(w, backend=backend).detach()
        got = grad(lambda v: (v.cumulative_prod() * weight).sum())(MLArray(x, backend=backend))
        close(
            got.to_list(), [mpmath.fsum(w[k] * partials[k][i] for k in range(n)) for i in range(n)]
        )
        _, tangent = jvp(
            lambda v: v.cumulative_prod(), (MLArray(x, backend=backend).detach(),), (weight,)
        )
        close(
            tangent.to_list(),
            [mpmath.fsum(partials[k][i] * w[i] for i in range(n)) for k in range(n)],
        )


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65])
@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_the_product_of_all_others(backend: str, n: int, zeros: int) -> None:
    x = [0.0 if i in (n // 2, n - 1)[:zeros] else 1.0 + 0.1 * i for i in range(n)]
    want = [math.prod(x[:i] + x[i + 1 :]) for i in range(n)]
    got = grad(lambda v: v.prod())(MLArray(x, backend=backend)).to_list()
    assert got == pytest.approx(want, rel=1e-13, abs=0.0)
    small = [v * 1e-12 for v in x]  # the product of many is less than any number
    exact = [math.prod([*map(mpmath.mpf, small[:i]), *small[i + 1 :]]) for i in range(n)]
    close(grad(lambda v: v.prod())(MLArray(small, backend=backend)).to_list(), exact)


@pytest.mark.parametrize("exponent", range(-323, -290, 3))
def test_the_product_of_all_others_where_digits_of_the_product_are_lost(
    backend: str, exponent: int
) -> None:
    x = [1.7, 10.0**exponent, 1.3]
    got = grad(lambda v: v.prod())(MLArray(x, backend=backend)).to_list()
    assert got == pytest.approx([1.3 * x[1], 1.7 * 1.3, 1.7 * x[1]], rel=1e-15, abs=0.0)
