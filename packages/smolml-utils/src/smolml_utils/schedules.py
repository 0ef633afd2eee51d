"""Schedules: the learning rate of each step, as plain functions of the number of the step.

`optimizer.learning_rate = cosine_decay(step, 0.1, 1000)` before each step is all there is to it.
They have no state: a training that goes on at some step has the rate of that step.
"""

from __future__ import annotations

import math

from smolml_utils._operands import not_negative

__all__ = ["cosine_decay", "linear_warmup", "step_decay"]


def _part(who: str, step: float, steps: float) -> float:
    """How many times `steps` are done."""
    if not steps > 0:
        raise ValueError(f"{who} must be above 0, got {steps!r}")
    return not_negative(f"{who.partition(':')[0]}: step", step) / steps


def step_decay(step: float, rate: float, every: int, factor: float = 0.1) -> float:
    """rate factor**(step // every): it falls at once, `every` so many steps. PyTorch's StepLR.

    Args:
        step: how many steps (or epochs) were taken before, from 0.
        rate: the learning rate at the start.
        every: after how many steps it falls; above 0.
        factor: what it is multiplied with then; 1 - 1e-3, say, every 1 step decays exponentially.

    Raises:
        ValueError: an argument out of its range.

    >>> [step_decay(step, 1.0, every=2, factor=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    count = math.floor(_part("step_decay: every", step, every))
    first, base = not_negative("step_decay: rate", rate), not_negative("step_decay: factor", factor)
    return first * math.pow(base, count)


def cosine_decay(step: float, rate: float, steps: int, end: float = 0.0) -> float:
    """end + (rate - end) (1 + cos(pi step / steps)) / 2, and `end` after all steps.

    PyTorch's CosineAnnealingLR, which would go up again after them.
    Source: Loshchilov & Hutter 2016, arXiv:1608.03983.

    Args:
        step: how many steps were taken before, from 0.
        rate: the learning rate at the start.
        steps: in how many steps it falls; above 0.
        end: the learning rate at the end.

    Raises:
        ValueError: an argument out of its range.

    >>> [round(cosine_decay(step, 1.0, 4), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    done = _part("cosine_decay: steps", step, steps)
    last, first = not_negative("cosine_decay: end", end), not_negative("cosine_decay: rate", rate)
    return last + (first - last) * (1.0 + math.cos(math.pi * min(done, 1.0))) / 2.0


def linear_warmup(step: float, rate: float, steps: int, start: float = 0.0) -> float:
    """From `start` in a straight line to `rate`, where it stays. PyTorch's LinearLR.

    Another schedule takes over after it:
    `linear_warmup(i, 0.1, 10) if i < 10 else cosine_decay(i - 10, 0.1, 90)`.
    Source: Goyal et al. 2017, arXiv:1706.02677.

    Args:
        step: how many steps were taken before, from 0.
        rate: the learning rate at the end.
        steps: in how many steps it gets there; above 0.
        start: the learning rate at the start.

    Raises:
        ValueError: an argument out of its range.

    >>> [linear_warmup(step, 1.0, 4) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    done = _part("linear_warmup: steps", step, steps)
    first, last = (
        not_negative("linear_warmup: start", start),
        not_negative("linear_warmup: rate", rate),
    )
    return first + (last - first) * min(done, 1.0)
