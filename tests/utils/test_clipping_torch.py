"""Clipping and schedules against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from smolml_array import MLArray
from smolml_utils import (
    SGD,
    clip_grad_norm,
    clip_grad_value,
    cosine_decay,
    linear_warmup,
    step_decay,
)
from tests.utils.helpers import assert_close, random_array

lr = torch.optim.lr_scheduler
SCHEDULES: dict[str, tuple[Callable[[int], float], Callable[[Any], Any]]] = {
    "step": (
        lambda i: step_decay(i, 0.1, 7, 0.3),
        lambda o: lr.StepLR(o, 7, 0.3),
    ),
    "exponential": (
        lambda i: step_decay(i, 0.1, 1, 0.95),
        lambda o: lr.ExponentialLR(o, 0.95),
    ),
    "cosine": (
        lambda i: cosine_decay(i, 0.1, 60, 0.01),
        lambda o: lr.CosineAnnealingLR(o, 60, 0.01),
    ),
    "warm-up": (
        lambda i: linear_warmup(i, 0.1, 8, 0.025),
        lambda o: lr.LinearLR(o, 0.25, 1.0, 8),
    ),
    "warm-up, then cosine": (
        lambda i: linear_warmup(i, 0.1, 8, 0.01) if i < 8 else cosine_decay(i - 8, 0.1, 52),
        lambda o: lr.SequentialLR(
            o, [lr.LinearLR(o, 0.1, 1.0, 8), lr.CosineAnnealingLR(o, 52)], [8]
        ),
    ),
}


@pytest.mark.parametrize("bound", [0.01, 1.0, 4.0, 1e3, 0.0])
@pytest.mark.parametrize("seed", range(3))
def test_clipping(bound: float, seed: int, backend: str) -> None:
    gs = [random_array(shape, seed) for shape in ((2, 3), (4,), ())]
    for by_norm in (True, False):
        ours = [MLArray(np.zeros(g.shape)) for g in gs]
        theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in gs]
        for p, q, g in zip(ours, theirs, gs, strict=True):
            p.set_grad(g)
            q.grad = torch.tensor(g)
        if by_norm:
            norm = torch.nn.utils.clip_grad_norm_(theirs, bound)
            assert clip_grad_norm(ours, bound) == pytest.approx(norm.item(), rel=1e-14)
        else:
            torch.nn.utils.clip_grad_value_(theirs, bound)
            clip_grad_value(ours, bound)
        for p, q in zip(ours, theirs, strict=True):
            assert q.grad is not None
            assert_close(p.grad(), q.grad.numpy(), rel=1e-14)


@pytest.mark.filterwarnings("ignore:The epoch parameter")  # SequentialLR's own affair
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    ours, theirs = SCHEDULES[name]
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    v, optimizer = MLArray([0.0, 0.0]), SGD(0.1, 0.9, nesterov=True, weight_decay=0.01)
    other = torch.optim.SGD([w], 0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    scheduler = theirs(other)
    for i in range(60):
        rate = other.param_groups[0]["lr"]
        optimizer.learning_rate = ours(i)
        assert optimizer.learning_rate == pytest.approx(rate, rel=1e-12, abs=1e-15)
        g = random_array((2,), i)
        w.grad = torch.tensor(g)
        other.step()
        scheduler.step()
        optimizer.step([v], [g])
        assert_close(v, w.detach().numpy(), rel=1e-12)
