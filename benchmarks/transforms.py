"""What is computed for many examples, or for many rows, at once: beside a loop, and by hand.

Run it: OPENBLAS_NUM_THREADS=1 python -m benchmarks.transforms
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import medians
from smolml_array import MLArray, stack, vmap
from smolml_value import grad, hessian, jacobian

Function = Callable[..., Any]
rng = np.random.default_rng(0)


def constant(*shape: int) -> MLArray:
    return MLArray(rng.normal(size=shape) / shape[-1], False)


def loss(u: MLArray, v: MLArray, x: MLArray) -> Any:
    """Of a perceptron, for one example."""
    return (((x @ u).tanh() @ v) ** 2).sum()


def examples(count: int, width: int) -> dict[str, Function]:
    """The gradients of each example: all at once, one by one, and in NumPy by hand."""
    u, v, xs = constant(width, width), constant(width, 1), constant(count, width)
    each = grad(loss)

    def by_hand() -> Any:
        a, b, x = (y._node.raw for y in (u, v, xs))
        h = np.tanh(x @ a)
        return x[:, :, None] * (2.0 * (h @ b) * b.T * (1.0 - h * h))[:, None, :]

    return {
        "vmap": lambda: vmap(each, (None, None, 0))(u, v, xs),
        "loop": lambda: stack([each(u, v, x) for x in xs]),
        "by hand": by_hand,
    }


def of_hessian(n: int) -> dict[str, Function]:
    a, x = constant(n, n), constant(n)
    raw, point = a._node.raw, x._node.raw
    return {
        "hessian": lambda: hessian(lambda x: x @ (a @ x) + (x**4).sum())(x),
        "by hand": lambda: raw + raw.T + np.diag(12.0 * point**2),
    }


def of_jacobian(n: int) -> dict[str, Function]:
    a, x = constant(n, n), constant(n)
    raw, point = a._node.raw, x._node.raw
    return {
        "jacobian": lambda: jacobian(lambda x: (a @ x).tanh())(x),
        "by hand": lambda: raw * (1.0 - np.tanh(raw @ point) ** 2)[:, None],
    }


CASES: dict[str, dict[str, Function]] = {
    "32 examples of 8": examples(32, 8),
    "128 examples of 32": examples(128, 32),
    **{f"hessian of {n}": of_hessian(n) for n in (10, 100, 200)},
    **{f"jacobian of {n}": of_jacobian(n) for n in (10, 100, 200)},
}


def main() -> None:
    for name, runs in CASES.items():
        first, *others = (np.asarray(run()) for run in runs.values())
        for other in others:
            np.testing.assert_allclose(first, other, rtol=1e-10, atol=1e-12)
        times = medians(runs, 15)
        last = times["by hand"]
        told = ", ".join(f"{who} {1e3 * t:.3f} ms ({t / last:.1f})" for who, t in times.items())
        print(f"{name}: {told}")


if __name__ == "__main__":
    main()
