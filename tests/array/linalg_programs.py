"""Likelihoods as scientists write them, for our arrays and for PyTorch's tensors alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_RNG = np.random.default_rng(3)
OBSERVED = _RNG.normal(size=(12, 2)).cumsum(0)
PLACES = np.sort(_RNG.uniform(0.0, 4.0, 9))
VALUES = np.sin(2.0 * PLACES) + 0.1 * _RNG.normal(size=9)
OUTER = np.abs(PLACES[:, None] - PLACES)
MOVES = np.array([[1.0, 0.4, 0.0], [-0.1, 0.9, 0.2], [0.05, 0.0, 0.8]])
SEES = np.array([[1.0, 0.0, 0.3], [0.0, 1.0, -0.2]])
NOISES = np.array([-0.5, 0.1, 0.4])
SCALES = np.array([0.2, -0.3, -1.5])


def kalman(m: Any, moves: Any, sees: Any, noises: Any) -> Any:
    """The log-likelihood of 2 observed numbers of a state of 3, by the Kalman filter.

    `m` has solve, slogdet, eye and array; gradients go to the matrices and to the logarithms of
    the noises of state and observation.
    """
    mean, total = m.array(np.zeros(3)), 0.0
    spread = m.eye(3) * (noises[2] * 2.0).exp()
    for seen in OBSERVED:
        mean = moves @ mean
        spread = moves @ spread @ moves.mT + m.eye(3) * (noises[0] * 2.0).exp()
        expected = sees @ spread @ sees.mT + m.eye(2) * (noises[1] * 2.0).exp()
        error = m.array(seen) - sees @ mean
        gain = m.solve(expected, sees @ spread).mT
        mean = mean + gain @ error
        spread = spread - gain @ sees @ spread
        fit = error @ m.solve(expected, error)
        total = total - 0.5 * (fit + m.slogdet(expected)[1] + 2.0 * math.log(2.0 * math.pi))
    return total


def gaussian_process(m: Any, scales: Any) -> Any:
    """The log marginal likelihood of values of a smooth function, by Cholesky's decomposition.

    `scales` are the logarithms of lengthscale, amplitude and noise (Rasmussen and Williams 2006,
    algorithm 2.1).
    """
    length, height, noise = (scales[i].exp() for i in range(3))
    n = len(VALUES)
    kernel = height**2 * (-0.5 * (m.array(OUTER) / length) ** 2).exp() + noise**2 * m.eye(n)
    lower, values = m.cholesky(kernel), m.array(VALUES)
    white = m.solve(lower, values)
    return (
        -0.5 * (white @ white) - m.diagonal(lower).log().sum() - 0.5 * n * math.log(2.0 * math.pi)
    )
