"""What derivatives cost: time of each transform, memory of hvp and of checkpoint.

Run it: python -m benchmarks.derivatives [times|hvp|checkpoint]
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from smolml_array import MLArray
from smolml_value import Value, checkpoint, grad, hessian, hvp, jvp, no_grad

Function = Callable[..., Any]
rng = np.random.default_rng(0)


def seconds(run: Callable[[], Any], budget: float = 0.5) -> float:
    """CPU time of one call, the best of many."""
    run()
    best, spent = float("inf"), 0.0
    while spent < budget:
        start = time.process_time()
        run()
        took = time.process_time() - start
        best, spent = min(best, took), spent + max(took, 1e-4)
    return best


def peak(run: Callable[[], Any]) -> float:
    """The most memory in use while it runs, in MB, beyond what was in use before."""
    gc.collect()
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


def random_array(*shape: int, scale: float = 1.0, requires_grad: bool = True) -> MLArray:
    return MLArray(scale * rng.normal(size=shape), requires_grad)


# Times -----------------------------------------------------------------------------------------


def network(batch: int, width: int) -> tuple[Function, list[MLArray]]:
    """The loss of a perceptron with two hidden layers as a function of its weights."""
    x = random_array(batch, width, requires_grad=False)

    def loss(weights: list[Any]) -> Any:
        h = x
        for w in weights:
            h = (h @ w).tanh()
        return (h * h).mean()

    return loss, [random_array(width, width, scale=width**-0.5) for _ in range(3)]


def valley(x: list[Any]) -> Any:
    """Rosenbrock's function of Values."""
    total: Any = 0.0
    for a, b in pairwise(x):
        total = total + 100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2
    return total


def print_times() -> None:
    cases: list[tuple[str, Function, Any, Any]] = []
    for batch, width in ((8, 16), (64, 128), (512, 512)):
        loss, weights = network(batch, width)
        tangent = [random_array(*w.shape, requires_grad=False) for w in weights]
        cases.append((f"perceptron {batch} x {width}", loss, weights, tangent))
    cases.append(("valley of 200 Values", valley, [Value(0.1)] * 200, [1.0] * 200))
    print("milliseconds (in multiples of one recorded run of the function)")
    print(f"{'':22}{'run':>9}{'+ backward':>16}{'grad':>16}{'jvp':>16}{'hvp':>16}")
    for name, f, x, u in cases:
        base = seconds(lambda f=f, x=x: f(x))  # type: ignore[misc]
        row = [
            seconds(lambda f=f, x=x: f(x).backward()),  # type: ignore[misc]
            seconds(lambda f=f, x=x: grad(f)(x)),  # type: ignore[misc]
            seconds(lambda f=f, x=x, u=u: jvp(f, (x,), (u,))),  # type: ignore[misc]
            seconds(lambda f=f, x=x, u=u: hvp(f)(x, u)),  # type: ignore[misc]
        ]
        shown = "".join(f"{1e3 * t:10.3f} ({t / base:3.1f})" for t in row)
        print(f"{name:22}{1e3 * base:9.3f}{shown}")


# Memory ----------------------------------------------------------------------------------------


def array_valley(x: MLArray) -> MLArray:
    """Rosenbrock's function of an array."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def print_hvp() -> None:
    n = 2000
    x, v = random_array(n, requires_grad=False), random_array(n, requires_grad=False)
    with no_grad():
        product = np.array(hvp(array_valley)(x, v).to_list())
        full = np.array(hessian(array_valley)(x).to_list()) @ np.array(v.to_list())
        difference = np.abs(product - full).max() / np.abs(full).max()
        print(f"Rosenbrock's function at n = {n}: |hvp - hessian @ v| / |.| = {difference:.1e}")
        for name, run in [
            ("gradient", lambda: grad(array_valley)(x)),
            ("hvp", lambda: hvp(array_valley)(x, v)),
            ("hessian", lambda: hessian(array_valley)(x)),
        ]:
            print(f"  {name:9}{1e3 * seconds(run):10.2f} ms{peak(run):10.2f} MB")


def print_checkpoint() -> None:
    layers, pieces = 200, 14
    x, w = random_array(64, 64), random_array(64, 64, scale=0.1)

    def chain(x: Any, w: Any, count: int) -> Any:
        for _ in range(count):
            x = (x @ w).tanh() + x * 0.5
        return x

    def whole(x: Any, w: Any) -> Any:
        return (chain(x, w, layers) ** 2).sum()

    def cut(x: Any, w: Any) -> Any:
        for _ in range(pieces):
            x = checkpoint(chain)(x, w, layers // pieces)
        return (chain(x, w, layers % pieces) ** 2).sum()

    a, b = (np.array(grad(f)(x, w).to_list()) for f in (whole, cut))
    print(f"{layers} layers of 64 x 64: gradients differ by {np.abs(a - b).max():.1e}")
    for name, f in (("stored", whole), ("checkpointed", cut)):
        run = lambda f=f: grad(f)(x, w)  # noqa: E731
        print(f"  {name:13}{1e3 * seconds(run):10.2f} ms{peak(run):10.2f} MB")


def main() -> None:
    parts = {"times": print_times, "hvp": print_hvp, "checkpoint": print_checkpoint}
    chosen = sys.argv[1:] or list(parts)
    unknown = [name for name in chosen if name not in parts]
    if unknown:
        sys.exit(f"unknown part {unknown[0]!r}; expected some of {', '.join(parts)}")
    for name in chosen:
        parts[name]()


if __name__ == "__main__":
    main()
