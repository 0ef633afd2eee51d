"""A character RNN whose loop is written out, `for x in X`, beside the same in PyTorch.

Run it: hatch run bench-torch:rnn [--steps N] [--rounds N]. Both run on one
thread, in float64 and eagerly: forward and backward, medians of interleaved runs of one process.
The gradients are compared first.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported

import numpy as np

from benchmarks.timing import medians
from smolml_array import MLArray, stack
from smolml_utils import cross_entropy

LETTERS = 64
BOUND = 1.5  # times PyTorch
Step = Callable[[], Any]  # the gradients


def parameters(hidden: int) -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = (LETTERS, hidden), (hidden, hidden), (hidden,), (hidden, LETTERS), (LETTERS,)
    return [rng.normal(size=shape) / hidden**0.5 for shape in shapes]


def text(steps: int) -> tuple[Any, Any]:
    """Letters as rows with a single one, and the letters that follow."""
    letters = np.random.default_rng(1).integers(0, LETTERS, steps + 1)
    return np.eye(LETTERS)[letters[:-1]], letters[1:]


def states(X: Any, h: Any, w: Any, u: Any, b: Any) -> list[Any]:
    found = []
    for x in X:
        h = (x @ w + h @ u + b).tanh()
        found.append(h)
    return found


def ours(hidden: int, steps: int) -> Step:
    params = [MLArray(p) for p in parameters(hidden)]
    rows, following = text(steps)
    X = MLArray(rows, requires_grad=False)
    targets = MLArray(following, dtype="int64")
    start = MLArray(np.zeros(hidden), requires_grad=False)

    def step() -> list[Any]:
        w, u, b, out, c = params
        for p in params:
            p.zero_grad()
        logits = stack(states(X, start, w, u, b)) @ out + c
        cross_entropy(logits, targets).backward()
        return [np.asarray(p.grad()) for p in params]

    return step


def theirs(hidden: int, steps: int) -> Step:
    import torch

    torch.set_num_threads(1)
    params = [torch.tensor(p, requires_grad=True) for p in parameters(hidden)]
    rows, following = text(steps)
    X, targets = torch.tensor(rows), torch.tensor(following)
    start = torch.zeros(hidden, dtype=torch.float64)

    def step() -> list[Any]:
        w, u, b, out, c = params
        for p in params:
            p.grad = None
        logits = torch.stack(states(X, start, w, u, b)) @ out + c
        torch.nn.functional.cross_entropy(logits, targets).backward()
        return [p.grad.numpy() for p in params if p.grad is not None]

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not find_spec("torch"):
        raise SystemExit("PyTorch is not installed: hatch run bench-torch:rnn")
    print(f"{options.steps} steps, {LETTERS} letters, one thread\n")
    print(f"{'hidden':>8}  {'SmolML':>9}  {'PyTorch':>9}  ratio")
    for hidden in (64, 96, 128):
        runs = {"SmolML": ours(hidden, options.steps), "PyTorch": theirs(hidden, options.steps)}
        for own, other in zip(*(run() for run in runs.values()), strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-9)
        times = medians(runs, options.rounds)
        ratio = times["SmolML"] / times["PyTorch"]
        shown = "  ".join(f"{1e3 * t:6.0f} ms" for t in times.values())
        print(f"{hidden:8}  {shown}  {ratio:5.2f}{'' if ratio <= BOUND else f'  past {BOUND}'}")


if __name__ == "__main__":
    main()
