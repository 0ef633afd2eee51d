"""Calls of a recorded step, made again into buffers: the very bits of what was called at first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array._replay.writing import DiffersError, direct, into
from smolml_array.backends.numpy import cotangents
from smolml_array.backends.numpy.linalg import matmul

F: dict[str, Callable[..., Any]] = {
    "cotangent_matmul": cotangents.cotangent_matmul,
    "cotangent_product": cotangents.cotangent_product,
    "matmul": matmul,
    "sum_to_shape": cotangents.sum_to_shape,
}


def array(*shape: int, seed: int = 0, infinite: bool = False) -> Any:
    """Irregular numbers, with two of them infinite if asked for."""
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, shape)
    if infinite:
        x.flat[:2] = math.inf, -math.inf
    return x


def mask(*shape: int) -> Any:
    return array(*shape, seed=1) > 0.0


def with_zeros(x: Any) -> Any:
    """Zero in the first places, where the other operand is infinite."""
    x.flat[:2] = 0.0
    return x


# per call its arguments, and the buffer that the result goes into
CALLS: dict[str, tuple[str, tuple[Any, ...], Any]] = {
    "vectors": ("matmul", (array(5), array(5, seed=1)), np.empty(())),
    "matrices": ("matmul", (array(3, 4), array(4, 2, seed=1)), np.empty((3, 2))),
    "stacks": ("matmul", (array(2, 3, 4), array(2, 4, 2, seed=1)), np.empty((2, 3, 2))),
    "cotangents": ("cotangent_matmul", (array(3, 4), array(4, 2, seed=1)), np.empty((3, 2))),
    "zero times infinity in a sum": (
        "cotangent_matmul",
        (with_zeros(array(3, 4)), array(4, 2, seed=1, infinite=True)),
        np.empty((3, 2)),
    ),
    "a product": ("cotangent_product", (array(3, 4), array(3, 4, seed=1)), np.empty((3, 4))),
    "zero times infinity": (
        "cotangent_product",
        (with_zeros(array(3, 4)), array(3, 4, seed=1, infinite=True)),
        np.empty((3, 4)),
    ),
    "a product by a mask": ("cotangent_product", (array(3, 4), mask(3, 4)), np.empty((3, 4))),
    "a product by a large mask": (
        "cotangent_product",
        (array(30, 40), mask(30, 40)),
        np.empty((30, 40)),
    ),
    "a large product": (
        "cotangent_product",
        (with_zeros(array(100, 100)), array(100, 100, seed=1, infinite=True)),
        np.empty((100, 100)),
    ),
    "into every other column": (
        "cotangent_product",
        (with_zeros(array(3, 4)), array(3, 4, seed=1, infinite=True)),
        np.empty((3, 8))[:, ::2],
    ),
    "a product by a number": ("cotangent_product", (array(3, 4), 2.0), np.empty((3, 4))),
    "column sums": ("sum_to_shape", (array(3, 4), (4,)), np.empty(4)),
    "other sums": ("sum_to_shape", (array(2, 3, 4), (3, 1)), np.empty((3, 1))),
}


@pytest.mark.parametrize(("name", "args", "out"), CALLS.values(), ids=CALLS)
def test_a_call_gives_the_same_bits_again(name: str, args: tuple[Any, ...], out: Any) -> None:
    with np.errstate(all="ignore"):
        wanted = np.asarray(F[name](*args))
        assert direct(name, F[name], args, {})().tobytes() == wanted.tobytes()
        again = into(name, F[name], args, {}, out)
        for _ in range(2):
            out[...] = math.nan
            again()
            assert (out.shape, out.tobytes()) == (wanted.shape, wanted.tobytes())


def test_of_several_results_those_are_copied_that_have_a_buffer() -> None:
    x = np.arange(4.0)
    first, third = np.empty(2), np.empty(2)
    again = into("split", lambda x: (x[:2], x[1:3], x[2:] * 2.0), (x,), {}, (first, None, third))
    again()
    assert (first.tolist(), third.tolist()) == ([0.0, 1.0], [4.0, 6.0])


def test_a_result_of_another_shape_is_found_out() -> None:
    x = np.array([1.0, -1.0, 2.0])
    out = np.empty(2)
    again = into("picked", lambda x: x[x > 0.0], (x,), {}, out)
    again()
    assert out.tolist() == [1.0, 2.0]
    x[1] = 3.0
    with pytest.raises(DiffersError):
        again()
