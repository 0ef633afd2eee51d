"""NumPy arrays given to a loss and changed before backward: the gradient is that of the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_utils import losses

LOSSES: list[Callable[[Any, Any, Any], Any]] = [
    lambda x, targets, labels: losses.mse_loss(x, targets),
    lambda x, targets, labels: losses.mae_loss(x, targets),
    lambda x, targets, labels: losses.huber_loss(x, targets),
    lambda x, targets, labels: losses.log_cosh_loss(x, targets),
    lambda x, targets, labels: losses.binary_cross_entropy(x, targets),
    lambda x, targets, labels: losses.bce_with_logits(x, targets),
    lambda x, targets, labels: losses.categorical_cross_entropy(x, targets),
    lambda x, targets, labels: losses.cross_entropy(x, targets),
    lambda x, targets, labels: losses.cross_entropy(x, labels),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_changed_before_backward(backend: str, loss: Callable[..., Any]) -> None:
    results = []
    for tamper in (False, True):
        rng = np.random.default_rng(0)
        x, targets = MLArray(rng.uniform(0.1, 0.9, (5, 3))), rng.uniform(0.1, 0.9, (5, 3))
        targets /= targets.sum(axis=1, keepdims=True)
        labels = np.array([0, 1, 2, 1, 0])
        out = loss(x, targets, labels)
        if tamper:
            targets[...] = 0.5
            labels[...] = 0
        out.backward()
        results.append((out.item(), x.grad().to_list()))
    assert results[0] == results[1]
    assert np.any(results[0][1])
