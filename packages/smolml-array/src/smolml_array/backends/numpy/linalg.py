"""Products of ndarrays, and equations and determinants of matrices."""

from __future__ import annotations

import numpy as np

from smolml_array._shapes.contraction import matmul_shape
from smolml_array.backends.derived.linalg import NOT_POSITIVE, SINGULAR, LinAlgError
from smolml_array.backends.signatures import Raw


def matmul(x1: Raw, x2: Raw, /) -> Raw:
    """x1 @ x2 for 1-D, 2-D and batched operands.

    `dot` does the same to matrices as the matmul ufunc, for less than half of its price on small
    ones.
    """
    try:
        if x1.ndim * x2.ndim == 4:  # also of 1-D with 4-D operands dot makes what matmul does
            return x1.dot(x2)
        return np.matmul(x1, x2)
    except ValueError:
        matmul_shape(x1.shape, x2.shape)
        raise


def matrix_transpose(x: Raw, /) -> Raw:
    """The last two axes swapped."""
    return x.T if x.ndim == 2 else np.asarray(x).mT


def cholesky(x: Raw, /) -> Raw:
    """The lower triangular L with x = L Lᵀ, of a symmetric x."""
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(NOT_POSITIVE) from None


def det(x: Raw, /) -> Raw:
    """The determinants of square matrices."""
    return np.linalg.det(x)


def slogdet(x: Raw, /) -> tuple[Raw, Raw]:
    """The signs of determinants, and the logarithms of their absolute values."""
    return tuple(map(np.asarray, np.linalg.slogdet(x)))  # type: ignore[return-value]  # two


def solve(x1: Raw, x2: Raw, /) -> Raw:
    """The X of x1 X = x2, for matrices or batches of them in x1 and in x2."""
    try:
        return np.linalg.solve(x1, x2)
    except np.linalg.LinAlgError:
        raise LinAlgError(SINGULAR) from None
