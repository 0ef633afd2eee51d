"""Products of ndarrays: matmul and its relatives."""

from __future__ import annotations

import math

import numpy as np

from smolml_array._shapes.axes import matmul_shape
from smolml_array._shapes.contraction import Axes, tensordot_axes, vecdot_axes
from smolml_array.backends.numpy.elementwise import multiply
from smolml_array.backends.numpy.quiet import call, ndarray, run, run_shared
from smolml_array.backends.protocol import Raw


def matmul(x1: Raw, x2: Raw, /) -> Raw:
    """x1 @ x2 for 1-D, 2-D and batched operands.

    `dot` does the same to 1-D and 2-D operands as the matmul ufunc, for less than half of its
    price on small ones. A stack of matrices times one matrix is one long product: the ufunc would
    do one for each of the stack, and wake the threads of BLAS every time.
    """
    try:
        if 0 < x1.ndim < 3 and 0 < x2.ndim < 3:
            out = run(x1.dot, x2)
        elif x1.ndim > 2 and x2.ndim == 2:
            rows = math.prod(x1.shape[:-1])  # -1 would not do: there may be no elements
            long = run(x1.reshape(rows, x1.shape[-1]).dot, x2)
            out = long.reshape(*x1.shape[:-1], x2.shape[-1])
        else:
            out = run(np.matmul, x1, x2)
    except RuntimeError as error:
        out = run_shared(error, np.matmul, x1, x2)
    except ValueError:
        matmul_shape(x1.shape, x2.shape)
        raise
    return out if type(out) is ndarray else np.asarray(out)


def matrix_transpose(x: Raw, /) -> Raw:
    """The last two axes swapped."""
    return np.asarray(x).mT


def outer(x1: Raw, x2: Raw, /) -> Raw:
    """The products of all pairs of elements: (x1.size, x2.size)."""
    return multiply(np.reshape(x1, (-1, 1)), np.reshape(x2, (1, -1)))


def vecdot(x1: Raw, x2: Raw, /, axis: int = -1) -> Raw:
    """The sum of products along one axis, the others broadcast."""

    def dot() -> Raw:
        return np.vecdot(x1, x2, axis=axis)  # type: ignore[call-overload]  # missing in the stubs

    try:
        out = run(dot)
    except RuntimeError as error:
        out = run_shared(error, dot)
    except ValueError:
        vecdot_axes(x1.shape, x2.shape, axis)
        raise
    return np.asarray(out)


def tensordot(x1: Raw, x2: Raw, /, *, axes: Axes = 2) -> Raw:
    """The sum of products over the last axes of x1 and the first of x2, or those named."""
    return call(np.tensordot, x1, x2, tensordot_axes(x1.shape, x2.shape, axes))
