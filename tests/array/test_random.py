"""Random arrays: the same numbers on every backend, and numbers of the right distribution."""

from __future__ import annotations

import math
import random

import pytest

from smolml_array import Generator, MLArray, rand, randn, seed
from tests.array.helpers import assert_close, flat

SIZES = [0, 1, 2, 3, 7, 1000, 5000]


@pytest.mark.parametrize("size", SIZES)
def test_the_same_seed_gives_the_same_numbers_on_both_backends(size: int) -> None:
    pytest.importorskip("numpy")
    ours, theirs = Generator(42), Generator(42)
    for _ in range(3):  # the generators keep in step
        a = ours.rand(size, backend="numpy").to_list()
        assert a == theirs.rand(size, backend="pure").to_list()
        b = ours.randn(size, backend="numpy").to_list()
        assert_close(b, theirs.randn(size, backend="pure").to_list(), 1e-14, 1e-15)
    assert ours.permutation(10) == theirs.permutation(10)


def test_uniform_numbers_are_those_of_pythons_generator(backend: str) -> None:
    draw = random.Random(7)
    want = [draw.random() for _ in range(6)]
    assert flat(Generator(7).rand(2, 3).to_list()) == want


@pytest.mark.parametrize("size", SIZES[:-1])
def test_normal_numbers_come_from_as_many_uniform_ones_in_pairs(backend: str, size: int) -> None:
    """As Box and Muller (1958) make two of two."""
    draw, ours = random.Random(7), Generator(7)
    half = (size + 1) // 2
    first, second = ([draw.random() for _ in range(half)] for _ in range(2))
    radii = [math.sqrt(-2.0 * math.log1p(-u)) for u in first]
    want = [
        r * f(math.tau * v)
        for f in (math.cos, math.sin)
        for r, v in zip(radii, second, strict=True)
    ]
    assert_close(ours.randn(size).to_list(), want[:size], 1e-13, 1e-13)
    assert ours.rand(1).to_list() == [draw.random()]  # and none is left over


def test_seeds(backend: str) -> None:
    first = Generator(1)
    a = first.rand(5).to_list()
    assert first.rand(5).to_list() != a
    first.seed(1)
    assert first.rand(5).to_list() == a
    assert Generator(2).rand(5).to_list() != a
    assert Generator().rand(5).to_list() != Generator().rand(5).to_list()
    seed(1)
    assert rand(5).to_list() == a
    b = randn(3).to_list()
    seed(1)
    rand(5)
    assert randn(3).to_list() == b
    assert rand(5, generator=Generator(1)).to_list() == a


def test_a_generator_of_ones_own_leaves_the_default_alone(backend: str) -> None:
    seed(3)
    a = rand(4).to_list()
    seed(3)
    rand(100, generator=Generator(0))
    randn(100, generator=Generator(0))
    assert rand(4).to_list() == a


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 3)])
def test_shapes_and_options(backend: str, shape: tuple[int, ...]) -> None:
    for make in (rand, randn, Generator(0).rand, Generator(0).randn):
        for x in (make(*shape), make(shape)):
            assert isinstance(x, MLArray)
            assert (x.shape, x.backend, x.dtype.name) == (shape, backend, "float64")
            assert x.requires_grad
        assert not make(shape, requires_grad=False).requires_grad


def farthest(sample: list[float]) -> float:
    """The Kolmogorov-Smirnov distance of a sample to the normal distribution."""
    n = len(sample)
    below = [0.5 * (1.0 + math.erf(x / math.sqrt(2.0))) for x in sorted(sample)]
    return max(max((i + 1) / n - p, p - i / n) for i, p in enumerate(below))


def test_normal_numbers_are_normal(backend: str) -> None:
    n = 20_000
    sample = flat(randn(n, generator=Generator(5)).to_list())
    mean = math.fsum(sample) / n
    moments = [math.fsum((x - mean) ** k for x in sample) / n for k in (2, 3, 4)]
    # five standard errors of each
    assert abs(mean) < 5.0 / math.sqrt(n)
    assert abs(moments[0] - 1.0) < 5.0 * math.sqrt(2.0 / n)
    assert abs(moments[1]) < 5.0 * math.sqrt(15.0 / n)
    assert abs(moments[2] - 3.0) < 5.0 * math.sqrt(96.0 / n)
    assert farthest(sample) < 2.0 / math.sqrt(n)
    assert farthest([2.0 * x for x in sample]) > 2.0 / math.sqrt(n)  # the test can fail
    pairs = list(zip(sample[: n // 2], sample[n // 2 :], strict=True))  # made two at a time
    assert abs(math.fsum(x * y for x, y in pairs)) / len(pairs) < 5.0 / math.sqrt(n / 2)


def test_uniform_numbers_are_uniform(backend: str) -> None:
    n = 20_000
    sample = flat(rand(n, generator=Generator(6)).to_list())
    assert 0.0 <= min(sample) <= max(sample) < 1.0
    assert abs(math.fsum(sample) / n - 0.5) < 5.0 / math.sqrt(12.0 * n)
    ordered = sorted(sample)
    assert max(abs((i + 0.5) / n - x) for i, x in enumerate(ordered)) < 2.0 / math.sqrt(n)


def test_a_permutation_has_every_number_once() -> None:
    generator = Generator(8)
    orders = [generator.permutation(6) for _ in range(50)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) > 40
    assert generator.permutation(0) == []


def test_seeds_and_generators_of_other_types(backend: str) -> None:
    np = pytest.importorskip("numpy")
    assert Generator(np.int64(3)).rand(2).to_list() == Generator(3).rand(2).to_list()
    for wrong in ("three", [3], 1.5):
        with pytest.raises(TypeError, match="Generator: expected an integer or None as the seed"):
            Generator(wrong)  # type: ignore[arg-type]
    for draw in (rand, randn):
        with pytest.raises(TypeError, match=r"got int 3; make one with Generator\(seed\)"):
            draw(2, generator=3)  # type: ignore[arg-type]
