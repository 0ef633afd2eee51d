"""A convolutional network in PyTorch: read it beside examples/conv_digits.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import conv2d, cross_entropy, max_pool2d, relu

KERNELS, BATCH = 16, 32


class Digits(NamedTuple):
    """Images of 8x8 pixels from 0 to 1, and the digit that each of them shows."""

    x: torch.Tensor
    t: torch.Tensor
    x_test: torch.Tensor
    t_test: torch.Tensor


def load(seed: int) -> Digits:
    pixels, labels = map(torch.tensor, load_digits(return_X_y=True))
    x = pixels.reshape(-1, 8, 8) / 16.0
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = order[: len(labels) // 5], order[len(labels) // 5 :]
    return Digits(x[train], labels[train], x[test], labels[test])


def initial_parameters(seed: int) -> list[torch.Tensor]:
    """The kernels, as columns of 3x3 weights, and a dense layer; both with their biases."""
    generator = torch.Generator().manual_seed(seed)
    K, W = torch.empty(9, KERNELS), torch.empty(16 * KERNELS, 10)
    torch.nn.init.kaiming_normal_(K.T, generator=generator)
    torch.nn.init.kaiming_normal_(W.T, generator=generator)
    return [p.requires_grad_() for p in (K, torch.zeros(KERNELS), W, torch.zeros(10))]


def convolution(x: torch.Tensor, K: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(n, 8, 8) -> (n, kernels, 8, 8): the window around every pixel times every kernel."""
    return conv2d(x[:, None], K.T.reshape(KERNELS, 1, 3, 3), b, padding=1)


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """(n, kernels, 8, 8) -> (n, 4, 4, kernels): the largest of each 2x2 block."""
    return max_pool2d(x, 2).permute(0, 2, 3, 1)


def logits(x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    """For each image ten scores, one for each digit."""
    K, b1, W, b2 = parameters
    h = max_pool(relu(convolution(x, K, b1)))
    return h.reshape(len(x), -1) @ W + b2


def accuracy(x: torch.Tensor, t: torch.Tensor, parameters: Sequence[torch.Tensor]) -> float:
    """The share of images in which the right digit has the highest score."""
    with torch.no_grad():
        read = logits(x, parameters).argmax(dim=1)
    return float((read == t).double().mean())


def train(
    parameters: Sequence[torch.Tensor], digits: Digits, epochs: int, rng: np.random.Generator
) -> list[float]:
    """Minimise the cross-entropy by Adam in mini-batches; the mean loss of every epoch."""
    optimizer = torch.optim.Adam(parameters, lr=0.003)
    losses = []
    for epoch in range(epochs):
        order = rng.permutation(len(digits.t))
        total = 0.0
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss = cross_entropy(logits(digits.x[batch], parameters), digits.t[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(order))
        right = accuracy(digits.x_test, digits.t_test, parameters)
        print(f"epoch {epoch + 1:2}  loss {losses[-1]:.3f}  held out {right:.1%}")
    return losses


def main() -> None:
    torch.set_default_dtype(torch.float64)
    digits = load(seed=0)
    parameters = initial_parameters(seed=0)
    train(parameters, digits, epochs=15, rng=np.random.default_rng(0))


if __name__ == "__main__":
    main()
