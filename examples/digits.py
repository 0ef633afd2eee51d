"""Handwritten digits, all of it in front of your eyes: data, network, training, test.

A perceptron with one hidden layer reads the 1,797 8x8 images that come with scikit-learn (UCI,
Alpaydin & Kaynak 1998); a fifth of them is held out. `smolml demo digits` is the same with more to
see.

It prints the loss and the accuracy on the held-out images as they go, ends at about 97 % of
these, and shows three of them in letters, with what was read in them.

Run it: python examples/digits.py (needs smolml[demo])
The same in PyTorch: examples/pytorch/digits.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from smolml import Adam, Generator, HeNormal, MLArray, cross_entropy, no_grad, relu, track, zeros

HIDDEN, BATCH = 64, 32
Labels = np.ndarray[Any, np.dtype[np.int64]]


class Digits(NamedTuple):
    """Images as rows of 64 pixels from 0 to 1, and the digit that each of them shows."""

    x: MLArray
    t: Labels
    x_test: MLArray
    t_test: Labels


def load(seed: int) -> Digits:
    pixels, labels = load_digits(return_X_y=True)
    x = MLArray(pixels / 16.0, requires_grad=False)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = order[: len(labels) // 5], order[len(labels) // 5 :]
    return Digits(x[train], labels[train], x[test], labels[test])


def initial_parameters(seed: int) -> list[MLArray]:
    """Weights and biases of two layers: 64 - 64 - 10."""
    generator = Generator(seed)
    W1 = HeNormal.initialize(64, HIDDEN, generator=generator)
    W2 = HeNormal.initialize(HIDDEN, 10, generator=generator)
    return [W1, zeros(HIDDEN), W2, zeros(10)]


def logits(x: MLArray, parameters: Sequence[MLArray]) -> MLArray:
    """For each image ten scores, one for each digit."""
    W1, b1, W2, b2 = parameters
    return relu(x @ W1 + b1) @ W2 + b2


def accuracy(x: MLArray, t: Labels, parameters: Sequence[MLArray]) -> float:
    """The share of images in which the right digit has the highest score."""
    with no_grad():
        read = logits(x, parameters).argmax(axis=1)
    return float(np.mean(np.array(read) == t))


def train(
    parameters: Sequence[MLArray], digits: Digits, epochs: int, rng: np.random.Generator
) -> list[float]:
    """Minimise the cross-entropy by Adam in mini-batches; the mean loss of every epoch."""
    optimizer = Adam(learning_rate=0.003)
    for _ in (run := track(epochs, description="epoch", every=1)):
        order = rng.permutation(len(digits.t))
        total = 0.0
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss = cross_entropy(logits(digits.x[batch], parameters), digits.t[batch])
            optimizer.zero_grad(parameters)
            loss.backward()
            optimizer.step(parameters)
            total += loss.item() * len(batch)
        right = accuracy(digits.x_test, digits.t_test, parameters)
        run.report(loss=total / len(order), held_out=right)
    return run.history["loss"]


def in_letters(image: MLArray) -> list[str]:
    """Eight lines, two letters for each pixel: the darker the more of them is filled."""
    shades = " .:-=+*#%@"
    rows = image.reshape(8, 8).to_list()
    return ["".join(2 * shades[round(9 * pixel)] for pixel in row) for row in rows]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A perceptron that reads handwritten digits.")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the training set")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights and batches")
    options = parser.parse_args(argv)

    digits = load(options.seed)
    parameters = initial_parameters(options.seed)
    train(parameters, digits, options.epochs, np.random.default_rng(options.seed))

    some = [60, 130, 250]
    read = logits(digits.x_test[some], parameters).argmax(axis=1).to_list()
    print()
    for row in zip(*(in_letters(digits.x_test[i]) for i in some), strict=True):
        print("   |   ".join(row))
    print("   |   ".join(f"read as {digit}".center(16) for digit in read))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
