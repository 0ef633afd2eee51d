"""Newton's method: the number of correct digits doubles with every step.

A step solves H s = -g, H being the hessian and g the gradient, both exact derivatives of the
function as it is written down. Here the function is the loss of a logistic regression: which
hours of study and sleep go with a passed exam?

It prints step by step how far it is from the minimum, and the exponent p in
error[k + 1] = C error[k]**p: close to 2.

Run it: python examples/newton.py
The same in PyTorch: examples/pytorch/newton.py
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence

import numpy as np

from smolml_array import MLArray
from smolml_value import hessian, value_and_grad

STUDY = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0]
SLEEP = [8.0, 5.5, 7.0, 6.0, 8.5, 5.0, 7.5, 4.5, 6.5, 8.0, 5.0, 7.0]
PASSED = [0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1]

DATA = MLArray([[1.0, a, b] for a, b in zip(STUDY, SLEEP, strict=True)], requires_grad=False)
SIGNS = MLArray([2.0 * passed - 1.0 for passed in PASSED], requires_grad=False)


def loss(w: MLArray) -> MLArray:
    """The sum of log(1 + exp(-sign w.x)), and a little |w|**2 to keep w bounded."""
    return (-SIGNS * (DATA @ w)).softplus().sum() + 0.05 * (w * w).sum()


def newton(
    f: Callable[[MLArray], MLArray], start: list[float], steps: int = 20
) -> list[tuple[list[float], float, float]]:
    """The points on the way to a minimum of f, with f and the size of its gradient there."""
    x = np.array(start)
    path = []
    for _ in range(steps):
        point = MLArray(x, requires_grad=False)
        value, gradient = value_and_grad(f)(point)
        g, H = np.array(gradient.to_list()), np.array(hessian(f)(point).to_list())
        path.append((x.tolist(), float(value), float(np.linalg.norm(g))))
        step = np.linalg.solve(H, -g)
        if np.linalg.norm(step) <= 1e-15 * np.linalg.norm(x):
            break
        x = x + step
    return path


def exponents(errors: list[float]) -> list[float]:
    """p in error[k + 1] = C error[k]**p, from each three errors in a row."""
    triples = zip(errors, errors[1:], errors[2:], strict=False)
    return [math.log(c / b) / math.log(b / a) for a, b, c in triples]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the errors on the way, and how fast they fall."""
    parser = argparse.ArgumentParser(description="Newton's method on a logistic regression.")
    parser.add_argument("--steps", type=int, default=20, help="steps at most, at least 5")
    options = parser.parse_args(argv)
    if options.steps < 5:
        parser.error(f"--steps must be at least 5 to see how fast it falls, not {options.steps}")

    path = newton(loss, [0.0, 0.0, 0.0], options.steps)
    minimum = path[-1][0]
    errors = [math.dist(w, minimum) for w, _, _ in path[:-1]]
    print("step   error       loss                 |gradient|")
    for k, (error, (_, value, slope)) in enumerate(zip(errors, path, strict=False)):
        print(f"{k:4}   {error:.3e}   {value:.15f}   {slope:.3e}")
    exact = [error for error in errors if error > 1e-14]  # below that it is rounding
    print(f"w = {minimum}")
    print(f"error[k + 1] is about C error[k]**p with p = {exponents(exact)[-1]:.2f}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
