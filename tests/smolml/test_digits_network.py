"""The network of the digits demo and its data, against NumPy and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from smolml import Generator, use_backend
from smolml.demo.data import load, stratified_split
from smolml.demo.digits import NOISE, initial_parameters, predict, train
from smolml.demo.options import Options

SHORT = Options(epochs=2, batch_size=256, hidden=8)


def _losses(options: Options, backend: str = "numpy") -> list[float]:
    with use_backend(backend):
        generator = Generator(options.seed)
        digits = load(generator)
        parameters = initial_parameters(options.hidden, generator)
        return list(train(parameters, digits.train_images, digits.train_labels, options, generator))


def _numpy_losses(options: Options) -> list[float]:
    """The same network and Adam (Kingma & Ba 2015, algorithm 1) by hand."""
    generator = Generator(options.seed)
    digits = load(generator)
    W1, b1, W2, b2 = (np.array(p) for p in initial_parameters(options.hidden, generator))
    x_all, y_all = np.array(digits.train_images), np.array(digits.train_labels)
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in (W1, b1, W2, b2)]
    losses, t = [], 0
    for epoch in range(options.epochs):
        order = generator.permutation(len(y_all))
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            noise = np.array(generator.randn(len(batch), 64))
            x, y = x_all[batch] + NOISE * noise, np.eye(10)[y_all[batch]]
            pre = x @ W1 + b1
            h = np.where(pre > 0, pre, 0.0)
            z = h @ W2 + b2
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            losses.append(float(-np.log((p * y).sum(axis=1)).mean()))
            dz = (p - y) / len(batch)
            dh = (dz @ W2.T) * (pre > 0)
            t += 1
            rate = options.learning_rate * (1 - epoch / options.epochs)
            gradients = (x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0))
            for w, g, mv in zip((W1, b1, W2, b2), gradients, moments, strict=True):
                mv[0] = 0.9 * mv[0] + 0.1 * g
                mv[1] = 0.999 * mv[1] + 0.001 * g * g
                w -= rate * (mv[0] / (1 - 0.9**t)) / (np.sqrt(mv[1] / (1 - 0.999**t)) + 1e-8)
    return losses


def test_training_is_what_numpy_by_hand_does() -> None:
    assert _losses(SHORT) == pytest.approx(_numpy_losses(SHORT), rel=1e-9)


def test_both_backends_give_the_same_losses() -> None:
    assert _losses(SHORT, "pure") == pytest.approx(_losses(SHORT, "numpy"), rel=0, abs=1e-6)


def test_the_seed_decides_the_numbers() -> None:
    losses = _losses(SHORT)
    assert _losses(SHORT) == losses
    assert _losses(Options(epochs=2, batch_size=256, hidden=8, seed=1)) != losses


def test_the_loss_goes_down() -> None:
    losses = _losses(Options(epochs=4, hidden=32))
    steps = len(losses) // 4
    means = [sum(losses[i : i + steps]) / steps for i in range(0, len(losses), steps)]
    assert len(means) == 4
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.3 * means[0]


def test_one_batch_may_hold_everything() -> None:
    assert len(_losses(Options(epochs=3, batch_size=100_000, hidden=4))) == 3


def test_prediction_is_the_digit_with_the_highest_score() -> None:
    generator = Generator(3)
    digits = load(generator)
    parameters = initial_parameters(16, generator)
    W1, b1, W2, b2 = (np.array(p) for p in parameters)
    scores = np.maximum(np.array(digits.test_images) @ W1 + b1, 0) @ W2 + b2
    assert predict(digits.test_images, parameters) == scores.argmax(axis=1).tolist()


def test_the_data_are_the_images_scaled_by_the_training_set() -> None:
    pixels, target = load_digits(return_X_y=True)
    digits = load(Generator(0))
    train_set, test_set = stratified_split(target.tolist(), 0.2, Generator(0))
    assert digits.train_labels == target[train_set].tolist()
    assert digits.test_labels == target[test_set].tolist()
    images = np.array(digits.train_images)
    assert images.mean() == pytest.approx(0.0, abs=1e-12)
    assert images.std() == pytest.approx(1.0)
    std, mean = pixels[train_set].std(), pixels[train_set].mean()
    np.testing.assert_allclose(
        np.array(digits.test_images) * std + mean, pixels[test_set], atol=1e-9
    )
    assert not digits.train_images.requires_grad


@given(
    st.lists(st.integers(0, 4), max_size=60),
    st.floats(0.0, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_a_split_holds_out_the_same_share_of_each_class(
    labels: list[int], fraction: float, seed: int
) -> None:
    train_set, test_set = stratified_split(labels, fraction, Generator(seed))
    assert sorted(train_set + test_set) == list(range(len(labels)))
    for label in set(labels):
        held_out = sum(labels[i] == label for i in test_set)
        assert abs(held_out - fraction * labels.count(label)) <= 0.5
    assert stratified_split(labels, fraction, Generator(seed)) == (train_set, test_set)


def test_a_split_depends_on_the_seed() -> None:
    labels = [0, 1] * 50
    assert stratified_split(labels, 0.2, Generator(0)) != stratified_split(
        labels, 0.2, Generator(1)
    )
