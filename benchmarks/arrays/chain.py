"""A chain of element-wise ops: y <- tanh(a y + b), five times; the gradients of y, a and b."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.arrays.mlp import Contestant, Numbers

STEPS = 5
Problem = tuple[Numbers, Numbers, Numbers]


def problem(n: int, dtype: str = "float64") -> Problem:
    """Random x, a and b."""
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=n).astype(dtype) for _ in range(3))  # type: ignore[return-value]


def numpy_by_hand(x: Numbers, a: Numbers, b: Numbers) -> Contestant:
    """Forward and backward by hand."""

    def step() -> Any:
        ys = [x]
        for _ in range(STEPS):
            ys.append(np.tanh(a * ys[-1] + b))
        g = np.ones_like(x)
        ga = gb = 0.0
        for i in range(STEPS, 0, -1):
            g = g * (1.0 - ys[i] * ys[i])
            ga, gb = ga + g * ys[i - 1], gb + g
            g = g * a
        return ys[-1].sum(), [g, ga, gb]

    return step, lambda results: results


def smolml(x: Numbers, a: Numbers, b: Numbers, backend: str = "numpy") -> Contestant:
    """MLArrays."""
    from smolml_array import MLArray

    leaves = [MLArray(v if backend == "numpy" else v.tolist(), backend=backend) for v in (x, a, b)]
    first, factor, offset = leaves

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        y = first
        for _ in range(STEPS):
            y = (factor * y + offset).tanh()
        loss = y.sum()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def autograd(x: Numbers, a: Numbers, b: Numbers) -> Contestant:
    """HIPS autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def f(y: Any, a: Any, b: Any) -> Any:
        for _ in range(STEPS):
            y = anp.tanh(a * y + b)
        return y.sum()

    both = value_and_grad(f, argnum=(0, 1, 2))
    return (lambda: both(x, a, b)), lambda results: results


def mygrad(x: Numbers, a: Numbers, b: Numbers) -> Contestant:
    """MyGrad."""
    import mygrad as mg

    leaves = [mg.tensor(v) for v in (x, a, b)]
    first, factor, offset = leaves

    def step() -> Any:
        for p in leaves:
            p.null_grad()
        y = first
        for _ in range(STEPS):
            y = mg.tanh(factor * y + offset)
        loss = y.sum()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])


def torch(x: Numbers, a: Numbers, b: Numbers) -> Contestant:
    """PyTorch eager."""
    import torch as pt

    leaves = [pt.from_numpy(v.copy()).requires_grad_() for v in (x, a, b)]
    first, factor, offset = leaves

    def step() -> Any:
        for p in leaves:
            p.grad = None
        y = first
        for _ in range(STEPS):
            y = pt.tanh(factor * y + offset)
        loss = y.sum()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])
