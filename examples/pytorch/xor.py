"""XOR in PyTorch, one number at a time: read it beside examples/xor.py."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

INPUTS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
TARGETS = [0.0, 1.0, 1.0, 0.0]
HIDDEN = 4


def initial_parameters(seed: int) -> list[torch.Tensor]:
    """For each neuron two weights, a bias and the weight of its output; one last bias."""
    rng = random.Random(seed)
    return [torch.tensor(rng.gauss(0.0, 1.0), requires_grad=True) for _ in range(4 * HIDDEN + 1)]


def score(x: tuple[float, float], parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    """The logit of "one of them, not both"."""
    total = parameters[-1]
    for i in range(0, 4 * HIDDEN, 4):
        w1, w2, b, out = parameters[i : i + 4]
        total = total + out * (w1 * x[0] + w2 * x[1] + b).tanh()
    return total


def train(parameters: Sequence[torch.Tensor], steps: int) -> list[float]:
    """Minimise the mean cross-entropy of the four rows; the loss of every step."""
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    losses = []
    for _ in range(steps):
        scores = torch.stack([score(x, parameters) for x in INPUTS])
        loss = binary_cross_entropy_with_logits(scores, torch.tensor(TARGETS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    torch.set_default_dtype(torch.float64)
    parameters = initial_parameters(seed=0)
    losses = train(parameters, steps=500)
    print(f"loss: {losses[0]:.3f} at first, {losses[-1]:.3f} after {len(losses)} steps\n")
    print("  a  b | a xor b | learned")
    for x, t in zip(INPUTS, TARGETS, strict=True):
        learned = score(x, parameters).sigmoid().item()
        print(f"  {x[0]:.0f}  {x[1]:.0f} |    {t:.0f}    |  {learned:.3f}")


if __name__ == "__main__":
    main()
