"""What the initializers share: fans, checked arguments, scaled random leaves, Gram-Schmidt."""

from __future__ import annotations

import math

from smolml_array import Generator, MLArray, stack
from smolml_array.extending import DType, Shape, default_generator
from smolml_value.extending import as_float


def fans(shape: Shape) -> tuple[int, int]:
    """fan_in and fan_out, at least 1 each: an array without elements needs no scale."""
    if len(shape) < 2:
        n = max(math.prod(shape), 1)
        return n, n
    field = math.prod(shape[:-2])
    return max(field * shape[-2], 1), max(field * shape[-1], 1)


def not_negative(who: str, x: float) -> float:
    """x as a float, checked; `who` says where it was given."""
    number = as_float(x, who)
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{who} must be a finite number, at least 0, got {number:g}")
    return number


def source(who: str, generator: Generator | None) -> Generator:
    """The generator, checked; the default one for None."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{who}: generator must be a Generator, got {type(generator).__name__} "
            f"{generator!r:.60}; make one with Generator(seed)"
        )
    return generator


def leaf(x: MLArray, requires_grad: bool, dtype: DType | str | None) -> MLArray:
    """The constant x as a leaf of this dtype."""
    if dtype is not None:
        x = x.astype(dtype)
    x.requires_grad = requires_grad
    return x


def uniform(
    who: str,
    shape: Shape,
    limit: float,
    generator: Generator | None,
    requires_grad: bool,
    dtype: DType | str | None,
) -> MLArray:
    """A leaf with numbers uniform in [-limit, limit)."""
    u = source(who, generator).rand(shape, requires_grad=False)
    return leaf((2.0 * u - 1.0) * limit, requires_grad, dtype)


def normal(
    who: str,
    shape: Shape,
    std: float,
    generator: Generator | None,
    requires_grad: bool,
    dtype: DType | str | None,
    mean: float = 0.0,
) -> MLArray:
    """A leaf with normal numbers."""
    z = source(who, generator).randn(shape, requires_grad=False)
    return leaf(z * std + mean, requires_grad, dtype)


def orthonormal_rows(a: MLArray) -> MLArray:
    """The modified Gram-Schmidt process on the rows of a constant matrix."""
    done = []
    for _ in range(a.shape[0]):
        q = a[0] / (a[0] * a[0]).sum().sqrt()
        done.append(q)
        rest = a[1:]
        a = rest - (rest @ q).expand_dims(1) * q
    return stack(done)
