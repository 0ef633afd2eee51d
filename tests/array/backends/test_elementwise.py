"""Every element-wise function, on both backends, against NumPy itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smolml_array import MLArray
from smolml_value import ops
from tests.array.backends.agreement import (
    FLOATS,
    NUMPY,
    PURE,
    SCALARS,
    agree,
    arrays,
    attempt,
    names,
    on_pure,
    operands,
    oracle,
)

EXACT_UNARY = names("""
    abs bitwise_invert ceil floor isfinite isinf isnan logical_not negative positive round sign
    signbit square trunc
""")
ROUNDED_UNARY = names("""
    acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 sin sinh sqrt tan tanh
""")
EXACT_BINARY = names("""
    add bitwise_and bitwise_or bitwise_xor copysign divide equal floor_divide greater greater_equal
    less less_equal logical_and logical_or logical_xor maximum minimum multiply not_equal remainder
    subtract
""")
ROUNDED_BINARY = names("atan2 hypot logaddexp")
WHOLE = {"ceil", "floor", "round", "trunc"}  # NumPy 2.0's answer in floats for integers


def _whole(name: str) -> Any:
    def answer(x: Any) -> Any:
        x = np.asarray(x)
        return oracle(name)(x) if x.dtype.kind == "f" else x

    return answer


@given(arrays() | SCALARS)
@settings(max_examples=100)
def test_functions_of_one_array(x: Any) -> None:
    for name in EXACT_UNARY:
        agree(name, x, expected=_whole(name) if name in WHOLE else None)
    for name in ROUNDED_UNARY:
        agree(name, x, rtol=1e-12)
    agree("reciprocal", x, expected=lambda x: oracle("divide")(1.0, x))


@given(operands())
@settings(max_examples=150)
def test_functions_of_two_arrays(xy: tuple[Any, Any]) -> None:
    for name in EXACT_BINARY:
        agree(name, *xy)
    for name in ROUNDED_BINARY:
        agree(name, *xy, rtol=1e-12)
    agree("pow", *xy, rtol=1e-12, expected=_power)


def _power(x: Any, y: Any) -> Any:
    """NumPy's power with an exponent of its own for each element (for a single 0.5 it takes the
    square root, which is nan for -inf where pow is inf).
    """
    dtype = np.result_type(x, y)
    dtype = np.dtype(np.int64) if dtype.kind == "b" else dtype
    x, y = np.broadcast_arrays(np.asarray(x, dtype), np.asarray(y, dtype))
    return oracle("pow")(np.array(x, ndmin=1), np.array(y, ndmin=1)).reshape(x.shape)


@given(arrays(), arrays())
@settings(max_examples=40)
def test_shapes_that_need_not_broadcast(x: Any, y: Any) -> None:
    for name in ("add", "less", "hypot", "maximum", "divide"):
        agree(name, x, y, rtol=1e-12)


@given(operands(count=3))
@settings(max_examples=60)
def test_where(args: tuple[Any, ...]) -> None:
    agree("where", *args)


@given(arrays(), st.none() | FLOATS, st.none() | FLOATS)
@settings(max_examples=60)
def test_clip_by_numbers(x: Any, low: float | None, high: float | None) -> None:
    def expected(x: Any, low: float | None, high: float | None) -> Any:
        if low is not None:
            x = np.maximum(x, low)
        return x if high is None else np.minimum(x, high)

    agree("clip", x, low, high, expected=expected)


@given(operands(count=3, scalars=False))
@settings(max_examples=30)
def test_clip_by_arrays(args: tuple[Any, ...]) -> None:
    agree("clip", *args, expected=lambda x, low, high: np.minimum(np.maximum(x, low), high))


def test_signs_of_zeros() -> None:
    zeros = [0.0, -0.0, 1.0, -1.0, -0.4, float("inf"), float("-inf")]
    x, y = np.repeat(zeros, len(zeros)), np.tile(zeros, len(zeros))
    for name in ("multiply", "divide", "copysign", "remainder", "atan2", "floor_divide"):
        expected = np.signbit(oracle(name)(x, y))
        for backend, a, b in ((NUMPY, x, y), (PURE, on_pure(x), on_pure(y))):
            got = np.signbit(np.array(backend.to_flat(getattr(backend, name)(a, b))))
            defined = ~np.isnan(oracle(name)(x, y))
            np.testing.assert_array_equal(got[defined], expected[defined], err_msg=name)
    for name in ("ceil", "floor", "round", "trunc", "negative", "sqrt", "sin", "tanh"):
        expected = np.signbit(oracle(name)(np.array(zeros[:5])))
        got = np.signbit(PURE.to_flat(getattr(PURE, name)(PURE.asarray(zeros[:5]))))
        defined = ~np.isnan(oracle(name)(np.array(zeros[:5])))
        np.testing.assert_array_equal(got[defined], expected[defined], err_msg=name)


@pytest.mark.parametrize("name", ops.names())
def test_signs_of_zeros_of_the_pure_backend_are_those_of_floats(name: str) -> None:
    op = ops[name]
    for numbers in product((0.0, -0.0, 1.0, -1.0), repeat=op.arity):
        want = op(*numbers)
        got = op(*[MLArray([x], backend="pure") for x in numbers]).to_list()[0]
        beside = op(MLArray(numbers[:1], backend="pure"), *numbers[1:]).to_list()[0]
        for x in (got, beside):
            assert x == want or math.isnan(want), (numbers, x, want)
            assert math.copysign(1.0, x) == math.copysign(1.0, want) or x != 0.0, numbers


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y,
    "remainder": lambda x, y: x % y,
    "pow": lambda x, y: x**y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "bitwise_and": lambda x, y: x & y,
    "bitwise_or": lambda x, y: x | y,
    "bitwise_xor": lambda x, y: x ^ y,
}


@given(operands().filter(lambda xy: any(isinstance(v, np.ndarray) for v in xy)))
@settings(max_examples=60)
def test_operators_of_pure_arrays_are_its_functions(xy: tuple[Any, Any]) -> None:
    x, y = map(on_pure, xy)
    for name, operator in OPERATORS.items():
        by_name = attempt(getattr(PURE, name), x, y)
        by_sign = attempt(operator, x, y)
        if isinstance(by_name, Exception):
            assert isinstance(by_sign, type(by_name)), name
        else:
            assert repr(by_sign) == repr(by_name), name


@pytest.mark.parametrize("name", ["negative", "positive", "abs", "bitwise_invert"])
def test_operators_of_one_pure_array(name: str) -> None:
    x = PURE.asarray([1, -2, 3])
    signs: dict[str, Callable[[Any], Any]] = {
        "negative": lambda x: -x,
        "positive": lambda x: +x,
        "abs": abs,
        "bitwise_invert": lambda x: ~x,
    }
    assert repr(signs[name](x)) == repr(getattr(PURE, name)(x))


@given(st.lists(arrays(), min_size=1, max_size=3).flatmap(st.permutations))
@settings(max_examples=40)
def test_result_type(xs: list[Any]) -> None:
    for extra in ((), (1,), (1.5,), (True,)):
        want = np.result_type(*xs, *extra).name
        assert PURE.result_type(*map(PURE.asarray, xs), *extra).name == want
        assert NUMPY.result_type(*xs, *extra).name == want


@pytest.mark.parametrize("name", ["add", "multiply", "subtract", "divide", "maximum", "pow"])
def test_float32_stays_float32_on_numpy(name: str) -> None:
    x = np.array([1.5, 2.5], np.float32)
    f = getattr(NUMPY, name)
    for out in (f(x, x), f(x, 2), f(x, 2.0), f(2.0, x), f(x, np.float32(3.0))):
        assert out.dtype == np.float32
    for unary in ("exp", "sqrt", "tanh", "floor", "mean", "sum", "std", "square", "reciprocal"):
        assert getattr(NUMPY, unary)(x).dtype == np.float32
    assert NUMPY.where(x > 2, x, 0.0).dtype == np.float32
    assert NUMPY.clip(x, 0.0, 2).dtype == np.float32
    assert NUMPY.matmul(x, x).dtype == np.float32
    assert NUMPY.index_add(x, 0, 1.0).dtype == np.float32
    assert NUMPY.pow(x, 0.5).dtype == np.float32


@pytest.mark.parametrize("shapes", list(product(((), (1,), (1, 1), (2, 1), (3,)), repeat=2)))
def test_the_power_of_minus_infinity_and_one_half(shapes: Any) -> None:
    """pow, where a root (which NumPy takes for one exponent that serves many) would be nan."""
    agree("pow", np.full(shapes[0], -np.inf), np.full(shapes[1], 0.5), expected=_power)
