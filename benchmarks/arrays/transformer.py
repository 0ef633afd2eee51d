"""A small transformer block: one head of attention and a perceptron, each behind layer norm.

x is (T, D); loss = mean(block(x)**2); the gradients of all six weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.arrays.mlp import Contestant, Numbers

EPSILON = 1e-5
Problem = tuple[Numbers, list[Numbers]]


def problem(length: int, width: int, dtype: str = "float64") -> Problem:
    """Random x, and the weights wq wk wv wo w1 w2."""
    rng = np.random.default_rng(0)
    shapes = [(width, width)] * 4 + [(width, 4 * width), (4 * width, width)]
    weights = [(rng.normal(size=s) / s[0] ** 0.5).astype(dtype) for s in shapes]
    return rng.normal(size=(length, width)).astype(dtype), weights


def numpy_by_hand(x: Numbers, weights: list[Numbers]) -> Contestant:
    """Forward and backward by hand."""
    wq, wk, wv, wo, w1, w2 = weights
    scale = x.shape[1] ** -0.5

    def norm(x: Any) -> tuple[Any, Any]:
        c = x - x.mean(-1, keepdims=True)
        r = 1.0 / np.sqrt((c * c).mean(-1, keepdims=True) + EPSILON)
        return c * r, r

    def norm_back(g: Any, n: Any, r: Any) -> Any:
        return r * (g - g.mean(-1, keepdims=True) - n * (g * n).mean(-1, keepdims=True))

    def step() -> Any:
        n1, _ = norm(x)
        q, k, v = n1 @ wq, n1 @ wk, n1 @ wv
        s = q @ k.T * scale
        p = np.exp(s - s.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        a = p @ v
        y = x + a @ wo
        n2, r2 = norm(y)
        h = np.maximum(n2 @ w1, 0.0)
        z = y + h @ w2
        loss = (z * z).mean()
        g = z * (2.0 / z.size)
        gw2, gh = h.T @ g, (g @ w2.T) * (h > 0)
        gw1 = n2.T @ gh
        gy = g + norm_back(gh @ w1.T, n2, r2)
        gwo, ga = a.T @ gy, gy @ wo.T
        gp, gv = ga @ v.T, p.T @ ga
        gs = p * (gp - (gp * p).sum(-1, keepdims=True)) * scale
        return loss, [n1.T @ (gs @ k), n1.T @ (gs.T @ q), n1.T @ gv, gwo, gw1, gw2]

    return step, lambda results: results


def smolml(x: Numbers, weights: list[Numbers]) -> Contestant:
    """MLArrays, `layer_norm` and `softmax`."""
    from smolml_array import MLArray
    from smolml_utils import layer_norm, softmax

    x = MLArray(x, requires_grad=False, backend="numpy")
    leaves = [MLArray(w, backend="numpy") for w in weights]
    wq, wk, wv, wo, w1, w2 = leaves
    scale = x.shape[1] ** -0.5

    def step() -> Any:
        for p in leaves:
            p.zero_grad()
        n = layer_norm(x)
        y = x + softmax((n @ wq) @ (n @ wk).T * scale) @ (n @ wv) @ wo
        z = y + (layer_norm(y) @ w1).relu() @ w2
        loss = (z * z).mean()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [np.array(p.grad().to_list()) for p in leaves])


def _formula(xp: Any, x: Any, wq: Any, wk: Any, wv: Any, wo: Any, w1: Any, w2: Any) -> Any:
    def norm(x: Any) -> Any:
        c = x - xp.mean(x, axis=-1, keepdims=True)
        return c / xp.sqrt(xp.mean(c * c, axis=-1, keepdims=True) + EPSILON)

    n = norm(x)
    s = (n @ wq) @ (n @ wk).T * x.shape[1] ** -0.5
    e = xp.exp(s - xp.max(s, axis=-1, keepdims=True))
    y = x + e / xp.sum(e, axis=-1, keepdims=True) @ (n @ wv) @ wo
    z = y + xp.maximum(norm(y) @ w1, 0.0) @ w2
    return (z * z).mean()


def autograd(x: Numbers, weights: list[Numbers]) -> Contestant:
    """HIPS autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    both = value_and_grad(lambda *ws: _formula(anp, x, *ws), argnum=tuple(range(6)))
    return (lambda: both(*weights)), lambda results: results


def mygrad(x: Numbers, weights: list[Numbers]) -> Contestant:
    """MyGrad."""
    import mygrad as mg

    leaves = [mg.tensor(w) for w in weights]
    x = mg.tensor(x, constant=True)

    def step() -> Any:
        for p in leaves:
            p.null_grad()
        loss = _formula(mg, x, *leaves)
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])


def torch(x: Numbers, weights: list[Numbers]) -> Contestant:
    """PyTorch eager, with its fused layer norm and softmax."""
    import torch as pt

    xt = pt.from_numpy(x)
    leaves = [pt.from_numpy(w.copy()).requires_grad_() for w in weights]
    wq, wk, wv, wo, w1, w2 = leaves
    width = x.shape[1]

    def step() -> Any:
        for p in leaves:
            p.grad = None
        n = pt.nn.functional.layer_norm(xt, [width], eps=EPSILON)
        s = (n @ wq) @ (n @ wk).T * width**-0.5
        y = xt + pt.softmax(s, -1) @ (n @ wv) @ wo
        m = pt.nn.functional.layer_norm(y, [width], eps=EPSILON)
        z = y + pt.relu(m @ w1) @ w2
        loss = (z * z).mean()
        loss.backward()
        return loss

    return step, lambda loss: (loss.item(), [p.grad for p in leaves])
