"""A multilayer perceptron that learns to read digits: all of it, with no layer classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smolml import Adam, Generator, HeNormal, MLArray, cross_entropy, no_grad, relu, zeros
from smolml.demo.options import Options

PIXELS = 64
CLASSES = 10
NOISE = 0.5
"""How much normal noise is added to the scaled pixels while training: a network of this size could
learn 1,438 images by heart, but not when they look a little different each time."""


def initial_parameters(hidden: int, generator: Generator) -> list[MLArray]:
    """Weights and biases of two layers: W1 (64, hidden), b1, W2 (hidden, 10), b2.

    >>> [p.shape for p in initial_parameters(32, Generator(0))]
    [(64, 32), (32,), (32, 10), (10,)]
    """
    return [
        HeNormal.initialize(PIXELS, hidden, generator=generator),
        zeros(hidden),
        HeNormal.initialize(hidden, CLASSES, generator=generator),
        zeros(CLASSES),
    ]


def logits(images: MLArray, parameters: Sequence[MLArray]) -> MLArray:
    """relu(x W1 + b1) W2 + b2: for each image (a row) ten scores, one for each digit.

    >>> logits(zeros(5, 64), initial_parameters(32, Generator(0))).shape
    (5, 10)
    """
    W1, b1, W2, b2 = parameters
    return relu(images @ W1 + b1) @ W2 + b2


def train(
    parameters: Sequence[MLArray],
    images: MLArray,
    labels: Sequence[int],
    options: Options,
    generator: Generator,
) -> Iterator[float]:
    """Minimise the cross-entropy by Adam in mini-batches; yield the loss of every step.

    The learning rate falls from epoch to epoch, in a straight line towards 0.

    >>> images = MLArray([[0.0] * 64, [1.0] * 64], requires_grad=False)
    >>> generator = Generator(0)
    >>> parameters = initial_parameters(8, generator)
    >>> losses = list(train(parameters, images, [0, 1], Options(epochs=20), generator))
    >>> len(losses), losses[-1] < losses[0]
    (20, True)
    """
    optimizer = Adam(learning_rate=options.learning_rate)
    for epoch in range(options.epochs):
        optimizer.learning_rate = options.learning_rate * (1 - epoch / options.epochs)
        order = generator.permutation(len(labels))
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            x = images[batch]
            x = x + NOISE * generator.randn(x.shape, requires_grad=False)
            loss = cross_entropy(logits(x, parameters), [labels[i] for i in batch])
            optimizer.zero_grad(parameters)
            loss.backward()
            optimizer.step(parameters)
            yield loss.item()


def predict(images: MLArray, parameters: Sequence[MLArray]) -> list[int]:
    """The digit with the highest score, for each image.

    >>> parameters = [zeros(64, 4), zeros(4), zeros(4, 10), MLArray([0.0] * 7 + [1.0, 0.0, 0.0])]
    >>> predict(zeros(2, 64), parameters)
    [7, 7]
    """
    with no_grad():
        best: list[int] = logits(images, parameters).argmax(axis=1).to_list()
    return best
