"""Training with all of it: every optimizer learns, backends agree, memory stays flat."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from smolml_array import Generator, MLArray, use_backend
from smolml_utils import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    HeNormal,
    Optimizer,
    RMSProp,
    SGDMomentum,
    XavierUniform,
    bce_with_logits,
    constant,
    cross_entropy,
    mse_loss,
    relu,
    tanh,
)
from smolml_value import Value
from tests.utils.helpers import random_array

OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "SGD": lambda: SGD(1.0),
    "SGDMomentum": lambda: SGDMomentum(0.3),
    "AdaGrad": lambda: AdaGrad(0.3),
    "RMSProp": lambda: RMSProp(0.02),
    "Adam": lambda: Adam(0.05),
    "AdamW": lambda: AdamW(0.05, weight_decay=1e-3),
}
XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_xor(name: str, backend: str) -> None:
    generator = Generator(1)
    w1, b1 = XavierUniform.initialize(2, 8, generator=generator), constant(8)
    w2, b2 = XavierUniform.initialize(8, 1, generator=generator), constant(1)
    params = [w1, b1, w2, b2]
    x, optimizer = MLArray(XOR, requires_grad=False), OPTIMIZERS[name]()
    for _ in range(300):
        optimizer.zero_grad(params)
        loss = bce_with_logits(tanh(x @ w1 + b1) @ w2 + b2, [[0], [1], [1], [0]])
        loss.backward()
        optimizer.step(params)
    assert loss.item() < 0.1


def test_a_neuron_of_values_learns_and() -> None:
    w, b = [Value(0.1), Value(-0.1)], Value(0.0)
    optimizer = Adam(0.2)
    for _ in range(100):
        optimizer.zero_grad([*w, b])
        loss = Value(0.0)
        for (p, q), target in zip(XOR, (0, 0, 0, 1), strict=True):
            loss = loss + bce_with_logits(w[0] * p + w[1] * q + b, target)
        loss.backward()
        optimizer.step([*w, b])
    assert loss.data < 0.5


def _losses(backend: str, steps: int) -> list[float]:
    with use_backend(backend):
        generator = Generator(3)
        params = [
            HeNormal.initialize(5, 7, generator=generator),
            constant(7),
            HeNormal.initialize(7, 3, generator=generator),
            constant(3),
        ]
        x = MLArray(random_array((12, 5), 4).tolist(), requires_grad=False)
        labels, losses = [i % 3 for i in range(12)], []
        optimizer = AdamW(0.01)
        for _ in range(steps):
            w1, b1, w2, b2 = params
            loss = cross_entropy(relu(x @ w1 + b1) @ w2 + b2, labels)
            loss.backward()
            optimizer.step(params)
            for p in params:
                p.restart()
            losses.append(loss.item())
    return losses


def test_both_backends_and_both_runs_give_the_same_losses() -> None:
    numpy = _losses("numpy", 30)
    np.testing.assert_allclose(_losses("pure", 30), numpy, rtol=1e-10)
    assert _losses("numpy", 30) == numpy
    assert numpy[-1] < numpy[0]


class _Layer:
    """A layer as in the original lessons: its optimizer gives it new parameters."""

    def __init__(self, n_in: int, n_out: int, generator: Generator) -> None:
        self.weights = XavierUniform.initialize(n_in, n_out, generator=generator)
        self.biases = constant(n_out)

    def __call__(self, x: MLArray) -> MLArray:
        return x @ self.weights + self.biases

    def update(self, optimizer: Optimizer, idx: int) -> None:
        self.weights, self.biases = optimizer.update(self, idx, ("weights", "biases"))


def test_the_loop_of_the_original_lessons(backend: str) -> None:
    generator = Generator(5)
    layers = [_Layer(2, 6, generator), _Layer(6, 1, generator)]
    x, y = MLArray.ensure_array(XOR, [[0.0], [1.0], [1.0], [0.0]])
    optimizer = Adam(learning_rate=0.05)
    losses = []
    for _ in range(150):
        loss = mse_loss(layers[1](tanh(layers[0](x))), y)
        loss.backward()
        for i, layer in enumerate(layers):
            layer.update(optimizer, i)
        x.restart()
        y.restart()
        losses.append(loss.item())
    assert losses[-1] < 0.01 < losses[0]
    assert len(optimizer._named_states) == 4


@pytest.mark.parametrize(("by_update", "steps"), [(False, 1000), (True, 250)])
def test_memory_does_not_grow(by_update: bool, steps: int) -> None:
    with use_backend("numpy"):
        generator = Generator(6)
        layers = [_Layer(8, 16, generator), _Layer(16, 4, generator)]
        x = MLArray(random_array((16, 8), 7), requires_grad=False)
        labels = np.arange(16) % 4
        optimizer = Adam(0.01)

        def train(count: int) -> None:
            for _ in range(count):
                loss = cross_entropy(layers[1](relu(layers[0](x))), labels)
                loss.backward()
                params = [p for layer in layers for p in (layer.weights, layer.biases)]
                if by_update:
                    for i, layer in enumerate(layers):
                        layer.update(optimizer, i)
                else:
                    optimizer.step(params)
                    optimizer.zero_grad(params)

        grown = []
        gc.disable()  # nothing may depend on the garbage collector
        tracemalloc.start()
        try:
            train(200)
            gc.collect()
            for _ in range(3):  # what leaks does so each time; another thread may allocate once
                before = tracemalloc.get_traced_memory()[0]
                train(steps)
                garbage = gc.collect()  # also empties the interpreter's stores of tuples for reuse
                grown.append(tracemalloc.get_traced_memory()[0] - before)
                assert garbage == 0
        finally:
            tracemalloc.stop()
            gc.enable()
    # An array kept at each step would be 200 bytes a step at least, the graph 20,000; what is left
    # are caches that fill up.
    assert min(grown) < 80 * steps
