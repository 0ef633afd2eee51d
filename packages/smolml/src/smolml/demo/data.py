"""The handwritten digits: loaded, split into training and test sets, scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sklearn.datasets import load_digits

from smolml import Generator, MLArray

TEST_FRACTION = 0.2


class Digits(NamedTuple):
    """Images as rows of 64 pixels, scaled, and the digit that each of them shows."""

    train_images: MLArray
    train_labels: list[int]
    test_images: MLArray
    test_labels: list[int]


def stratified_split(
    labels: Sequence[int], fraction: float, generator: Generator
) -> tuple[list[int], list[int]]:
    """Positions for training and for testing; the same fraction of each class is for testing.

    >>> train, test = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], 0.25, Generator(0))
    >>> len(train), [0 <= test[0] < 4, 4 <= test[1] < 8]
    (6, [True, True])
    """
    train: list[int] = []
    test: list[int] = []
    for wanted in sorted(set(labels)):
        members = [i for i, label in enumerate(labels) if label == wanted]
        shuffled = [members[i] for i in generator.permutation(len(members))]
        n_test = round(fraction * len(members))
        test += shuffled[:n_test]
        train += shuffled[n_test:]
    return sorted(train), sorted(test)


def load(generator: Generator) -> Digits:
    """The 1,797 8x8 images that come with scikit-learn, a fifth of each digit held out.

    Pixels are scaled by (pixel - mean) / std, with the mean and the standard deviation of all
    training pixels: nothing of the test set goes into training.

    Source: E. Alpaydin & C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, https://doi.org/10.24432/C50P49.

    >>> from smolml.demo.data import load
    >>> digits = load(Generator(0))
    >>> digits.train_images.shape, digits.test_images.shape
    ((1438, 64), (359, 64))
    """
    pixels, target = load_digits(return_X_y=True)
    labels: list[int] = target.tolist()
    train, test = stratified_split(labels, TEST_FRACTION, generator)
    mean, std = pixels[train].mean(), pixels[train].std()
    scaled = (pixels - mean) / std
    return Digits(
        MLArray(scaled[train].tolist(), requires_grad=False),
        [labels[i] for i in train],
        MLArray(scaled[test].tolist(), requires_grad=False),
        [labels[i] for i in test],
    )
