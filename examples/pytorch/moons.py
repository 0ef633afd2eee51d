"""Two moons in PyTorch: read it beside examples/moons.py, which also draws the boundary."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sklearn.datasets import make_moons
from torch.nn.functional import relu

WIDTH = 16
DECAY = 1e-4


def initial_parameters(seed: int) -> list[torch.Tensor]:
    """Weights and biases of three layers: 2 - 16 - 16 - 1."""
    parameters = []
    generator = torch.Generator().manual_seed(seed)
    for n_in, n_out in [(2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]:
        W = torch.empty(n_in, n_out, requires_grad=True)
        torch.nn.init.kaiming_normal_(W.T, generator=generator)
        parameters += [W, torch.zeros(n_out, requires_grad=True)]
    return parameters


def score(x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    """Positive for the one moon, negative for the other; one number for each row of x."""
    W1, b1, W2, b2, W3, b3 = parameters
    h = relu(x @ W1 + b1)
    h = relu(h @ W2 + b2)
    return (h @ W3 + b3).squeeze(-1)


def train(
    parameters: Sequence[torch.Tensor], x: torch.Tensor, t: torch.Tensor, steps: int
) -> tuple[list[float], list[float]]:
    """Minimise the mean of relu(1 - t score); the losses and the accuracies of all steps."""
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    losses, accuracies = [], []
    for step in range(steps):
        margins = t * score(x, parameters)
        loss = relu(1.0 - margins).mean()
        loss = loss + DECAY * sum((p * p).sum() for p in parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 1.0 - 0.9 * step / steps
        optimizer.step()
        losses.append(loss.item())
        accuracies.append((margins > 0.0).double().mean().item())
        if step % 20 == 0 or step == steps - 1:
            print(f"step {step:3}  loss {losses[-1]:.3f}  accuracy {accuracies[-1]:.0%}")
    return losses, accuracies


def main() -> None:
    torch.set_default_dtype(torch.float64)
    points, moon = make_moons(n_samples=100, noise=0.1, random_state=0)
    x = torch.tensor(points)
    t = torch.tensor(2.0 * moon - 1.0)  # -1 for the one moon, 1 for the other
    train(initial_parameters(seed=0), x, t, steps=200)


if __name__ == "__main__":
    main()
