"""The functions of this backend without their guards, for use where NumPy is quiet already.

Ufuncs as they are: between 0-d arrays they give NumPy scalars, and shapes that do not broadcast
raise in NumPy's words. Here stands only what is worth it; the rest is the guarded function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from smolml_array._shapes.axes import Axis, Shape, unbroadcast_axes
from smolml_array.backends.numpy.quiet import BOOL, F32, F64, ONE_THREAD, ndarray
from smolml_array.backends.protocol import DType, Raw

_bool = bool
SMALL = 512  # elements

_sum: Callable[..., Any] = np.add.reduce

abs = np.abs
add = np.add
asarray = np.asarray
divide = np.divide
equal = np.equal
greater = np.greater
greater_equal = np.greater_equal
less = np.less
less_equal = np.less_equal
logical_and = np.logical_and
logical_or = np.logical_or
maximum = np.maximum
minimum = np.minimum
multiply = np.multiply
negative = np.negative
not_equal = np.not_equal
sign = np.sign
subtract = np.subtract


def matmul(x1: Raw, x2: Raw, /) -> Raw:
    """x1 @ x2 for 1-D, 2-D and batched operands; see the guarded one."""
    if x1.ndim * x2.ndim == 4:  # also of 1-D with 4-D operands dot makes what matmul does
        return x1.dot(x2)
    return np.matmul(x1, x2)


def matrix_transpose(x: Raw, /) -> Raw:
    """The last two axes swapped."""
    return x.T if x.ndim == 2 else x.mT


def add_into(total: Raw, x: Raw, /) -> Raw:
    """total + x, written into total."""
    return np.add(total, x, total)


def mean(x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw:
    """The mean; nan of nothing."""
    if x.dtype is not F64 and x.dtype is not F32:
        x = np.asarray(x, F64)
    total = _sum(x, axis, None, None, keepdims)
    return total / (x.size // total.size if total.size else math.nan)


@lru_cache(maxsize=32)
def row_of_ones(n: int, dtype: Any) -> Any:
    """What a matrix is multiplied by for its column sums."""
    return np.ones(n, dtype)


def sum_to_shape(g: Raw, shape: Shape, /) -> Raw:
    """The adjoint of broadcasting from `shape`: sums the axes that were repeated.

    Column sums, the gradient of every bias, go through BLAS where they are short: half the price.
    """
    own = g.shape
    if own == shape:
        return g
    if len(own) == 2 and own[1:] == shape:
        if own[0] == 1:
            return g.reshape(shape)
        if g.size <= ONE_THREAD and g.dtype.kind == "f":
            return row_of_ones(own[0], g.dtype).dot(g)
    axes = unbroadcast_axes(own, shape)
    return _sum(g, axes, None, None, True).reshape(shape)


def cotangent_product(g: Raw, p: Raw, /) -> Raw:
    """g * p (cotangent x partial); zero if either is, even where the other is inf or nan.

    Only a product that is not finite somewhere is looked at again. One number tells: its dot
    product with itself, or its sum where BLAS would start threads, which costs more than it saves.
    """
    if (p.__class__ is not ndarray or not p.ndim) and math.isfinite(p):
        return g * p if p != 0.0 else np.zeros_like(g)
    if p.__class__ is ndarray and p.dtype is BOOL and g.size <= SMALL:
        # choosing is quicker there, and exact
        if p.shape != g.shape:
            return np.where(p, g, g.dtype.type(0))
        chosen = np.zeros(p.shape, g.dtype)
        np.putmask(chosen, p, g)  # in half the time of np.where
        return chosen
    product = g * p
    if product.size <= ONE_THREAD:
        total: Any = np.vdot(product, product)
    else:
        total = _sum(product, None)
    if math.isfinite(total):
        return product
    return np.where(np.logical_or(np.equal(g, 0), np.equal(p, 0)), product.dtype.type(0), product)


@lru_cache(maxsize=8)
def _one(dtype: Any) -> Raw:
    return np.ones((), dtype)[()]  # NumPy computes with a scalar in a tenth of the time


def ones_like(x: Raw, /, *, dtype: DType = None) -> Raw:
    """Ones in the shape and dtype of x."""
    if x.shape == () and dtype is None:
        return _one(x.dtype)
    return np.ones(x.shape, x.dtype if dtype is None else dtype)
