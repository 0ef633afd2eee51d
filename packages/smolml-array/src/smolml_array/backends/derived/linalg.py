"""Equations and determinants of matrices, on rows of Python numbers: Gaussian elimination."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, Protocol

from smolml_array._shapes.axes import Shape, _broadcast_shapes
from smolml_array.backends.derived.products import Products
from smolml_array.backends.signatures import Raw
from smolml_value import scalar
from smolml_value.errors import SmolMLError


class LinAlgError(SmolMLError, ValueError):
    """A matrix is not what a function needs: it is singular, or not positive definite."""


ADVICE: Final = "; a small number added to the diagonal helps where rounding is the cause"
SINGULAR: Final = "solve: a matrix is singular: expected one with an inverse" + ADVICE
NOT_POSITIVE: Final = "cholesky: a matrix is not positive definite: expected x' A x > 0" + ADVICE
Rows = list[list[float]]


def _matrices(xp: Any, x: Raw) -> list[Rows]:
    """The matrices in the last two axes, each as its rows."""
    *lead, n, m = x.shape
    return xp.to_list(xp.reshape(xp.astype(x, xp.float64), (math.prod(lead), n, m)))  # type: ignore[no-any-return]


def _array(xp: Any, numbers: Iterable[float], shape: Shape, *like: Raw) -> Raw:
    """In the floating type of the operands."""
    return xp.from_flat(list(numbers), shape, xp.result_type(*(x.dtype for x in like), 1.0))


def _joined(matrices: Iterable[Rows]) -> Iterable[float]:
    return (v for rows in matrices for row in rows for v in row)


def _triangular(rows: Rows, exchange: bool = True) -> tuple[Rows, list[float], float]:
    """The rows with zeros below the diagonal, the diagonal, and the sign of the exchanges.

    With partial pivoting: the largest element of a column goes to the diagonal. What stands on
    the right of the matrix is changed with it. Below the diagonal the numbers mean nothing.
    """
    rows, n, sign = list(rows), len(rows), 1.0
    for k in range(n):
        column = [math.inf if row[k] != row[k] else abs(row[k]) for row in rows]
        best = max(range(k, n), key=column.__getitem__)
        if exchange and best != k:
            rows[k], rows[best], sign = rows[best], rows[k], -sign
        for i in range(k + 1, n):
            if rows[i][k] != 0.0 or rows[k][k] != rows[k][k]:  # from a nan all behind it is nan
                f = scalar.divide(rows[i][k], rows[k][k])
                rows[i] = [a - f * b for a, b in zip(rows[i], rows[k], strict=True)]
    return rows, [row[k] for k, row in enumerate(rows)], sign


def _solution(a: Rows, b: Rows) -> Rows:
    """The X of A X = B, from the last row to the first."""
    rows, pivots, _ = _triangular([left + right for left, right in zip(a, b, strict=True)])
    if 0.0 in pivots:
        raise LinAlgError(SINGULAR)
    found, n = [row[len(rows) :] for row in rows], len(rows)
    for k in reversed(range(n)):
        for f, known in zip(rows[k][k + 1 : n], found[k + 1 :], strict=True):
            found[k] = [v - f * w for v, w in zip(found[k], known, strict=True)]
        found[k] = [v / pivots[k] for v in found[k]]
    return found


def _lower(a: Rows) -> Rows:
    """The L of A = L Lᵀ: the columns of what elimination leaves, over the roots of the pivots."""
    rows, pivots, _ = _triangular(a, exchange=False)
    if any(pivot <= 0.0 for pivot in pivots):  # nan goes through
        raise LinAlgError(NOT_POSITIVE)
    roots = [math.sqrt(pivot) for pivot in pivots]
    left = [[rows[k][i] / roots[k] for k in range(i)] for i in range(len(a))]
    return [[*left[i], root, *[0.0] * (len(a) - 1 - i)] for i, root in enumerate(roots)]


class Matrices(Products, Protocol):
    """Products, equations and determinants of the matrices in the last two axes."""

    def cholesky(xp: Any, x: Raw, /) -> Raw:
        """The lower triangular L with x = L Lᵀ, of a symmetric x.

        Raises:
            LinAlgError: a matrix that is not positive definite.
        """
        return _array(xp, _joined(map(_lower, _matrices(xp, x))), x.shape, x)

    def det(xp: Any, x: Raw, /) -> Raw:
        """The determinants of square matrices."""
        found = map(_triangular, _matrices(xp, x))
        return _array(xp, (sign * math.prod(p) for _, p, sign in found), x.shape[:-2], x)

    def slogdet(xp: Any, x: Raw, /) -> tuple[Raw, Raw]:
        """The signs of determinants, and the logarithms of their absolute values."""
        found = [*map(_triangular, _matrices(xp, x))]
        signs = (sign * math.prod(map(scalar.sign, p)) for _, p, sign in found)
        logs = (sum((scalar.log(abs(v)) for v in p), 0.0) for _, p, _ in found)
        return _array(xp, signs, x.shape[:-2], x), _array(xp, logs, x.shape[:-2], x)

    def solve(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """The X of x1 X = x2, square matrices in x1 and any in x2, whose batches broadcast.

        Raises:
            LinAlgError: a matrix that is singular.
        """
        lead, ends = _broadcast_shapes(x1.shape[:-2], x2.shape[:-2]), (x1.shape[-2:], x2.shape[-2:])
        given = (xp.broadcast_to(x, lead + end) for x, end in zip((x1, x2), ends, strict=True))
        made = map(_solution, *(_matrices(xp, x) for x in given))
        return _array(xp, _joined(made), lead + ends[1], x1, x2)
