"""Initializers: fan rules, moments, orthogonality, seeds, backends, what is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
import pytest

import smolml_utils as ours
from smolml_array import Generator, MLArray, ShapeError, seed, use_backend
from smolml_utils import initializers
from tests.utils.helpers import Floats, numbers

PAIRS: dict[str, tuple[Any, Callable[..., MLArray]]] = {
    "xavier_uniform": (ours.XavierUniform, ours.xavier_uniform),
    "xavier_normal": (ours.XavierNormal, ours.xavier_normal),
    "he_uniform": (ours.HeUniform, ours.he_uniform),
    "he_normal": (ours.HeNormal, ours.he_normal),
    "lecun_normal": (ours.LecunNormal, ours.lecun_normal),
    "random_uniform": (ours.RandomUniform, ours.random_uniform),
    "random_normal": (ours.RandomNormal, ours.random_normal),
    "orthogonal": (ours.Orthogonal, ours.orthogonal),
    "constant": (ours.Constant, ours.constant),
}
RANDOM = sorted(set(PAIRS) - {"constant"})
UNIFORM = ["he_uniform", "random_uniform", "xavier_uniform"]
NORMAL = ["he_normal", "lecun_normal", "random_normal", "xavier_normal"]

# The standard deviation that each promises, from fan_in and fan_out.
SPREAD: dict[str, Callable[[float, float], float]] = {
    "xavier_uniform": lambda n, m: math.sqrt(2.0 / (n + m)),
    "xavier_normal": lambda n, m: math.sqrt(2.0 / (n + m)),
    "he_uniform": lambda n, m: math.sqrt(2.0 / n),
    "he_normal": lambda n, m: math.sqrt(2.0 / n),
    "lecun_normal": lambda n, m: math.sqrt(1.0 / n),
    "random_uniform": lambda n, m: 1.0 / math.sqrt(3.0),
    "random_normal": lambda n, m: 1.0,
}


def test_the_list_is_complete() -> None:
    classes = {cls.__name__ for cls, _ in PAIRS.values()}
    assert {*PAIRS, *classes, "HeInitialization"} == set(initializers.__all__)
    assert ours.HeInitialization is ours.HeNormal


@pytest.mark.parametrize("name", PAIRS)
def test_the_class_the_instance_and_the_function(name: str, backend: str) -> None:
    cls, function = PAIRS[name]
    expected = function(3, 4, generator=Generator(0))
    assert expected.shape == (3, 4)
    assert expected.backend == backend
    for w in (
        cls.initialize(3, 4, generator=Generator(0)),
        cls.initialize((3, 4), generator=Generator(0)),
        cls.initialize([3, 4], generator=Generator(0)),
        cls().initialize(3, 4, generator=Generator(0)),
        function((3, 4), generator=Generator(0)),
    ):
        assert w.to_list() == expected.to_list()


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name: str, backend: str) -> None:
    f = PAIRS[name][1]
    generator = Generator(1)
    one, two = f(4, 5, generator=generator), f(4, 5, generator=generator)
    assert one.to_list() != two.to_list()
    again = Generator(1)
    assert f(4, 5, generator=again).to_list() == one.to_list()
    assert f(4, 5, generator=again).to_list() == two.to_list()
    seed(1)  # the default generator
    assert f(4, 5).to_list() == one.to_list()
    assert f(4, 5).to_list() == two.to_list()


@pytest.mark.parametrize("name", RANDOM)
def test_both_backends_give_the_same_numbers(name: str) -> None:
    made = []
    for backend in ("numpy", "pure"):
        with use_backend(backend):
            made.append(PAIRS[name][1](6, 5, generator=Generator(2)).to_list())
    if name in UNIFORM:
        assert made[0] == made[1]
    else:
        np.testing.assert_allclose(made[0], made[1], rtol=1e-12, atol=1e-13)


SHAPES_AND_FANS = [
    ((200, 300), 200, 300),
    ((300, 200), 300, 200),
    ((60000,), 60000, 60000),
    ((3, 5, 40, 100), 3 * 5 * 40, 3 * 5 * 100),  # a convolution kernel, channels last
    ((3, 100, 200), 300, 600),
]


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), SHAPES_AND_FANS)
@pytest.mark.parametrize("name", SPREAD)
def test_moments(name: str, shape: tuple[int, ...], fan_in: int, fan_out: int) -> None:
    with use_backend("numpy"):
        w = numbers(PAIRS[name][1](shape, generator=Generator(3))).ravel()
    std = SPREAD[name](fan_in, fan_out)
    n = w.size
    assert n == math.prod(shape)
    # within 5 standard errors: of the mean, and of the variance of each distribution
    fourth = 9.0 / 5.0 if name in UNIFORM else 3.0  # E x**4 / std**4
    assert abs(w.mean()) < 5.0 * std / math.sqrt(n)
    assert abs(w.var() / std**2 - 1.0) < 5.0 * math.sqrt((fourth - 1.0) / n)
    if name in UNIFORM:
        limit = math.sqrt(3.0) * std
        assert -limit <= w.min() < -0.999 * limit
        assert 0.999 * limit < w.max() < limit
        assert abs(np.mean(w < limit / 2) - 0.75) < 5.0 * math.sqrt(0.1875 / n)
    else:
        within = np.mean(np.abs(w) < std)
        p = math.erf(math.sqrt(0.5))
        assert abs(within - p) < 5.0 * math.sqrt(p * (1.0 - p) / n)


def test_parameters_of_the_distributions(backend: str) -> None:
    def drawn(f: Callable[..., MLArray], **kwargs: float) -> Floats:
        return numbers(f(20, 20, generator=Generator(4), **kwargs))

    for f in (ours.xavier_uniform, ours.xavier_normal, ours.orthogonal):
        np.testing.assert_allclose(drawn(f, gain=3.0), 3.0 * drawn(f), rtol=1e-14)
    np.testing.assert_allclose(
        drawn(ours.random_uniform, limit=0.25), 0.25 * drawn(ours.random_uniform), rtol=1e-14
    )
    np.testing.assert_allclose(
        drawn(ours.random_normal, mean=5.0, std=0.5),
        5.0 + 0.5 * drawn(ours.random_normal),
        rtol=1e-14,
    )
    assert np.all(drawn(ours.constant, value=2.5) == 2.5)
    assert not drawn(ours.constant).any()


@pytest.mark.parametrize(
    "shape", [(1, 1), (4, 4), (7, 3), (3, 7), (30, 30), (2, 3, 4), (2, 2, 3, 20), (1, 5)]
)
def test_orthogonal(shape: tuple[int, ...], backend: str) -> None:
    q = numbers(ours.orthogonal(shape, generator=Generator(5)))
    assert q.shape == shape
    matrix = q.reshape(-1, shape[-1])
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(tall.shape[1]), atol=2e-15)


def test_orthogonal_of_a_large_matrix() -> None:
    with use_backend("numpy"):
        q = numbers(ours.orthogonal(200, 200, generator=Generator(6)))
    np.testing.assert_allclose(q.T @ q, np.eye(200), atol=5e-15)


def test_orthogonal_matrices_are_uniformly_distributed() -> None:
    # Under the Haar measure every entry has mean 0 and variance 1 / n, and half of the
    # determinants are negative; an orthogonalisation with the wrong signs fails the first.
    generator = Generator(7)
    with use_backend("numpy"):
        qs = np.array([numbers(ours.orthogonal(3, 3, generator=generator)) for _ in range(1000)])
    assert np.abs(qs.mean(0)).max() < 5.0 * math.sqrt(1.0 / 3.0 / 1000.0)
    assert np.abs((qs**2).mean(0) - 1.0 / 3.0).max() < 5.0 * math.sqrt(4.0 / 45.0 / 1000.0)
    assert abs(np.mean(np.linalg.det(qs) < 0.0) - 0.5) < 5.0 * 0.5 / math.sqrt(1000.0)


@pytest.mark.parametrize("name", PAIRS)
def test_they_make_leaves(name: str, backend: str) -> None:
    f = PAIRS[name][1]
    w = f(3, 4)
    assert w.requires_grad
    (w * w).sum().backward()
    assert w.grad().to_list() == (2.0 * w).to_list()
    w.data = [[1.0] * 4] * 3  # not a window onto something else
    assert w.data[0][0].data == 1.0
    assert not f(3, 4, requires_grad=False).requires_grad


@pytest.mark.parametrize("name", PAIRS)
def test_float32(name: str) -> None:
    f = PAIRS[name][1]
    with use_backend("numpy"):
        w = f(3, 4, dtype="float32", generator=Generator(8))
        assert w.dtype == np.float32
        assert w.requires_grad
        exact = numbers(f(3, 4, generator=Generator(8)))
    np.testing.assert_allclose(numbers(w), exact, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", sorted(set(PAIRS) - {"orthogonal"}))
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1,)])
def test_small_shapes(name: str, shape: tuple[int, ...], backend: str) -> None:
    w = PAIRS[name][1](shape)
    assert w.shape == shape
    assert np.all(np.isfinite(numbers(w)))


def test_orthogonal_of_nothing(backend: str) -> None:
    assert ours.orthogonal(0, 3).shape == (0, 3)
    assert ours.orthogonal(3, 0).shape == (3, 0)


@pytest.mark.parametrize("name", PAIRS)
def test_wrong_shapes(name: str) -> None:
    f = PAIRS[name][1]
    with pytest.raises(ShapeError, match=f"^{name}: shape .* has a negative length"):
        f(3, -1)
    with pytest.raises(TypeError, match=f"^{name}: expected integers as the shape"):
        f(3.5, 2)


@pytest.mark.parametrize("name", RANDOM)
def test_wrong_generators(name: str) -> None:
    message = f"{name}: generator must be a Generator, got int 0; make one with Generator(seed)"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        PAIRS[name][1](3, 4, generator=0)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("xavier_uniform", "gain"),
        ("xavier_normal", "gain"),
        ("orthogonal", "gain"),
        ("random_uniform", "limit"),
        ("random_normal", "std"),
    ],
)
@pytest.mark.parametrize("bad", [-1.0, math.inf, math.nan])
def test_wrong_scales(name: str, parameter: str, bad: float) -> None:
    message = f"{name}: {parameter} must be a finite number, at least 0, got {bad:g}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PAIRS[name][1](3, 4, **{parameter: bad})


def test_orthogonal_needs_a_matrix() -> None:
    with pytest.raises(ShapeError, match=r"^orthogonal: expected .* at least two axes, got \(3,\)"):
        ours.orthogonal(3)


def test_types() -> None:
    assert_type(ours.XavierUniform.initialize(3, 4), MLArray)
    assert_type(ours.RandomUniform.initialize(3, 4, limit=0.5), MLArray)
    assert_type(ours.he_normal((3, 4), generator=Generator(0)), MLArray)
