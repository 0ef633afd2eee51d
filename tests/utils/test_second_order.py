"""Derivatives of derivatives through losses and softmax: their rules are written once, for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_utils import (
    bce_with_logits,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber_loss,
    layer_norm,
    log_cosh_loss,
    log_softmax,
    mse_loss,
    sigmoid,
    softmax,
)
from smolml_value.transforms import grad, hessian, jvp
from tests.utils.helpers import Floats, assert_close, numbers, softmax_rows

X = np.array([[0.3, -0.2, 1.0], [2.0, 0.1, -1.0]])
T = [[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]]
FUNCTIONS: dict[str, Callable[[MLArray], MLArray]] = {
    "mse": lambda x: mse_loss(x.tanh(), T),
    "huber": lambda x: huber_loss(x, T, delta=0.7),
    "log_cosh": lambda x: log_cosh_loss(x, T),
    "bce": lambda x: binary_cross_entropy(sigmoid(x), T),
    "bce_with_logits": lambda x: bce_with_logits(x, T),
    "categorical": lambda x: categorical_cross_entropy(softmax(x), [[0, 1, 0], [0.2, 0.3, 0.5]]),
    "cross_entropy": lambda x: cross_entropy(x, [0, 2]),
    "softmax": lambda x: (softmax(x, axis=0) ** 2).sum(),
    "layer_norm": lambda x: (layer_norm(x, epsilon=0.01) ** 3).sum(),
    "layer_norm, all": lambda x: (layer_norm(x, axis=None).tanh() * x).sum(),
    "log_softmax": lambda x: (log_softmax(x, axis=None) ** 2).sum(),
}


def _array(x: Floats) -> MLArray:
    return MLArray(x.tolist())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessians_against_differences_of_gradients(name: str, backend: str) -> None:
    f = FUNCTIONS[name]
    slope: Any = grad(f)
    h, rows = 1e-4, []
    for i in range(X.size):
        step = h * np.eye(X.size)[i].reshape(X.shape)
        ahead, behind = numbers(slope(_array(X + step))), numbers(slope(_array(X - step)))
        rows.append((ahead - behind) / (2 * h))
    computed: Any = hessian(f)
    assert_close(computed(_array(X)).reshape(6, 6), np.reshape(rows, (6, 6)), 1e-6, 1e-7)


def test_the_hessian_of_cross_entropy(backend: str) -> None:
    f = hessian(lambda x: cross_entropy(x, 1))
    p = softmax_rows(X[0])
    assert_close(f(_array(X[0])), np.diag(p) - np.outer(p, p), floor=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_mode_agrees_with_reverse(name: str, backend: str) -> None:
    f = FUNCTIONS[name]
    v = np.linspace(-1.0, 1.0, X.size).reshape(X.shape)
    slope: Any = grad(f)
    forward: Any = jvp(f, (_array(X),), (MLArray(v.tolist(), requires_grad=False),))
    out, tangent = forward
    assert_close(out, numbers(f(_array(X))))
    assert_close(tangent, (numbers(slope(_array(X))) * v).sum())
