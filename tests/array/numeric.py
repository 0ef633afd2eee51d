"""NumPy as the oracle of MLArray: forward by NumPy, gradients by differences of that forward."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smolml_array import MLArray

NDArray = np.ndarray[Any, Any]


def array(
    shape: Sequence[int] | int, name: object = 0, low: float = -2.0, high: float = 2.0
) -> Any:
    """Irregular numbers, no two near each other, the same in every run for one name."""
    draw = np.random.default_rng(random.Random(f"{name}").getrandbits(32))
    count = int(np.prod(shape))
    places = (draw.permutation(count) + draw.uniform(0.2, 0.8, size=count)) / max(count, 1)
    return (low + (high - low) * places).reshape(shape)


def cotangent(shape: Sequence[int]) -> Any:
    """A weight for each element of a result, so that mixed up gradients show."""
    return array(shape, "cotangent", 0.5, 2.0)


def differences(f: Callable[..., Any], arrays: Sequence[Any], i: int) -> Any:
    """d sum(cotangent * f(*arrays)) / d arrays[i], by central differences of fourth order."""
    weights = cotangent(np.shape(f(*arrays)))

    def total(x: Any) -> float:
        return float(np.sum(weights * f(*arrays[:i], x, *arrays[i + 1 :])))

    x = np.asarray(arrays[i], dtype=np.float64)
    slopes = np.zeros(x.shape)
    h = 1e-3
    for at in np.ndindex(*x.shape):
        step = np.zeros(x.shape)
        step[at] = h
        near, far = total(x + step) - total(x - step), total(x + 2 * step) - total(x - 2 * step)
        slopes[at] = (8.0 * near - far) / (12.0 * h)
    return slopes


def assert_same(got: MLArray, want: Any, rel: float = 1e-12, tol: float = 1e-12) -> None:
    """An MLArray and an ndarray of one shape with equal numbers; nan equals nan."""
    want = np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(np.asarray(got), want, rtol=rel, atol=tol)


def gradients(f: Callable[..., MLArray], arrays: Sequence[Any]) -> tuple[MLArray, list[MLArray]]:
    """f of MLArrays, and the gradients of the sum of cotangent * f."""
    leaves = [MLArray(a) for a in arrays]
    out = f(*leaves)
    (out * cotangent(out.shape)).backward()
    return out, [leaf.grad() for leaf in leaves]


def check(
    ours: Callable[..., MLArray],
    theirs: Callable[..., Any],
    *arrays: Any,
    rel: float = 1e-12,
    slope: float = 1e-7,
) -> None:
    """The forward equals NumPy's; the gradients equal the differences of NumPy's forward."""
    out, got = gradients(ours, arrays)
    assert_same(out, theirs(*arrays), rel, rel)
    for i, grad in enumerate(got):
        assert_same(grad, differences(theirs, arrays, i), slope, slope)


def shapes(max_dims: int = 4, max_side: int = 4, min_side: int = 0, min_dims: int = 0) -> Any:
    """A strategy for shapes, 0-d and empty ones among them."""
    return hnp.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )


def axes_of(shape: tuple[int, ...]) -> Any:
    """A strategy for what `axis` may be: None, an int or a tuple, negative ones among them."""
    ndim = len(shape)
    if not ndim:
        return st.sampled_from([None, ()])
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(one, max_size=ndim, unique_by=lambda a: a % ndim).map(tuple)
    return st.none() | one | several
