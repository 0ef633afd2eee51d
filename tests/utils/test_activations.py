"""Activations: closed forms, types in and out, gradients, and numbers far out, on both backends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_array import AxisError, MLArray
from smolml_utils import (
    activations,
    elu,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from smolml_value import Value, ops
from tests.utils.helpers import assert_close, gradient, random_array, slopes, softmax_rows

ONE_OPERAND: dict[str, tuple[Callable[..., Any], Callable[[float], float]]] = {
    "elu": (elu, lambda x: x if x > 0 else math.expm1(x)),
    "gelu": (gelu, lambda x: x * math.erfc(-x / math.sqrt(2.0)) / 2.0),
    "leaky_relu": (leaky_relu, lambda x: x if x > 0 else 0.01 * x),
    "linear": (linear, lambda x: x),
    "relu": (relu, lambda x: max(x, 0.0)),
    "sigmoid": (sigmoid, lambda x: 1.0 / (1.0 + math.exp(-x))),
    "silu": (silu, lambda x: x / (1.0 + math.exp(-x))),
    "softplus": (softplus, lambda x: math.log1p(math.exp(x))),
    "tanh": (tanh, math.tanh),
}
POINTS = [-5.5, -2.0, -0.75, -0.01, 0.0, 0.01, 0.5, 1.0, 3.0, 7.25]


def test_the_list_is_complete() -> None:
    assert {*ONE_OPERAND, "softmax", "log_softmax"} == set(activations.__all__)


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_closed_forms(name: str, backend: str) -> None:
    f, formula = ONE_OPERAND[name]
    expected = [formula(x) for x in POINTS]
    assert_close([f(x) for x in POINTS], expected)
    assert_close([f(Value(x)).data for x in POINTS], expected)
    assert_close(f(MLArray(POINTS)), expected)
    assert_close(f(MLArray(POINTS).reshape(5, 2)), np.reshape(expected, (5, 2)))
    assert_close(f(MLArray(POINTS[-1])), expected[-1])
    assert f(MLArray([])).shape == (0,)
    assert f(MLArray(POINTS)).backend == backend


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_gradients(name: str, backend: str) -> None:
    f, _ = ONE_OPERAND[name]
    x = np.array([p for p in POINTS if p != 0.0]).reshape(3, 3)
    grads = gradient(f, x)
    assert_close(grads, slopes(f, x), rel=1e-8, floor=1e-9)
    for p, g in zip(x.ravel(), grads.ravel(), strict=True):
        leaf = Value(float(p))
        f(leaf).backward()
        assert_close(leaf.grad, g)


@pytest.mark.parametrize(
    ("f", "slope"), [(relu, 0.0), (leaky_relu, 0.01), (elu, 1.0), (softplus, 0.5), (gelu, 0.5)]
)
def test_slopes_at_zero(f: Callable[..., Any], slope: float, backend: str) -> None:
    x, v = MLArray([0.0]), Value(0.0)
    f(x).backward()
    f(v).backward()
    assert x.grad().to_list() == [slope]
    assert v.grad == slope


@pytest.mark.parametrize("alpha", [0.0, 0.3, 2.0])
def test_alpha(alpha: float, backend: str) -> None:
    x = MLArray([-2.0, 3.0])
    assert_close(leaky_relu(x, alpha), [-2.0 * alpha, 3.0])
    assert_close(elu(x, alpha=alpha), [alpha * math.expm1(-2.0), 3.0])
    elu(x, alpha=alpha).backward()
    assert_close(x.grad(), [alpha * math.exp(-2.0), 1.0])


@pytest.mark.parametrize(
    ("f", "at_minus", "at_plus"),
    [
        (elu, -1.0, 1e4),
        (gelu, 0.0, 1e4),
        (relu, 0.0, 1e4),
        (sigmoid, 0.0, 1.0),
        (silu, 0.0, 1e4),
        (softplus, 0.0, 1e4),
        (tanh, -1.0, 1.0),
    ],
)
def test_far_out(f: Callable[..., Any], at_minus: float, at_plus: float, backend: str) -> None:
    assert (f(-1e4), f(1e4)) == (at_minus, at_plus)
    x = MLArray([-1e4, 1e4])
    out = f(x)
    assert out.to_list() == [at_minus, at_plus]
    out.backward()
    assert all(map(math.isfinite, x.grad().to_list()))


def test_types_and_what_is_taken() -> None:
    assert_type(relu(1.0), float)
    assert_type(relu(Value(1.0)), Value)
    assert_type(relu(MLArray([1.0])), MLArray)
    assert_type(relu([1.0]), MLArray)
    assert_type(leaky_relu(1.0, 0.1), float)
    assert_type(elu(Value(1.0)), Value)
    assert_type(gelu(MLArray([1.0])), MLArray)
    assert_type(softmax([1.0, 2.0]), MLArray)
    assert_type(linear(Value(1.0)), Value)
    assert type(relu(-1)) is float
    assert type(relu(np.float64(2.0))) is float
    assert isinstance(relu(Value(1.0)), Value)


@pytest.mark.parametrize("name", sorted(set(ONE_OPERAND) - {"linear"}))
def test_lists_and_ndarrays_give_arrays(name: str, backend: str) -> None:
    f, formula = ONE_OPERAND[name]
    expected = [formula(1.0), formula(-2.0)]
    for given_data in ([1, -2], (1.0, -2.0), np.array([1.0, -2.0]), np.array([1, -2])):
        out = f(given_data)
        assert isinstance(out, MLArray)
        assert not out.requires_grad
        assert_close(out, expected)
    values = [Value(1.0), Value(-2.0)]
    f(values).backward()
    alone = Value(1.0)
    f(alone).backward()
    assert_close(values[0].grad, alone.grad)


def test_linear_gives_back_what_it_was_given() -> None:
    x = MLArray([1.0])
    assert linear(x) is x


def test_activations_are_the_ops_of_the_table() -> None:
    out = tanh(Value(1.0))
    assert out._op == ops.tanh.symbol
    assert elu(-1.0, 2.0) == ops.elu(-1.0, alpha=2.0)


@pytest.mark.parametrize("f", [relu, tanh, leaky_relu, softmax, log_softmax])
@pytest.mark.parametrize("bad", ["x", None, 1j, {"a": 1}])
def test_things_that_are_no_numbers(f: Callable[..., Any], bad: object) -> None:
    with pytest.raises(TypeError, match=f"^{f.__name__}: expected"):
        f(bad)


def test_alpha_must_be_a_number() -> None:
    with pytest.raises(TypeError, match=r"^elu: alpha: expected a number"):
        elu(1.0, alpha="2")  # type: ignore[call-overload]  # that is the point


# Softmax ---------------------------------------------------------------------------------------

AXES = [((4,), -1), ((3, 4), -1), ((3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), -3), ((5, 1), 1)]


@pytest.mark.parametrize(("shape", "axis"), AXES)
def test_softmax_against_exact_sums(shape: tuple[int, ...], axis: int, backend: str) -> None:
    x = random_array(shape, 1)
    p = softmax_rows(x, axis)
    assert_close(softmax(MLArray(x.tolist()), axis), p, rel=1e-14)
    assert_close(log_softmax(MLArray(x.tolist()), axis=axis), np.log(p), rel=1e-13)
    g = random_array(shape, 2)
    weights = MLArray(g.tolist(), requires_grad=False)
    jacobian_product = p * (g - (g * p).sum(axis, keepdims=True))
    assert_close(gradient(lambda x: softmax(x, axis) * weights, x), jacobian_product, floor=1e-15)
    of_log = g - p * g.sum(axis, keepdims=True)
    assert_close(gradient(lambda x: log_softmax(x, axis) * weights, x), of_log)
    assert_close(slopes(lambda x: log_softmax(x, axis) * weights, x), of_log, 1e-8, 1e-9)


def test_softmax_over_several_axes_and_all(backend: str) -> None:
    x = random_array((2, 3, 4), 3)
    powers = np.exp(x)
    assert_close(softmax(MLArray(x.tolist()), axis=(0, 2)), powers / powers.sum((0, 2))[:, None])
    assert_close(softmax(MLArray(x.tolist()), axis=None), powers / powers.sum())
    assert softmax(MLArray(3.0), axis=None).item() == 1.0


def test_softmax_of_huge_and_infinite_numbers(backend: str) -> None:
    x = MLArray([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -math.inf], [1e308, -1e308, 0.0]])
    p = softmax(x)
    assert p.to_list() == [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    assert log_softmax(x).to_list() == [
        [0.0, -2000.0, -1000.0],
        [-math.log(2.0), -math.log(2.0), -math.inf],
        [0.0, -math.inf, -1e308],
    ]
    (p * MLArray([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad().to_list() == [[0.0, 0.0, 0.0], [-0.25, 0.25, 0.0], [0.0, 0.0, 0.0]]
    x.zero_grad()
    log_softmax(x)[1, 0].backward()
    assert x.grad().to_list() == [[0.0, 0.0, 0.0], [0.5, -0.5, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("row", [[math.inf, 0.0], [math.nan, 0.0]])
def test_rows_without_a_softmax(row: list[float], backend: str) -> None:
    for f in (softmax, log_softmax):
        out = f(MLArray([row, [0.0, 0.0]])).to_list()
        assert any(map(math.isnan, out[0]))
        assert not any(map(math.isnan, out[1]))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_softmax_of_nothing(shape: tuple[int, ...], backend: str) -> None:
    for f in (softmax, log_softmax):
        x = MLArray(np.zeros(shape))
        out = f(x)
        out.backward()
        assert out.shape == x.grad().shape == shape


def test_softmax_of_values(backend: str) -> None:
    values = [Value(1.0), Value(2.0)]
    out = softmax(values)
    out.data[0].backward()
    p = 1.0 / (1.0 + math.e)
    assert_close(out, [p, 1.0 - p])
    assert_close([v.grad for v in values], [p * (1.0 - p), -p * (1.0 - p)])


def test_softmax_needs_its_axis(backend: str) -> None:
    with pytest.raises(AxisError, match=r"^softmax: axis 2 is out of range"):
        softmax(MLArray([[1.0]]), axis=2)
    with pytest.raises(AxisError, match=r"^log_softmax: axis -1 is out of range"):
        log_softmax(Value(1.0))


@pytest.mark.parametrize("f", [relu, leaky_relu, elu, sigmoid, tanh, softplus, silu, gelu, softmax])
def test_float32_stays_float32(f: Callable[..., Any]) -> None:
    x = MLArray(np.array([-1.0, 0.5], dtype=np.float32), backend="numpy")
    out = f(x)
    out.backward()
    assert out.dtype == x.grad().dtype == np.float32


# Not beyond 300: shifting must not round the numbers themselves away.
logits = st.lists(st.floats(-300.0, 300.0), min_size=1, max_size=6)


@given(logits)
def test_softmax_is_a_distribution(backend: str, x: list[float]) -> None:
    p = softmax(MLArray(x)).to_list()
    assert math.fsum(p) == pytest.approx(1.0, abs=1e-15 * len(x))
    assert all(0.0 <= number <= 1.0 for number in p)
    assert p.index(max(p)) == p.index(p[x.index(max(x))])
    assert_close(log_softmax(MLArray(x)).exp(), p, floor=1e-300, rel=1e-12)


@given(logits, st.floats(-1000.0, 1000.0))
def test_softmax_does_not_see_a_shift(backend: str, x: list[float], shift: float) -> None:
    p, moved = softmax(MLArray(x)), softmax(MLArray(x) + shift)
    assert_close(moved, p, rel=1e-11, floor=1e-12)
