"""The examples and the same programs in PyTorch, step by step from the same weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons

from examples import char_gpt, conv_digits, digits, moons, newton, regression, xor
from examples.pytorch import char_gpt as torch_char_gpt
from examples.pytorch import conv_digits as torch_conv_digits
from examples.pytorch import digits as torch_digits
from examples.pytorch import moons as torch_moons
from examples.pytorch import newton as torch_newton
from examples.pytorch import regression as torch_regression
from examples.pytorch import xor as torch_xor
from smolml import AdamW, MLArray, SGDMomentum, zeros


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def twins(parameters: Sequence[MLArray]) -> list[torch.Tensor]:
    """The same weights as leaves of PyTorch."""
    return [torch.tensor(np.array(p), requires_grad=True) for p in parameters]


def assert_same(ours: Sequence[float], theirs: Sequence[float], tolerance: float = 1e-9) -> None:
    assert ours[-1] != ours[0], "nothing was learned"
    np.testing.assert_allclose(ours, theirs, rtol=tolerance)


def test_xor() -> None:
    parameters = xor.initial_parameters(seed=1)
    theirs = [torch.tensor(p.data, requires_grad=True) for p in parameters]
    assert_same(xor.train(parameters, steps=50), torch_xor.train(theirs, steps=50))


def test_moons() -> None:
    points, moon = make_moons(n_samples=100, noise=0.1, random_state=1)
    parameters = moons.initial_parameters(seed=1)
    theirs = twins(parameters)
    x, t = MLArray(points, requires_grad=False), MLArray(2.0 * moon - 1.0, requires_grad=False)
    ours, our_accuracies = moons.train(parameters, x, t, steps=20)
    losses, accuracies = torch_moons.train(
        theirs, torch.tensor(points), torch.tensor(2.0 * moon - 1.0), steps=20
    )
    assert_same(ours, losses)
    assert our_accuracies == accuracies


def test_regression() -> None:
    data, theirs = regression.load(seed=1), torch_regression.load(seed=1)
    x, t = MLArray(data.x, requires_grad=False), MLArray(data.t, requires_grad=False)
    for ours, other in zip(data, theirs, strict=True):
        np.testing.assert_array_equal(ours, other.numpy())

    w = [zeros(10), zeros(())]
    v = twins(w)
    assert_same(
        regression.train(regression.linear, w, SGDMomentum(0.05), x, t, 50),
        torch_regression.train(
            torch_regression.linear,
            v,
            torch.optim.SGD(v, 0.05, momentum=0.9),
            *(theirs.x, theirs.t, 50),
        ),
    )
    w = regression.network_parameters(seed=1)
    v = twins(w)
    assert_same(
        regression.train(regression.network, w, AdamW(0.01, weight_decay=0.1), x, t, 50),
        torch_regression.train(
            torch_regression.network,
            v,
            torch.optim.AdamW(v, 0.01, weight_decay=0.1),
            *(theirs.x, theirs.t, 50),
        ),
    )


def test_digits() -> None:
    parameters = digits.initial_parameters(seed=1)
    theirs = twins(parameters)
    assert_same(
        digits.train(parameters, digits.load(1), 2, np.random.default_rng(1)),
        torch_digits.train(theirs, torch_digits.load(1), 2, np.random.default_rng(1)),
    )


def test_conv_digits() -> None:
    parameters = conv_digits.initial_parameters(seed=1)
    theirs = twins(parameters)
    assert_same(
        conv_digits.train(parameters, conv_digits.load(1), 2, np.random.default_rng(1)),
        torch_conv_digits.train(theirs, torch_conv_digits.load(1), 2, np.random.default_rng(1)),
    )


def test_char_gpt() -> None:
    alphabet, ids, _ = char_gpt.load()
    p = char_gpt.initial_parameters(len(alphabet), seed=1, dtype="float64")
    theirs = dict(zip(p, twins(list(p.values())), strict=True))
    assert_same(
        char_gpt.train(p, ids, 6, np.random.default_rng(1)),
        torch_char_gpt.train(theirs, ids, 6, np.random.default_rng(1)),
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # its own, of its own functions
def test_newton() -> None:
    ours = newton.newton(newton.loss, [0.0, 0.0, 0.0])
    theirs = torch_newton.newton(torch_newton.loss, [0.0, 0.0, 0.0])
    for (w, value, _), (v, other, _) in zip(ours[:6], theirs[:6], strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-9)
        assert value == pytest.approx(other, rel=1e-12)
