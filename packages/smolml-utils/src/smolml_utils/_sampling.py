"""What the initializers share: fans, scaled random leaves, Gram-Schmidt."""

from __future__ import annotations

import math

from smolml_array import Generator, MLArray, stack
from smolml_array.extending import DType, Shape, generator_of


def fans(shape: Shape) -> tuple[int, int]:
    """fan_in and fan_out, at least 1 each: an array without elements needs no scale."""
    if len(shape) < 2:
        n = max(math.prod(shape), 1)
        return n, n
    field = math.prod(shape[:-2])
    return max(field * shape[-2], 1), max(field * shape[-1], 1)


def leaf(x: MLArray, requires_grad: bool, dtype: DType | str | None) -> MLArray:
    """The constant x as a leaf of this dtype."""
    if dtype is not None:
        x = x.astype(dtype)
    x.requires_grad = requires_grad
    return x


def uniform(who: str, shape: Shape, limit: float, generator: Generator | None) -> MLArray:
    """Constants uniform in [-limit, limit)."""
    u = generator_of(who, generator).rand(shape, requires_grad=False)
    return (2.0 * u - 1.0) * limit


def normal(
    who: str, shape: Shape, std: float, generator: Generator | None, mean: float = 0.0
) -> MLArray:
    """Normal constants."""
    return generator_of(who, generator).randn(shape, requires_grad=False) * std + mean


def orthonormal_rows(a: MLArray) -> MLArray:
    """The modified Gram-Schmidt process on the rows of a constant matrix."""
    done = []
    for _ in range(a.shape[0]):
        q = a[0] / (a[0] * a[0]).sum().sqrt()
        done.append(q)
        rest = a[1:]
        a = rest - (rest @ q).expand_dims(1) * q
    return stack(done)
