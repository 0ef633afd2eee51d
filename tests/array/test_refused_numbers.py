"""Numbers that cannot be what they are asked to be are refused, and shifts are operators."""

from __future__ import annotations

import math
from typing import Any

import pytest

from smolml_array import MLArray

NONE = [math.nan, math.inf, -math.inf, 2.0**63, 1e300]


@pytest.mark.parametrize("number", NONE)
def test_floats_that_are_no_integers(backend: str, number: float) -> None:
    with pytest.raises(ValueError, match=r"MLArray: nan, inf .* no int64"):
        MLArray([1.0, number], dtype="int64", backend=backend)
    with pytest.raises(ValueError, match=r"astype: nan, inf .* no int64"):
        MLArray([1.0, number], backend=backend).astype("int64")
    assert MLArray([number], backend=backend).astype("bool").to_list() == [True]


def test_floats_that_are(backend: str) -> None:
    x = MLArray([-1.9, 2.0**53, -(2.0**62)], backend=backend)
    assert x.astype("int64").to_list() == [-1, 2**53, -(2**62)]


def test_masked_arrays(backend: str) -> None:
    np = pytest.importorskip("numpy")
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for use in (
        lambda: MLArray(masked, backend=backend),
        lambda: MLArray([1.0, 2.0], backend=backend) * masked,
        lambda: MLArray([1.0, 2.0], backend=backend).update_values(masked),
    ):
        with pytest.raises(TypeError, match="masked array"):
            use()
    assert MLArray(masked.filled(0.0), backend=backend).to_list() == [1.0, 0.0]


def test_matrices_of_numpy_are_arrays(backend: str) -> None:
    np = pytest.importorskip("numpy")
    numbers = [[1.0, 2.0], [3.0, 4.0]]
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(numbers)
    x = MLArray([2.0, 1.0], backend=backend)
    assert MLArray(matrix, backend=backend).to_list() == numbers
    assert (x * matrix).to_list() == [[2.0, 2.0], [6.0, 4.0]]
    assert (x @ matrix).to_list() == [5.0, 8.0]


def test_shifts(backend: str) -> None:
    x: Any = MLArray([1, 2, 12], dtype="int64", backend=backend)
    assert (x << 2).to_list() == [4, 8, 48]
    assert (x >> 1).to_list() == [0, 1, 6]
    assert (1 << x).to_list() == [2, 4, 4096]
    assert (64 >> x).to_list() == [32, 16, 0]
    window = x[1:]
    window <<= 1
    x >>= 1
    assert x.to_list() == [0, 2, 12]
    with pytest.raises(TypeError, match="expected booleans or integers"):
        _ = MLArray([1.0], backend=backend) << 1
