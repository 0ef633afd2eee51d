"""Linear algebra: matrix products, outer products, triangles and diagonals."""

from __future__ import annotations

import math
import operator
from typing import Any, Final, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import ShapeError, check_matrix
from smolml_array.backends.signatures import Raw
from smolml_array.convert import is_array_like
from smolml_array.functions.indexing import getitem
from smolml_array.functions.manipulation import astype, flatten, reshape, transpose
from smolml_array.functions.reductions import sum as sum_over
from smolml_array.functions.table import A, Array, array_function, as_array, linear, multilinear
from smolml_value import Value
from smolml_value.extending import is_number

# Products --------------------------------------------------------------------------------------


def _swap(xp: Any, x: Raw) -> Raw:
    return xp.matrix_transpose(x)


def _matmul_left(xp: Any, g: Raw, out: Raw, a: Raw, b: Raw, *rest: Raw) -> Raw:
    """d(a @ b) to a: g @ b^T, with a 1-D operand's missing axis put back."""
    if a.ndim == 2 and b.ndim == 2:
        return xp.cotangent_matmul(g, b.T)
    if b.ndim == 1:
        spread = g if a.ndim == 1 else xp.expand_dims(g, axis=-1)
        return xp.sum_to_shape(xp.cotangent_product(spread, b), a.shape)
    if a.ndim == 1:
        rows = xp.cotangent_matmul(xp.expand_dims(g, axis=-2), _swap(xp, b))
        return xp.sum_to_shape(rows, a.shape)
    return xp.sum_to_shape(xp.cotangent_matmul(g, _swap(xp, b)), a.shape)


def _matmul_right(xp: Any, g: Raw, out: Raw, a: Raw, b: Raw, *rest: Raw) -> Raw:
    """d(a @ b) to b: a^T @ g, likewise."""
    if a.ndim == 2 and b.ndim == 2:
        return xp.cotangent_matmul(a.T, g)
    if a.ndim == 1:
        if b.ndim == 1:
            return xp.cotangent_product(g, a)
        rows = xp.cotangent_product(xp.expand_dims(g, axis=-2), xp.expand_dims(a, axis=-1))
        return xp.sum_to_shape(rows, b.shape)
    if b.ndim == 1:
        columns = xp.cotangent_matmul(_swap(xp, a), xp.expand_dims(g, axis=-1))
        return xp.sum_to_shape(xp.squeeze(columns, axis=-1), b.shape)
    if b.ndim == 2 and a.ndim > 2:  # one long product instead of a sum of many
        rows = math.prod(a.shape[:-1])  # -1 would not do: there may be no elements
        a = xp.reshape(a, (rows, b.shape[0]))
        g = xp.reshape(g, (rows, b.shape[1]))
    return xp.sum_to_shape(xp.cotangent_matmul(_swap(xp, a), g), b.shape)


MATMUL = Rule(
    "matmul",
    "matmul",
    _matmul_left,
    _matmul_right,
    jvp=lambda xp, tangents, out, a, b: multilinear(xp.cotangent_matmul, tangents, (a, b)),
    not_saved=(OUT,),
    formula=("{g} @ {y}ᵀ", "{x}ᵀ @ {g}"),
)


@array_function("x1, x2, /")
def matmul(x: ArrayLike, other: ArrayLike) -> Array:
    """The matrix product, with NumPy's rules for 1-D, 2-D and batched operands.

    Raises:
        ShapeError: the shapes do not align; names the axes.

    >>> matmul([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    >>> MLArray([[1.0, 2.0]]).matmul([[3.0], [4.0]]).to_list()
    [[11.0]]
    """
    array = as_array(x, other)
    return array._rule(MATMUL, array, other)


@array_function()
def dot(x: ArrayLike, other: ArrayLike) -> Array:
    """x @ other, or x * other where one is a number; as `numpy.dot` up to 2 dimensions.

    Raises:
        ShapeError: the shapes do not align, or other has more than 2 dimensions, of which NumPy's
            dot makes another product: use matmul, or tensordot.

    >>> dot([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    array, right = as_array(x, other), as_array(other, x)
    if len(right.shape) > 2:
        raise ShapeError(f"dot: shape {right.shape}: expected at most 2 dimensions; use matmul")
    return matmul(array, right) if array.shape and right.shape else array * right


def times(x: A, other: ArrayLike) -> A:
    """x @ other, or NotImplemented beside what is no operand."""
    if isinstance(other, Array) or is_array_like(other):
        return x._apply(MATMUL, (x, other))  # type: ignore[no-any-return]
    return NotImplemented  # type: ignore[no-any-return]


def reflected_times(x: A, other: ArrayLike) -> A:
    """other @ x, likewise."""
    return x._apply(MATMUL, (other, x)) if is_array_like(other) else NotImplemented


@array_function("x1, x2, /", numpy="a, b")
def outer(x: ArrayLike, other: ArrayLike) -> Array:
    """The products of all pairs of elements: out[i, j] = x[i] other[j], both flattened.

    >>> outer([1, 2], [3, 4]).to_list()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    array = beside(x, (other,))
    column = reshape(array, (math.prod(array.shape), 1))
    row = other
    if not isinstance(other, Array | Value) and not is_number(other):
        row = array._lifted(other, array._current_node().backend)
    return column * (flatten(row) if isinstance(row, Array) else row)


def beside(x: ArrayLike, others: Any) -> Array:
    """x as an array; a number or a Value takes the type of the floats beside it."""
    made = as_array(x, *others)
    if isinstance(x, Value) or is_number(x):
        types = (o._node.raw.dtype for o in others if isinstance(o, Array))
        like = next((dtype for dtype in types if dtype.name.startswith("float")), None)
        if like not in (None, made._node.raw.dtype):
            return astype(made, like)
    return made


# Matrices in the last two axes -----------------------------------------------------------------

TRIL = linear("tril", lambda xp, g, out, x, *, k: xp.tril(g, k=k))
TRIU = linear("triu", lambda xp, g, out, x, *, k: xp.triu(g, k=k))


def _triangle(rule: Rule, x: ArrayLike, k: int) -> Array:
    array = as_array(x)
    check_matrix(array.shape, rule.name)
    return array._rule(rule, array, k=operator.index(k))


@array_function("x, /, *, k=0", numpy="m, k=0")
def tril(x: ArrayLike, k: int = 0) -> Array:
    """The lower triangle of the last two axes: zeros above the k-th diagonal.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> tril([[1, 2], [3, 4]]).to_list()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _triangle(TRIL, x, k)


@array_function("x, /, *, k=0", numpy="m, k=0")
def triu(x: ArrayLike, k: int = 0) -> Array:
    """The upper triangle of the last two axes: zeros below the k-th diagonal.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> triu([[1, 2], [3, 4]], k=1).to_list()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    return _triangle(TRIU, x, k)


@array_function("x, /, *, offset=0", numpy="a, offset=0")
def diagonal(x: ArrayLike, offset: int = 0) -> Array:
    """A diagonal of the last two axes: out[..., i] = x[..., i, i + offset]. A window.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> diagonal([[1, 2], [3, 4]]).to_list(), diagonal([[1, 2], [3, 4]], offset=-1).to_list()
    ([1.0, 4.0], [3.0])
    """
    array = as_array(x)
    check_matrix(array.shape, "diagonal")
    *lead, n, m = array.shape
    offset = operator.index(offset)
    start = offset if offset >= 0 else -offset * m
    count = max(0, min(n + min(offset, 0), m - max(offset, 0)))
    chosen = slice(start, start + count * (m + 1), m + 1) if count else slice(0)
    return getitem(reshape(array, (*lead, n * m)), (..., chosen))


@array_function("x, /, *, offset=0, dtype=None", numpy="a, offset=0")
def trace(x: ArrayLike, offset: int = 0) -> Array:
    """The sum of a diagonal of the last two axes.

    Raises:
        ShapeError: x has fewer than 2 dimensions.

    >>> trace([[1, 2], [3, 4]]).item()
    5.0
    """
    array = as_array(x)
    check_matrix(array.shape, "trace")
    return sum_over(diagonal(array, offset), axis=-1)


@array_function("x, /")
def matrix_transpose(x: Array) -> Array:
    """The last two axes swapped.

    Raises:
        ShapeError: it has fewer than two.
    """
    check_matrix(x.shape, "mT")
    n = len(x.shape)
    return transpose(x, (*range(n - 2), n - 1, n - 2))


class LinearAlgebra(Array):
    """These functions as methods."""

    __slots__ = ()
    matmul: Final = matmul
    dot: Final = dot
    outer: Final = outer
    tril: Final = tril
    triu: Final = triu
    diagonal: Final = diagonal
    trace: Final = trace
    __matmul__: Final = times
    __rmatmul__: Final = reflected_times

    @property
    def mT(self) -> Self:
        """The last two axes swapped.

        Raises:
            ShapeError: it has fewer than two.
        """
        return matrix_transpose(self)
