"""What the tests of smolml-utils share: random arrays, slopes by differences, comparison."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from smolml_array import MLArray

Floats = npt.NDArray[np.float64]
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (5,), (3, 4), (2, 1, 3), (2, 3, 2, 2))


def random_array(shape: tuple[int, ...], seed: int = 0, scale: float = 2.0) -> Floats:
    """Normal numbers of this shape, the same ones in every run."""
    return np.random.default_rng(seed).normal(0.0, scale, shape)


def random_probabilities(shape: tuple[int, ...], seed: int = 0) -> Floats:
    """Numbers well inside (0, 1)."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape)


def numbers(x: Any) -> Floats:
    """An MLArray, or lists of numbers, as an ndarray."""
    return np.asarray(x.to_list() if isinstance(x, MLArray) else x, dtype=float)


def gradient(f: Callable[[MLArray], MLArray], x: Floats) -> Floats:
    """The gradient of f (of the sum of its elements) at x by backward."""
    leaf = MLArray(x.tolist()) if x.size else MLArray(x)
    f(leaf).backward()
    return numbers(leaf.grad()).reshape(x.shape)


def slopes(f: Callable[[MLArray], MLArray], x: Floats, h: float = 1e-4) -> Floats:
    """The gradient of the sum of f at x by central differences of fourth order."""

    def at(i: int, shift: float) -> float:
        moved = x.flatten()
        moved[i] += shift
        return float(f(MLArray(moved.reshape(x.shape).tolist())).sum().item())

    flat = [
        (8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h)
        for i in range(x.size)
    ]
    return np.array(flat).reshape(x.shape)


def assert_close(actual: Any, expected: Any, rel: float = 1e-12, floor: float = 1e-14) -> None:
    """Equal in shape, and number by number to `rel` or `floor`; inf and nan must be the same."""
    left, right = numbers(actual), numbers(expected)
    assert left.shape == right.shape
    np.testing.assert_allclose(left, right, rtol=rel, atol=floor)


def softmax_rows(x: Floats, axis: int = -1) -> Floats:
    """Softmax in exact sums (math.fsum), row by row."""

    def row(r: Floats) -> Floats:
        powers = [math.exp(v - r.max()) for v in r]
        return np.array(powers) / math.fsum(powers)

    return np.apply_along_axis(row, axis, x)
