"""Newton's method in PyTorch: read it beside examples/newton.py."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.func import grad_and_value, hessian
from torch.nn.functional import softplus

STUDY = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0]
SLEEP = [8.0, 5.5, 7.0, 6.0, 8.5, 5.0, 7.5, 4.5, 6.5, 8.0, 5.0, 7.0]
PASSED = [0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1]

DATA = torch.tensor([[1.0, a, b] for a, b in zip(STUDY, SLEEP, strict=True)], dtype=torch.float64)
SIGNS = torch.tensor([2.0 * passed - 1.0 for passed in PASSED], dtype=torch.float64)


def loss(w: torch.Tensor) -> torch.Tensor:
    """The sum of log(1 + exp(-sign w.x)), and a little |w|**2 to keep w bounded."""
    return softplus(-SIGNS * (DATA @ w)).sum() + 0.05 * (w * w).sum()


def newton(
    f: Callable[[torch.Tensor], torch.Tensor], start: list[float], steps: int = 20
) -> list[tuple[list[float], float, float]]:
    """The points on the way to a minimum of f, with f and the size of its gradient there."""
    x = torch.tensor(start, dtype=torch.float64)
    path = []
    for _ in range(steps):
        g, value = grad_and_value(f)(x)
        H = hessian(f)(x)
        path.append((x.tolist(), float(value), float(torch.linalg.norm(g))))
        step = torch.linalg.solve(H, -g)
        if torch.linalg.norm(step) <= 1e-15 * torch.linalg.norm(x):
            break
        x = x + step
    return path


def exponents(errors: list[float]) -> list[float]:
    """p in error[k + 1] = C error[k]**p, from each three errors in a row."""
    triples = zip(errors, errors[1:], errors[2:], strict=False)
    return [math.log(c / b) / math.log(b / a) for a, b, c in triples]


def main() -> None:
    """Print the errors on the way, and how fast they fall."""
    path = newton(loss, [0.0, 0.0, 0.0])
    minimum = path[-1][0]
    errors = [math.dist(w, minimum) for w, _, _ in path[:-1]]
    print("step   error       loss                 |gradient|")
    for k, (error, (_, value, slope)) in enumerate(zip(errors, path, strict=False)):
        print(f"{k:4}   {error:.3e}   {value:.15f}   {slope:.3e}")
    exact = [error for error in errors if error > 1e-14]  # below that it is rounding
    print(f"w = {minimum}")
    print(f"error[k + 1] is about C error[k]**p with p = {exponents(exact)[-1]:.2f}")


if __name__ == "__main__":
    main()
