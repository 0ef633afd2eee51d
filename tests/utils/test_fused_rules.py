"""Rules that stand for several ops at once: the same numbers and derivatives as those ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import AxisError, MLArray, affine
from smolml_array.extending import OUT, Rule
from smolml_utils import _rules, cross_entropy, layer_norm, log_softmax, mse_loss, softmax
from smolml_value import check_grads, gradients, jvp
from tests.array.reading import matters, read
from tests.utils.helpers import assert_close, numbers, random_array


def _composite_softmax(x: MLArray) -> MLArray:
    powers = (x - x.max(-1, keepdims=True).detach()).exp()
    return powers / powers.sum(-1, keepdims=True)


def _composite_norm(x: MLArray) -> MLArray:
    centered = x - x.mean(-1, keepdims=True)
    return centered / ((centered**2).mean(-1, keepdims=True) + 1e-3).sqrt()


T = random_array((3, 4), 7)
P = np.exp(T) / np.exp(T).sum(-1, keepdims=True)
PAIRS: dict[str, tuple[Callable[..., MLArray], Callable[..., MLArray], list[Any]]] = {
    "affine": (affine, lambda x, w, b: x @ w + b, [(3, 4), (4, 2), (2,)]),
    "cross_entropy": (
        lambda x: cross_entropy(x, P),
        lambda x: -(MLArray(P.tolist(), False) * _composite_softmax(x).log()).sum(-1).mean(),
        [(3, 4)],
    ),
    "layer_norm": (lambda x: layer_norm(x, epsilon=1e-3), _composite_norm, [(3, 4)]),
    "log_softmax": (log_softmax, lambda x: _composite_softmax(x).log(), [(3, 4)]),
    "mse_loss": (mse_loss, lambda p, t: ((p - t) ** 2).mean(), [(3, 4), (3, 4)]),
    "mse_loss, sum": (
        lambda p, t: mse_loss(p, t, "sum"),
        lambda p, t: ((p - t) ** 2).sum(),
        [(3, 4), (3, 4)],
    ),
    "softmax": (softmax, _composite_softmax, [(3, 4)]),
}
pairs = pytest.mark.parametrize(("fused", "composite", "shapes"), PAIRS.values(), ids=PAIRS)


def _leaves(shapes: list[tuple[int, ...]]) -> list[MLArray]:
    return [MLArray(random_array(shape, i).tolist()) for i, shape in enumerate(shapes)]


@pairs
def test_numbers_gradients_and_tangents(
    fused: Any, composite: Any, shapes: list[Any], backend: str
) -> None:
    found = []
    for f in (fused, composite):
        leaves = _leaves(shapes)
        out = f(*leaves)
        weights = MLArray(random_array(out.shape, 9).tolist(), requires_grad=False)
        (out * weights).sum().backward()
        us = tuple(MLArray(random_array(s, 100 + i).tolist()) for i, s in enumerate(shapes))
        _, tangent = jvp(f, tuple(leaves), us)
        first = gradients((f(*leaves) * weights).sum(), leaves)
        second = gradients((first[0] * first[0]).sum(), leaves)
        found.append([out, *(x.grad() for x in leaves), tangent, *first, *second])
    for a, b in zip(*found, strict=True):
        assert_close(a, numbers(b), 1e-10, 1e-12)


@pairs
def test_to_second_order(fused: Any, composite: Any, shapes: list[Any], backend: str) -> None:
    check_grads(fused, tuple(_leaves(shapes)), order=2)


@pairs
def test_float32_stays_float32(fused: Any, composite: Any, shapes: list[Any]) -> None:
    leaves = [
        MLArray(random_array(s, i).astype("float32"), backend="numpy") for i, s in enumerate(shapes)
    ]
    out = fused(*leaves)
    out.backward()
    assert out.dtype == np.float32
    assert all(x.grad().dtype == np.float32 for x in leaves)


# What they keep -----------------------------------------------------------------------------------

NAMES = {name: rule for name, rule in vars(_rules).items() if isinstance(rule, Rule)}
PARAMS: dict[str, dict[str, Any]] = {
    "SOFTMAX": {"axis": (1,)},
    "LOG_SOFTMAX": {"axis": (1,)},
    "LAYER_NORM": {"axis": (1,), "epsilon": 0.1},
    "NLL": {"axis": 1, "keepdims": False},
    "CROSS_ENTROPY": {"axis": 1, "keepdims": False},
    "SUM_OF_SQUARES": {},
    "MEAN_OF_SQUARES": {},
}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_rule_does_not_read_is_not_kept(name: str) -> None:
    rule, params = NAMES[name], PARAMS[name]
    args = [random_array((2, 3), i) for i in range(len(rule.vjps))]
    needed, kept = matters(rule, args, params), read(rule, args)
    assert needed <= kept
    assert kept - {OUT} == needed - {OUT}  # the result of a loss is small


# Edges --------------------------------------------------------------------------------------------


def test_a_loss_that_counts_for_nothing_sends_nothing_back(backend: str) -> None:
    p = MLArray([math.inf, 1.0])
    (mse_loss(p, [0.0, 0.0]) * 0.0).backward()  # 0 x inf is 0 in a backward pass
    assert p.grad().to_list() == [0.0, 0.0]
    p = MLArray([1.0, 2.0])
    (mse_loss(p, [1.0, 0.0]) * math.inf).backward()
    assert p.grad().to_list() == [0.0, math.inf]


def test_the_mean_of_no_errors_is_nan(backend: str) -> None:
    p = MLArray([])
    loss = mse_loss(p, [])
    loss.backward()
    assert math.isnan(loss.item())
    assert p.grad().to_list() == []


def test_layer_norm_where_all_are_equal(backend: str) -> None:
    x = MLArray([2.0, 2.0, 2.0])
    out = layer_norm(x)
    out.sum().backward()
    assert out.to_list() == [0.0, 0.0, 0.0]
    assert x.grad().to_list() == [0.0, 0.0, 0.0]


def test_the_epsilon_of_layer_norm(backend: str) -> None:
    x = [0.01, 0.02, 0.06]  # of a variance that is not large beside it
    for out, epsilon in (layer_norm(x), 1e-5), (layer_norm(x, epsilon=0.0), 0.0):
        expected = (np.array(x) - np.mean(x)) / np.sqrt(np.var(x) + epsilon)
        np.testing.assert_allclose(out.to_list(), expected, rtol=1e-12)


@pytest.mark.parametrize("function", [cross_entropy, layer_norm, log_softmax, softmax])
def test_they_know_what_others_call_their_keywords(function: Any) -> None:
    name = function.__name__
    with pytest.raises(TypeError, match=rf"^{name}: there is no keyword 'dim'.*\baxis\b"):
        function([0.0, 1.0], dim=0)


def test_layer_norm_refuses(backend: str) -> None:
    with pytest.raises(ValueError, match=r"^layer_norm: epsilon must be at least 0, got -1$"):
        layer_norm([1.0, 2.0], epsilon=-1.0)
    with pytest.raises(AxisError, match=r"^layer_norm: axis 1 is out of range"):
        layer_norm([1.0, 2.0], axis=1)
    with pytest.raises(TypeError, match=r"^layer_norm: expected"):
        layer_norm("x")
