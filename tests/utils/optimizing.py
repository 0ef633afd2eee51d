"""The optimizers stated once more, in NumPy and as their papers do, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from smolml_utils import SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp, SGDMomentum
from tests.utils.helpers import Floats

Trajectory = list[Floats]


def sgd(x: Floats, gs: Sequence[Floats], lr: float) -> Trajectory:
    out = []
    for g in gs:
        x = x - lr * g
        out.append(x)
    return out


def momentum(
    x: Floats, gs: Sequence[Floats], lr: float, mu: float, ahead: float = 0.0, decay: float = 0.0
) -> Trajectory:
    out: Trajectory = []
    decayed: Trajectory = []
    for t, g in enumerate(gs):  # the velocity as the sum it is
        decayed.append(g + decay * x)
        velocity = sum((lr * mu ** (t - i) * decayed[i] for i in range(t + 1)), np.zeros_like(x))
        x = x - (1.0 - ahead) * velocity - ahead * (lr * decayed[t] + mu * velocity)
        out.append(x)
    return out


def adagrad(x: Floats, gs: Sequence[Floats], lr: float, eps: float) -> Trajectory:
    out = []
    for t, g in enumerate(gs):
        x = x - lr * g / (np.sqrt(np.sum(np.square(gs[: t + 1]), axis=0)) + eps)
        out.append(x)
    return out


def rmsprop(x: Floats, gs: Sequence[Floats], lr: float, d: float, eps: float) -> Trajectory:
    out = []
    for t, g in enumerate(gs):
        mean = sum(((1 - d) * d ** (t - i) * gs[i] ** 2 for i in range(t + 1)), np.zeros_like(x))
        x = x - lr * g / (np.sqrt(mean) + eps)
        out.append(x)
    return out


def adamw(
    x: Floats,
    gs: Sequence[Floats],
    lr: float,
    b1: float,
    b2: float,
    eps: float,
    decay: float = 0.0,
) -> Trajectory:
    out = []
    for t in range(len(gs)):
        # the corrected moments are weighted means of the gradients so far
        ages = np.arange(t, -1, -1)
        m = np.average(gs[: t + 1], axis=0, weights=b1**ages)
        v = np.average(np.square(gs[: t + 1]), axis=0, weights=b2**ages)
        x = x - lr * decay * x - lr * m / (np.sqrt(v) + eps)
        out.append(x)
    return out


# Each with the same arguments for ours and for the statement above.
OPTIMIZERS: dict[
    str, tuple[Callable[[], Optimizer], Callable[[Floats, Sequence[Floats]], Trajectory]]
] = {
    "SGD": (lambda: SGD(0.1), lambda x, gs: sgd(x, gs, 0.1)),
    "SGDMomentum": (
        lambda: SGDMomentum(0.05, momentum_coefficient=0.8),
        lambda x, gs: momentum(x, gs, 0.05, 0.8),
    ),
    "SGD, nesterov and weight decay": (
        lambda: SGD(0.05, 0.8, nesterov=True, weight_decay=0.3),
        lambda x, gs: momentum(x, gs, 0.05, 0.8, 1.0, 0.3),
    ),
    "AdaGrad": (lambda: AdaGrad(0.3, epsilon=1e-3), lambda x, gs: adagrad(x, gs, 0.3, 1e-3)),
    "RMSProp": (
        lambda: RMSProp(0.05, exp_decay_squared=0.7, epsilon=1e-4),
        lambda x, gs: rmsprop(x, gs, 0.05, 0.7, 1e-4),
    ),
    "Adam": (
        lambda: Adam(0.1, 0.8, 0.95, epsilon=1e-3),
        lambda x, gs: adamw(x, gs, 0.1, 0.8, 0.95, 1e-3),
    ),
    "AdamW": (
        lambda: AdamW(0.1, 0.8, 0.95, weight_decay=0.3, epsilon=1e-3),
        lambda x, gs: adamw(x, gs, 0.1, 0.8, 0.95, 1e-3, 0.3),
    ),
}
