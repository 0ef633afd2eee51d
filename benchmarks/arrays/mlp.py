"""One training step of a perceptron 64 -> H -> H -> 10: relu, mean squared error, all gradients.

Every contestant gives its step and a function that reads the loss and the gradients of the
parameters afterwards; inputs and targets are constants. Gradients are set to zero before, where
the contestant keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Numbers = Any
Results = tuple[Any, list[Any]]  # the loss and the gradients
Contestant = tuple[Callable[[], Any], Callable[[Any], Results]]
Problem = tuple[Numbers, Numbers, list[Numbers]]  # inputs, targets, w1 b1 w2 b2 w3 b3


def problem(
    batch: int, hidden: int, dtype: str = "float64", inputs: int = 64, outputs: int = 10
) -> Problem:
    """Random inputs, targets and parameters."""
    rng = np.random.default_rng(0)
    sizes = [inputs, hidden, hidden, outputs]
    params: list[Numbers] = []
    for n, m in pairwise(sizes):
        params += [rng.normal(size=(n, m)) * (2.0 / n) ** 0.5, 0.1 * rng.normal(size=m)]
    x, t = rng.normal(size=(batch, inputs)), rng.normal(size=(batch, outputs))
    return x.astype(dtype), t.astype(dtype), [p.astype(dtype) for p in params]


def numpy_by_hand(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """Forward and backward by hand, as one writes them; nothing is preallocated."""
    w1, b1, w2, b2, w3, b3 = params

    def step() -> Any:
        h1 = np.maximum(x @ w1 + b1, 0.0)
        h2 = np.maximum(h1 @ w2 + b2, 0.0)
        d = h2 @ w3 + b3 - t
        loss = (d * d).mean()
        g = d * (2.0 / d.size)
        gw3, gb3 = h2.T @ g, g.sum(axis=0)
        g = (g @ w3.T) * (h2 > 0.0)
        gw2, gb2 = h1.T @ g, g.sum(axis=0)
        g = (g @ w2.T) * (h1 > 0.0)
        gw1, gb1 = x.T @ g, g.sum(axis=0)
        return loss, [gw1, gb1, gw2, gb2, gw3, gb3]

    return step, lambda results: results


def _smolml(x: Numbers, t: Numbers, params: list[Numbers], backend: str) -> Any:
    from smolml_array import MLArray

    def made(numbers: Numbers, requires_grad: bool) -> MLArray:
        numbers = numbers if backend == "numpy" else numbers.tolist()
        return MLArray(numbers, requires_grad, backend=backend)

    return made(x, False), made(t, False), [made(p, True) for p in params]


def smolml(x: Numbers, t: Numbers, params: list[Numbers], backend: str = "numpy") -> Contestant:
    """MLArrays and Python's operators."""
    x, t, leaves = _smolml(x, t, params, backend)
    w1, b1, w2, b2, w3, b3 = leaves

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        h1 = (x @ w1 + b1).relu()
        h2 = (h1 @ w2 + b2).relu()
        d = h2 @ w3 + b3 - t
        loss = (d * d).mean()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def _fused_loss(leaves: list[Any]) -> Callable[[Any, Any], Any]:
    from smolml_array import affine
    from smolml_utils import mse_loss

    w1, b1, w2, b2, w3, b3 = leaves

    def loss(x: Any, t: Any) -> Any:
        h1 = affine(x, w1, b1).relu()
        h2 = affine(h1, w2, b2).relu()
        return mse_loss(affine(h2, w3, b3), t)

    return loss


def smolml_fused(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """MLArrays, `affine` and `mse_loss`."""
    x, t, leaves = _smolml(x, t, params, "numpy")
    compute = _fused_loss(leaves)

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        loss = compute(x, t)
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def smolml_replay(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """The same, recorded once and played back."""
    from smolml_array import replay

    x, t, leaves = _smolml(x, t, params, "numpy")
    played = replay(_fused_loss(leaves), leaves)

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        return played(x, t)

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def one_layer_by_hand(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """Only one hidden layer, in NumPy by hand."""
    w1, b1, w2, b2 = params

    def step() -> Any:
        h = np.maximum(x @ w1 + b1, 0.0)
        d = h @ w2 + b2 - t
        g = d * (2.0 / d.size)
        gw2, gb2 = h.T @ g, g.sum(axis=0)
        g = (g @ w2.T) * (h > 0.0)
        return (d * d).mean(), [x.T @ g, g.sum(axis=0), gw2, gb2]

    return step, lambda results: results


def one_layer_pure(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """Only one hidden layer, on the pure backend."""
    x, t, leaves = _smolml(x, t, params, "pure")
    w1, b1, w2, b2 = leaves

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        d = (x @ w1 + b1).relu() @ w2 + b2 - t
        loss = (d * d).mean()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def autograd(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """HIPS autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def f(w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
        h1 = anp.maximum(x @ w1 + b1, 0.0)
        h2 = anp.maximum(h1 @ w2 + b2, 0.0)
        d = h2 @ w3 + b3 - t
        return (d * d).mean()

    both = value_and_grad(f, argnum=tuple(range(6)))

    def step() -> Any:
        return both(*params)

    return step, lambda results: results


def mygrad(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """MyGrad."""
    import mygrad as mg

    leaves = [mg.tensor(p) for p in params]
    w1, b1, w2, b2, w3, b3 = leaves

    def step() -> Any:
        for p in leaves:
            p.null_grad()
        h1 = mg.maximum(x @ w1 + b1, 0.0)
        h2 = mg.maximum(h1 @ w2 + b2, 0.0)
        d = h2 @ w3 + b3 - t
        loss = (d * d).mean()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])


def torch(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """PyTorch eager, with its fused linear layer and loss."""
    import torch as pt

    xt, tt = pt.from_numpy(x), pt.from_numpy(t)
    leaves = [pt.from_numpy(p.copy()).requires_grad_() for p in params]
    w1, b1, w2, b2, w3, b3 = leaves

    def step() -> Any:
        for p in leaves:
            p.grad = None
        h1 = pt.relu(pt.addmm(b1, xt, w1))
        h2 = pt.relu(pt.addmm(b2, h1, w2))
        loss = pt.nn.functional.mse_loss(pt.addmm(b3, h2, w3), tt)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])
