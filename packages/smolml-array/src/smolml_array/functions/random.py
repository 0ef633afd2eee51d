"""Random arrays from a generator that gives the same numbers on every backend."""

from __future__ import annotations

import math
import operator
import random as _random
from collections.abc import Sequence

from smolml_array.array import MLArray
from smolml_array.backends import get_backend
from smolml_array.backends.protocol import Backend
from smolml_array.config import default_backend
from smolml_array.functions.creation import leaf, shape_of


class Generator:
    """A seedable source of random arrays: the Mersenne Twister of Python's `random`.

    The numbers do not depend on the backend: uniform ones are equal bit for bit, normal ones
    (Box and Muller 1958) but for the last bit of the backend's log, sin and cos.

    Args:
        seed: equal seeds give equal numbers; None takes one from the system.

    >>> Generator(0).rand(2).to_list() == Generator(0).rand(2).to_list()
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self._rng = _random.Random(_whole("Generator", seed))

    def seed(self, seed: int | None) -> None:
        """Start anew from this seed."""
        self._rng.seed(_whole("seed", seed))

    def rand(
        self, *dims: int | Sequence[int], requires_grad: bool = True, backend: str | None = None
    ) -> MLArray:
        """Uniform in [0, 1)."""
        xp = _backend(backend)
        return leaf(xp, xp.uniform(self._rng, shape_of(dims, "rand")), requires_grad)

    def randn(
        self, *dims: int | Sequence[int], requires_grad: bool = True, backend: str | None = None
    ) -> MLArray:
        """Normal with mean 0 and standard deviation 1."""
        xp = _backend(backend)
        shape = shape_of(dims, "randn")
        count = math.prod(shape)
        half = (count + 1) // 2
        uniform = xp.uniform(self._rng, (2 * half,))
        # 1 - u is in (0, 1], so the logarithm is finite
        log = xp.log(xp.subtract(1.0, xp.index(uniform, slice(half))))
        radius = xp.sqrt(xp.multiply(-2.0, log))
        angle = xp.multiply(2.0 * math.pi, xp.index(uniform, slice(half, None)))
        both = [xp.multiply(radius, xp.cos(angle)), xp.multiply(radius, xp.sin(angle))]
        normal = xp.index(xp.concat(both), slice(count))
        return leaf(xp, xp.reshape(normal, shape), requires_grad)

    def permutation(self, n: int) -> list[int]:
        """The numbers 0 to n - 1 in random order."""
        order = list(range(shape_of((n,), "permutation")[0]))
        self._rng.shuffle(order)
        return order


def _whole(who: str, seed: int | None) -> int | None:
    """The seed as Python's int: NumPy's integers count too.

    Raises:
        TypeError: it is no integer.
    """
    if seed is None:
        return None
    try:
        return operator.index(seed)
    except TypeError:
        raise TypeError(
            f"{who}: expected an integer or None as the seed, got {type(seed).__name__} "
            f"{seed!r:.60}"
        ) from None


def generator_of(who: str, generator: Generator | None) -> Generator:
    """The generator to draw from.

    Raises:
        TypeError: something else, a seed for instance.
    """
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{who}: generator must be a Generator, got {type(generator).__name__} "
            f"{generator!r:.60}; make one with Generator(seed)"
        )
    return generator


def _backend(name: str | None) -> Backend:
    return default_backend() if name is None else get_backend(name)


default_generator: Generator = Generator()
"""What `rand` and `randn` take their numbers from unless they are given a generator."""


def seed(seed: int | None) -> None:
    """Seed the default generator.

    >>> seed(0)
    """
    default_generator.seed(seed)


def rand(
    *dims: int | Sequence[int], generator: Generator | None = None, requires_grad: bool = True
) -> MLArray:
    """An array of numbers uniform in [0, 1).

    >>> rand(2, 3, generator=Generator(0)).shape
    (2, 3)
    """
    return generator_of("rand", generator).rand(*dims, requires_grad=requires_grad)


def randn(
    *dims: int | Sequence[int], generator: Generator | None = None, requires_grad: bool = True
) -> MLArray:
    """An array of normal numbers with mean 0 and standard deviation 1.

    >>> randn((2, 3), generator=Generator(0)).shape
    (2, 3)
    """
    return generator_of("randn", generator).randn(*dims, requires_grad=requires_grad)
