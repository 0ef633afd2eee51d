"""Regression on real data in PyTorch: read it beside examples/regression.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch.nn.functional import mse_loss

HIDDEN = 8
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Model = Callable[[torch.Tensor, Sequence[torch.Tensor]], torch.Tensor]


class Data(NamedTuple):
    """Measurements as rows and the progression of the disease, both scaled by the training set."""

    x: torch.Tensor
    t: torch.Tensor
    x_test: torch.Tensor
    t_test: torch.Tensor


def load(seed: int) -> Data:
    x, t = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.default_rng(seed).permutation(len(t))
    test, train = order[: len(t) // 5], order[len(t) // 5 :]
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    t = (t - t[train].mean()) / t[train].std()
    return Data(*map(torch.tensor, (x[train], t[train], x[test], t[test])))


def least_squares(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The w that minimises |x w + b - t|^2, b last: the solution of A^T A w = A^T t."""
    A = torch.column_stack([x, torch.ones(len(x))])
    return torch.linalg.solve(A.T @ A, A.T @ t)


def linear(x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    w, b = parameters
    return x @ w + b


def network(x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    W1, b1, w2, b2 = parameters
    return torch.tanh(x @ W1 + b1) @ w2 + b2


def network_parameters(seed: int) -> list[torch.Tensor]:
    torch.manual_seed(seed)
    W1, w2 = torch.empty(10, HIDDEN), torch.empty(HIDDEN, 1)
    torch.nn.init.xavier_normal_(W1)
    torch.nn.init.xavier_normal_(w2)
    parameters = [W1, torch.zeros(HIDDEN), w2[:, 0].clone(), torch.zeros(())]
    return [p.requires_grad_() for p in parameters]


def train(
    model: Model,
    parameters: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    t: torch.Tensor,
    steps: int,
) -> list[float]:
    """Minimise the mean squared error over all patients; the loss of every step."""
    losses = []
    for _ in range(steps):
        loss = mse_loss(model(x, parameters), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def r_squared(predicted: torch.Tensor, t: torch.Tensor) -> float:
    """The share of the variance that is explained: 1 - |t - predicted|^2 / |t - mean|^2."""
    return float(1.0 - ((t - predicted) ** 2).sum() / ((t - t.mean()) ** 2).sum())


def main() -> None:
    torch.set_default_dtype(torch.float64)
    data = load(seed=0)
    closed = least_squares(data.x, data.t)
    w, b = torch.zeros(10, requires_grad=True), torch.zeros((), requires_grad=True)
    train(linear, [w, b], torch.optim.SGD([w, b], 0.05, momentum=0.9), data.x, data.t, 2000)
    layers = network_parameters(seed=0)
    train(network, layers, torch.optim.AdamW(layers, 0.01, weight_decay=0.1), data.x, data.t, 200)
    with torch.no_grad():
        predicted = linear(data.x_test, [w, b])
        by_network = network(data.x_test, layers)
        descended = torch.cat([w, b[None]])

    by_closed_form = data.x_test @ closed[:-1] + closed[-1]
    print("held-out R^2")
    print(f"  least squares, in closed form  {r_squared(by_closed_form, data.t_test):.4f}")
    print(f"  linear, by gradient descent    {r_squared(predicted, data.t_test):.4f}")
    print(f"  network with {HIDDEN} tanh neurons    {r_squared(by_network, data.t_test):.4f}")
    print(f"largest difference of the coefficients: {(descended - closed).abs().max():.1e}")


if __name__ == "__main__":
    main()
