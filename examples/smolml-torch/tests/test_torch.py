"""The backend agrees with the pure one in everything, and trains as NumPy does."""

from __future__ import annotations

import pickle

import pytest
import torch

import smolml_torch
from smolml import Adam, Generator, MLArray, cross_entropy, use_backend
from smolml.demo.data import load
from smolml.demo.digits import initial_parameters, train
from smolml.demo.options import Options
from smolml_array.extending import get_backend
from smolml_array.testing import check_backend


def test_it_is_found_by_its_name() -> None:
    found: object = get_backend("torch")
    assert found is smolml_torch.BACKEND


def test_every_function_agrees_with_the_pure_backend() -> None:
    check_backend("torch")


def _losses(backend: str) -> list[float]:
    with use_backend(backend):
        generator = Generator(3)
        x = generator.randn(40, 8, requires_grad=False)
        labels = [i % 3 for i in range(40)]
        parameters = [generator.randn(8, 16), generator.randn(16, 3)]
        optimizer = Adam(learning_rate=0.05)
        found = []
        for _ in range(20):
            loss = cross_entropy((x @ parameters[0]).tanh() @ parameters[1], labels)
            optimizer.zero_grad(parameters)
            loss.backward()
            optimizer.step(parameters)
            found.append(loss.item())
    return found


def test_training_is_the_same_as_on_numpy() -> None:
    ours = _losses("torch")
    assert ours[-1] < 0.5 * ours[0]
    assert ours == pytest.approx(_losses("numpy"), abs=1e-9)


def _digits_losses(backend: str) -> list[float]:
    with use_backend(backend):
        generator, options = Generator(0), Options(epochs=1)
        digits = load(generator)
        parameters = initial_parameters(options.hidden, generator)
        images, labels = digits.train_images, digits.train_labels
        return list(train(parameters, images, labels, options, generator))


def test_the_digits_demo_has_the_same_losses_as_on_numpy() -> None:
    ours = _digits_losses("torch")
    assert ours[-1] < 0.5 * ours[0]
    assert ours == pytest.approx(_digits_losses("numpy"), abs=1e-6)


def test_tensors_go_in_and_come_out() -> None:
    t = torch.tensor([[1.0, 2.0]], dtype=torch.float32)
    x = MLArray(t, backend="torch")
    assert x.to_list() == [[1.0, 2.0]]
    assert x.dtype.name == "float32"
    again = pickle.loads(pickle.dumps(x))
    assert (again.backend, again.to_list()) == ("torch", [[1.0, 2.0]])
    assert MLArray([1.0], backend="numpy").to_backend("torch").to_list() == [1.0]
