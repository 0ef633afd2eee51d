"""What backward passes ask of ndarrays above all."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from smolml_array._shapes.axes import Shape, unbroadcast_axes
from smolml_array.backends.derived.products import zero_ruled_matmul
from smolml_array.backends.numpy.dtypes import BOOL, as_dtype
from smolml_array.backends.numpy.linalg import matmul
from smolml_array.backends.signatures import DType, Raw

# Elements up to which BLAS works on a vector by itself. Beyond, it wakes its threads, and waits
# for them long where other processes keep the cores busy.
ONE_THREAD = 8192
SMALL = 512  # elements

ndarray = np.ndarray
_sum: Any = np.add.reduce


def add_into(total: Raw, x: Raw, /) -> Raw:
    """total + x, written into total."""
    return np.add(total, x, total)


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
        return g * p if p != 0.0 else np.zeros_like(g * p)  # of one dtype, whatever p is
    if p.__class__ is ndarray and p.dtype is BOOL and g.size <= SMALL:
        # choosing is quicker there, and exact
        if p.shape != g.shape:
            return np.where(p, g, g.dtype.type(0))
        chosen = np.zeros(p.shape, g.dtype)
        np.putmask(chosen, p, g)  # in half the time of np.where
        return chosen
    product = g * p
    total: Any = np.vdot(product, product) if product.size <= ONE_THREAD else _sum(product, None)
    if math.isfinite(total):
        return product
    return np.where(np.logical_or(np.equal(g, 0), np.equal(p, 0)), product.dtype.type(0), product)


def cotangent_matmul(x1: Raw, x2: Raw, /) -> Raw:
    """x1 @ x2, one of which holds cotangents: zero times inf or nan counts as zero."""
    made = matmul(x1, x2)
    total: Any = np.vdot(made, made) if made.size <= ONE_THREAD else _sum(made, None)
    return made if math.isfinite(total) else zero_ruled_matmul(np, x1, x2)


@lru_cache(maxsize=8)
def _one(dtype: Any) -> Raw:
    return np.ones((), dtype)[()]  # NumPy computes with a scalar in a tenth of the time


def ones_like(x: Raw, /, *, dtype: DType = None) -> Raw:
    """Ones in the shape and dtype of x."""
    if x.shape == () and dtype is None:
        return _one(x.dtype)
    return np.ones(x.shape, x.dtype if dtype is None else as_dtype(dtype, "ones_like"))
