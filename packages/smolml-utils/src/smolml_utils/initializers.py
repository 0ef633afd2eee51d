"""Initializers: random weights whose scale keeps signals and gradients in range.

Each is a function, `he_normal(64, 32)`, and a class with that function as `initialize`, as in the
original lessons: `HeNormal.initialize(64, 32)`. The shape is given as ints or as one tuple.

Fans, for weights that stand on the right of `x @ w`: fan_in = shape[-2], fan_out = shape[-1], each
times the product of the axes before (the receptive field of a convolution kernel). One axis of
length n counts as fan_in = fan_out = n, none as 1. See Glorot & Bengio 2010.

Every function takes, by name:
    generator: a `Generator` to draw from; default: the one that `smolml_array.seed` seeds.
    requires_grad: False makes a constant.
    dtype: "float64", or with NumPy "float32".
The numbers are the same on every backend, but for the last bits of normal ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from smolml_array import Generator, MLArray, ShapeError, full
from smolml_array.extending import DType, generator_of, shape_of
from smolml_utils._operands import not_negative
from smolml_utils._sampling import fans, leaf, normal, orthonormal_rows, uniform
from smolml_value.extending import as_float

Dim: TypeAlias = int | Sequence[int]

__all__ = ["Constant", "Orthogonal", "constant", "orthogonal"]
__all__ += ["HeInitialization", "HeNormal", "HeUniform", "he_normal", "he_uniform"]
__all__ += ["XavierNormal", "XavierUniform", "xavier_normal", "xavier_uniform"]
__all__ += ["LecunNormal", "RandomNormal", "RandomUniform"]
__all__ += ["lecun_normal", "random_normal", "random_uniform"]


def xavier_uniform(
    *dims: Dim,
    gain: float = 1.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Uniform in $[-l, l)$, $l = gain sqrt(6 / (fan_in + fan_out))$: for tanh and sigmoid layers.

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks".

    Raises:
        ShapeError: a negative length.
        ValueError: a negative gain.

    >>> w = xavier_uniform(3, 3, generator=Generator(0))
    >>> w.shape, w.max().item() <= 1.0
    ((3, 3), True)
    """
    shape = shape_of(dims, "xavier_uniform")
    gain = not_negative("xavier_uniform: gain", gain)
    limit = gain * math.sqrt(6.0 / sum(fans(shape)))
    return leaf(uniform("xavier_uniform", shape, limit, generator), requires_grad, dtype)


def xavier_normal(
    *dims: Dim,
    gain: float = 1.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Normal, mean 0, std $gain sqrt(2 / (fan_in + fan_out))$: for tanh and sigmoid layers.

    Source: Glorot & Bengio 2010.

    Raises:
        ShapeError: a negative length.
        ValueError: a negative gain.

    >>> xavier_normal(3, 4, generator=Generator(0)).shape
    (3, 4)
    """
    shape = shape_of(dims, "xavier_normal")
    std = not_negative("xavier_normal: gain", gain) * math.sqrt(2.0 / sum(fans(shape)))
    return leaf(normal("xavier_normal", shape, std, generator), requires_grad, dtype)


def he_uniform(
    *dims: Dim,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Uniform in $[-l, l)$, $l = sqrt(6 / fan_in)$: for relu layers.

    Source: He, Zhang, Ren & Sun 2015, arXiv:1502.01852.

    Raises:
        ShapeError: a negative length.

    >>> he_uniform(6, 4, generator=Generator(0)).max().item() <= 1.0
    True
    """
    shape = shape_of(dims, "he_uniform")
    limit = math.sqrt(6.0 / fans(shape)[0])
    return leaf(uniform("he_uniform", shape, limit, generator), requires_grad, dtype)


def he_normal(
    *dims: Dim,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Normal with mean 0 and std $sqrt(2 / fan_in)$: for relu layers, which halve the variance.

    Source: He, Zhang, Ren & Sun 2015, arXiv:1502.01852.

    Raises:
        ShapeError: a negative length.

    >>> he_normal((64, 32), generator=Generator(0)).shape
    (64, 32)
    """
    shape = shape_of(dims, "he_normal")
    std = math.sqrt(2.0 / fans(shape)[0])
    return leaf(normal("he_normal", shape, std, generator), requires_grad, dtype)


def lecun_normal(
    *dims: Dim,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Normal with mean 0 and std $sqrt(1 / fan_in)$: a linear layer keeps the variance.

    Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp".

    Raises:
        ShapeError: a negative length.

    >>> lecun_normal(3, 4, generator=Generator(0)).shape
    (3, 4)
    """
    shape = shape_of(dims, "lecun_normal")
    std = math.sqrt(1.0 / fans(shape)[0])
    return leaf(normal("lecun_normal", shape, std, generator), requires_grad, dtype)


def random_uniform(
    *dims: Dim,
    limit: float = 1.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Uniform in $[-limit, limit)$.

    Raises:
        ShapeError: a negative length.
        ValueError: a negative limit.

    >>> random_uniform(100, limit=0.5, generator=Generator(0)).max().item() <= 0.5
    True
    """
    shape = shape_of(dims, "random_uniform")
    limit = not_negative("random_uniform: limit", limit)
    return leaf(uniform("random_uniform", shape, limit, generator), requires_grad, dtype)


def random_normal(
    *dims: Dim,
    mean: float = 0.0,
    std: float = 1.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Normal with this mean and standard deviation.

    Raises:
        ShapeError: a negative length.
        ValueError: a negative std.

    >>> random_normal(2, mean=5.0, std=0.0).to_list()
    [5.0, 5.0]
    """
    shape = shape_of(dims, "random_normal")
    std = not_negative("random_normal: std", std)
    mean = as_float(mean, "random_normal: mean")
    return leaf(normal("random_normal", shape, std, generator, mean), requires_grad, dtype)


def orthogonal(
    *dims: Dim,
    gain: float = 1.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """gain times a random matrix with orthonormal columns, or rows if it has fewer of these.

    Uniformly distributed (Haar): a normal matrix, orthogonalised with positive diagonal R. More
    than two axes: the matrix of shape (product of all but the last, last).
    Source: Saxe, McClelland & Ganguli 2013, arXiv:1312.6120; Mezzadri 2007, arXiv:math-ph/0609050.

    Raises:
        ShapeError: fewer than two axes, or a negative length.
        ValueError: a negative gain.

    >>> q = orthogonal(3, 2, generator=Generator(0))
    >>> (q.T @ q - [[1.0, 0.0], [0.0, 1.0]]).abs().max().item() < 1e-15
    True
    """
    shape = shape_of(dims, "orthogonal")
    gain = not_negative("orthogonal: gain", gain)
    if len(shape) < 2:
        raise ShapeError(f"orthogonal: expected a shape of at least two axes, got {shape}")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    small, large = sorted((rows, columns))
    a = generator_of("orthogonal", generator).randn(small, large, requires_grad=False)
    if small:  # the second time removes what rounding left over
        a = orthonormal_rows(orthonormal_rows(a))
    matrix = a if rows <= columns else a.T
    return leaf(matrix.reshape(shape) * gain, requires_grad, dtype)


def constant(
    *dims: Dim,
    value: float = 0.0,
    generator: Generator | None = None,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """An array of one number, by default 0: for biases. Draws nothing from the generator.

    Raises:
        ShapeError: a negative length.

    >>> constant(2, value=0.5).to_list()
    [0.5, 0.5]
    """
    shape = shape_of(dims, "constant")
    value = as_float(value, "constant: value")
    return full(shape, value, requires_grad=requires_grad, dtype=dtype)


class XavierUniform:
    """`initialize` is `xavier_uniform`.

    >>> XavierUniform.initialize(3, 4).shape
    (3, 4)
    """

    initialize: Final = staticmethod(xavier_uniform)


class XavierNormal:
    """`initialize` is `xavier_normal`.

    >>> XavierNormal.initialize((3, 4)).shape
    (3, 4)
    """

    initialize: Final = staticmethod(xavier_normal)


class HeUniform:
    """`initialize` is `he_uniform`.

    >>> HeUniform.initialize(3, 4).shape
    (3, 4)
    """

    initialize: Final = staticmethod(he_uniform)


class HeNormal:
    """`initialize` is `he_normal`.

    >>> HeNormal.initialize(3, 4).shape
    (3, 4)
    """

    initialize: Final = staticmethod(he_normal)


HeInitialization: Final = HeNormal
"""The name that the original lessons give it."""


class LecunNormal:
    """`initialize` is `lecun_normal`.

    >>> LecunNormal.initialize(3, 4).shape
    (3, 4)
    """

    initialize: Final = staticmethod(lecun_normal)


class RandomUniform:
    """`initialize` is `random_uniform`.

    >>> RandomUniform.initialize(3, 4, limit=0.5).shape
    (3, 4)
    """

    initialize: Final = staticmethod(random_uniform)


class RandomNormal:
    """`initialize` is `random_normal`.

    >>> RandomNormal.initialize(3, 4, std=0.01).shape
    (3, 4)
    """

    initialize: Final = staticmethod(random_normal)


class Orthogonal:
    """`initialize` is `orthogonal`.

    >>> Orthogonal.initialize(4, 4).shape
    (4, 4)
    """

    initialize: Final = staticmethod(orthogonal)


class Constant:
    """`initialize` is `constant`.

    >>> Constant.initialize(2, value=0.1).to_list()
    [0.1, 0.1]
    """

    initialize: Final = staticmethod(constant)
