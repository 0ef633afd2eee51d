"""The perceptron with an object for every number: nested lists of scalars, as in the lessons."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from benchmarks.arrays.mlp import Contestant, Numbers


def values(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """Our own scalars."""
    from smolml_value import Value

    return _objects(x, t, params, Value)


def micrograd(x: Numbers, t: Numbers, params: list[Numbers]) -> Contestant:
    """Those of micrograd, which finds its way through the graph by recursion."""
    from micrograd.engine import Value  # type: ignore[import-not-found,unused-ignore]

    sys.setrecursionlimit(100_000)
    return _objects(x, t, params, Value)


def _objects(
    x: Numbers, t: Numbers, params: list[Numbers], make: Callable[[float], Any]
) -> Contestant:
    """Two layers in nested lists; inputs and targets are plain floats."""
    rows, targets = x.tolist(), t.tolist()
    (w1, b1), (w2, b2) = (
        ([[make(v) for v in row] for row in w.tolist()], [make(v) for v in b.tolist()])
        for w, b in zip(params[::2], params[1::2], strict=True)
    )

    def layer(row: Any, w: Any, b: Any) -> list[Any]:
        out = []
        for j, total in enumerate(b):
            for i, v in enumerate(row):
                total = total + w[i][j] * v
            out.append(total)
        return out

    def step() -> Any:
        loss: Any = 0.0
        for row, target in zip(rows, targets, strict=True):
            h = [v.relu() for v in layer(row, w1, b1)]
            for p, wanted in zip(layer(h, w2, b2), target, strict=True):
                d = p - wanted
                loss = loss + d * d
        loss = loss * (1.0 / (len(rows) * len(targets[0])))
        for leaf in _leaves():
            leaf.grad = 0.0
        loss.backward()
        return loss

    def _leaves() -> list[Any]:
        return [v for part in (*w1, b1, *w2, b2) for v in part]

    def read(loss: Any) -> Any:
        grads = [[[v.grad for v in row] for row in w] for w in (w1, w2)]
        return loss.data, [grads[0], [v.grad for v in b1], grads[1], [v.grad for v in b2]]

    return step, read
