"""Optimizers against torch.optim, step for step, on a small network that they train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from smolml_array import MLArray
from smolml_utils import SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp, SGDMomentum
from tests.utils.helpers import assert_close, random_array

PAIRS: list[tuple[str, Callable[[], Optimizer], Callable[[Any], torch.optim.Optimizer]]] = [
    ("SGD", lambda: SGD(0.05), lambda ps: torch.optim.SGD(ps, lr=0.05)),
    (
        "SGDMomentum",
        lambda: SGDMomentum(0.05, 0.9),
        lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9),
    ),
    *(
        (
            f"SGD, momentum {mu}, nesterov {ahead}, decay {decay}",
            lambda mu=mu, ahead=ahead, decay=decay: SGD(0.05, mu, ahead, decay),
            lambda ps, mu=mu, ahead=ahead, decay=decay: torch.optim.SGD(
                ps, lr=0.05, momentum=mu, nesterov=ahead, weight_decay=decay
            ),
        )
        for mu, ahead, decay in [(0.0, False, 0.1), (0.9, True, 0.0), (0.8, True, 0.2)]
    ),
    (
        "AdaGrad",
        lambda: AdaGrad(0.1, epsilon=1e-10),
        lambda ps: torch.optim.Adagrad(ps, lr=0.1, eps=1e-10),
    ),
    (
        "RMSProp",
        lambda: RMSProp(0.01, exp_decay_squared=0.99, epsilon=1e-8),
        lambda ps: torch.optim.RMSprop(ps, lr=0.01, alpha=0.99, eps=1e-8),
    ),
    ("Adam", lambda: Adam(0.02), lambda ps: torch.optim.Adam(ps, lr=0.02)),
    (
        "Adam, other decays",
        lambda: Adam(0.1, 0.5, 0.8, epsilon=1e-2),
        lambda ps: torch.optim.Adam(ps, lr=0.1, betas=(0.5, 0.8), eps=1e-2),
    ),
    (
        "AdamW",
        lambda: AdamW(0.02, weight_decay=0.1),
        lambda ps: torch.optim.AdamW(ps, lr=0.02, weight_decay=0.1),
    ),
]


@pytest.mark.parametrize(("name", "make", "theirs"), PAIRS, ids=[p[0] for p in PAIRS])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_twenty_steps(
    name: str,
    make: Callable[[], Optimizer],
    theirs: Callable[[Any], torch.optim.Optimizer],
    seed: int,
    backend: str,
) -> None:
    x, t = random_array((8, 3), 10 * seed), random_array((8, 2), 10 * seed + 1)
    start = [random_array(s, 10 * seed + i) for i, s in enumerate([(3, 4), (4,), (4, 2)])]
    ours = [MLArray(p.tolist()) for p in start]
    tensors = [torch.tensor(p, requires_grad=True) for p in start]
    data, targets = MLArray(x.tolist(), requires_grad=False), t.tolist()
    optimizer, other = make(), theirs(tensors)
    for _ in range(20):
        optimizer.zero_grad(ours)
        w1, b1, w2 = ours
        ((((data @ w1 + b1).tanh() @ w2) - targets) ** 2).mean().backward()
        optimizer.step(ours)

        other.zero_grad()
        u1, c1, u2 = tensors
        loss = ((torch.tanh(torch.tensor(x) @ u1 + c1) @ u2 - torch.tensor(t)) ** 2).mean()
        loss.backward()
        other.step()
        for p, q in zip(ours, tensors, strict=True):
            assert_close(p, q.detach().numpy(), rel=1e-10, floor=1e-12)
    assert not np.allclose(ours[0].to_list(), start[0], atol=1e-3)  # it did move
