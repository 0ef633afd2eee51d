"""Equations, determinants and decompositions of the matrices in the last two axes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import ShapeError
from smolml_array._shapes.contraction import matmul_shape
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.linalg import matrix_transpose
from smolml_array.functions.manipulation import floating
from smolml_array.functions.table import Tangents, added, as_array, entry

_MATRIX = (-2, -1)

# Rules -----------------------------------------------------------------------------------------


def _solved(xp: Any, a: Raw, b: Raw) -> Raw:
    """a⁻¹ b; for a b of zeros 0, whatever a is: what does not count sends and gets zero."""
    found = xp.solve(a, b)
    counts = xp.any(b != 0, axis=_MATRIX, keepdims=True)
    return xp.where(counts, found, xp.zeros_like(found))


def _solve_vjps(xp: Any, g: Raw, out: Raw, a: Raw, b: Raw) -> tuple[Raw, Raw]:
    """To b: B = a⁻ᵀ g; to a: -B outᵀ (Giles 2008)."""
    to_b = _solved(xp, xp.matrix_transpose(a), g)
    to_a = xp.negative(xp.cotangent_matmul(to_b, xp.matrix_transpose(out)))
    return xp.sum_to_shape(to_a, a.shape), xp.sum_to_shape(to_b, b.shape)


def _solve_jvp(xp: Any, tangents: Tangents, out: Raw, a: Raw, b: Raw) -> Raw:
    """a⁻¹ (db - da out)."""
    da, db = tangents
    change = None if da is None else xp.negative(xp.cotangent_matmul(da, out))
    return _solved(xp, a, added([db, change]))


SOLVE = Rule("solve", "solve", vjp_all=_solve_vjps, jvp=_solve_jvp, not_saved=(1,))


def _inverse_transposed(xp: Any, out: Raw, x: Raw) -> Raw:
    return xp.matrix_transpose(xp.solve(x, xp.eye(x.shape[-1], dtype=x.dtype)))


def _cofactors(xp: Any, x: Raw) -> Raw:
    """For each element the determinant with a 1 in its place and else zeros in its row."""
    n = x.shape[-1]
    units = xp.expand_dims(xp.eye(n, dtype=x.dtype), axis=1)
    each, rows = xp.expand_dims(x, axis=-3), xp.reshape(xp.arange(n), (n, 1))
    return xp.stack([xp.det(xp.where(rows == i, units, each)) for i in range(n)], axis=-2)


def _det_slope(xp: Any, out: Raw, x: Raw) -> Raw:
    """det(x) x⁻ᵀ, which are the cofactors; where there is no inverse these one by one."""
    regular = xp.all(out != 0)
    if bool(regular._current_node().raw if isinstance(regular, MLArray) else regular):
        return xp.expand_dims(out, axis=_MATRIX) * _inverse_transposed(xp, out, x)
    return _cofactors(xp, x)


def _of_matrices(name: str, forward: Callable[..., Raw], slope: Callable[..., Raw]) -> Rule:
    """The rule of a function of matrices with one number for each, from its derivative."""

    def vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: tuple[int, ...]) -> Raw:
        return xp.cotangent_product(xp.expand_dims(g, axis=axis), slope(xp, out, x))

    return Rule(name, lambda xp, x, *, axis: forward(xp, x), vjp, jvp="reduction")


DET = _of_matrices("det", lambda xp, x: xp.det(x), _det_slope)
LOGABSDET = _of_matrices("logabsdet", lambda xp, x: xp.slogdet(x)[1], _inverse_transposed)


def _symmetric(xp: Any, x: Raw) -> Raw:
    return (x + xp.matrix_transpose(x)) * 0.5


def _congruent(xp: Any, a: Raw, x: Raw) -> Raw:
    """a⁻¹ x a⁻ᵀ of a symmetric x."""
    return _solved(xp, a, xp.matrix_transpose(_solved(xp, a, x)))


def _half(xp: Any, x: Raw) -> Raw:
    """The lower triangle, with half of the diagonal."""
    return (xp.tril(x) + xp.tril(x, k=-1)) * 0.5


def _cholesky_vjp(xp: Any, g: Raw, out: Raw, x: Raw) -> Raw:
    """L⁻ᵀ P L⁻¹, P the symmetric part of half(Lᵀ g) (Murray 2016)."""
    upper = xp.matrix_transpose(out)
    return _congruent(xp, upper, _symmetric(xp, _half(xp, xp.cotangent_matmul(upper, g))))


def _cholesky_jvp(xp: Any, tangents: Tangents, out: Raw, x: Raw) -> Raw:
    """L half(L⁻¹ dx L⁻ᵀ)."""
    inner = _congruent(xp, out, _symmetric(xp, tangents[0]))
    return xp.cotangent_matmul(out, _half(xp, inner))


def _cholesky(xp: Any, x: Raw) -> Raw:
    return xp.cholesky(_symmetric(xp, x))


CHOLESKY = Rule("cholesky", _cholesky, _cholesky_vjp, jvp=_cholesky_jvp, not_saved=(0,))

# The functions ---------------------------------------------------------------------------------


def _matrices(who: str, x: ArrayLike, *others: ArrayLike) -> MLArray:
    array = floating(cast(MLArray, as_array(x, *others)))
    shape = array.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"{who}: shape {shape}: expected square matrices in the last two axes")
    return array


@entry("x1, x2, /")
def solve(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The x with $x1 @ x = x2$: better than `inv(x1) @ x2`, in digits and in time.

    By the LU decomposition with partial pivoting. Its gradients (Giles 2008) are solutions, too.

    Args:
        x1: a matrix (n, n), or a batch of them, (..., n, n).
        x2: a vector (n,), a matrix (n, k) or a batch of matrices (..., n, k); batches broadcast.

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: x1 is not square, or the shapes do not align.

    >>> solve([[2.0, 1.0], [1.0, 3.0]], [3.0, 4.0]).to_list()
    [1.0, 1.0]
    """
    a = _matrices("solve", x1, x2)
    b = floating(cast(MLArray, as_array(x2, a)))
    matmul_shape(a.shape, b.shape, "solve")
    if b.ndim > 1:
        return a._rule(SOLVE, a, b)
    return a._rule(SOLVE, a, b.expand_dims(-1)).squeeze(-1)


@entry("x, /")
def inv(x: ArrayLike) -> MLArray:
    """The inverses of matrices: `solve` with the identity.

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: x is not square.

    >>> inv([[2.0, 0.0], [0.0, 4.0]]).to_list()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    array = _matrices("inv", x)
    return array._rule(SOLVE, array, _identity(array))


def _identity(x: MLArray) -> MLArray:
    xp = x._node.backend
    return MLArray._constant(xp, xp.eye(x.shape[-1], dtype=x.dtype))


@entry("x, /")
def det(x: ArrayLike) -> MLArray:
    """The determinants of matrices, (..., n, n) to (...).

    Their gradient is det(x) x⁻ᵀ, which is right beside a singular matrix, too; of higher orders
    digits are lost there. Where a determinant is exactly 0 the gradient is the matrix of cofactors,
    one determinant for each element: right at every order, but slow for large matrices.

    Raises:
        ShapeError: x is not square.

    >>> x = MLArray([[1.0, 2.0], [2.0, 4.0]])
    >>> y = det(x)
    >>> y.backward()
    >>> abs(y.item()), x.grad().to_list()  # or -0.0, as elimination goes
    (0.0, [[4.0, -2.0], [-2.0, 1.0]])
    """
    array = _matrices("det", x)
    return array._rule(DET, array, axis=_MATRIX)


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: MLArray
    logabsdet: MLArray


@entry("x, /")
def slogdet(x: ArrayLike) -> SlogdetResult:
    """Sign and logarithm of the absolute value of determinants, without overflow.

    The gradient of logabsdet is x⁻ᵀ; of a singular matrix it is -inf, and its gradient raises
    LinAlgError. The sign is a constant.

    Raises:
        ShapeError: x is not square.

    >>> sign, logabsdet = slogdet([[0.0, 1.0], [1.0, 0.0]])
    >>> sign.item(), logabsdet.item()
    (-1.0, 0.0)
    """
    array = _matrices("slogdet", x)
    node = array._current_node()
    sign = array._constant(node.backend, node.backend.slogdet(node.raw)[0])
    return SlogdetResult(sign, array._rule(LOGABSDET, array, axis=_MATRIX))


@entry("x, /, *, upper=False")
def cholesky(x: ArrayLike, upper: bool = False) -> MLArray:
    """The lower triangular L with $L Lᵀ = x$, for symmetric positive definite matrices.

    It is a function of (x + xᵀ) / 2, so its gradient is symmetric, as PyTorch's (Murray 2016).

    Args:
        x: matrices (..., n, n).
        upper: whether to give Lᵀ instead.

    Raises:
        LinAlgError: a matrix that is not positive definite.
        ShapeError: x is not square.

    >>> cholesky([[4.0, 2.0], [2.0, 2.0]]).to_list()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    array = _matrices("cholesky", x)
    lower = array._rule(CHOLESKY, array)
    return matrix_transpose(lower) if upper else lower


@entry("x, n, /")
def matrix_power(x: ArrayLike, n: int) -> MLArray:
    """x @ x @ ... n times, by repeated squares; negative powers are those of the inverse.

    Raises:
        LinAlgError: a negative n of a singular matrix.
        ShapeError: x is not square.

    >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 5).to_list()
    [[1.0, 5.0], [0.0, 1.0]]
    """
    base = _matrices("matrix_power", x)
    if n < 0:
        return matrix_power(inv(base), -n)
    if n < 2:
        return +base if operator.index(n) else _identity(base).broadcast_to(base.shape)
    half = matrix_power(base, n // 2)
    return half @ half @ base if n % 2 else half @ half
