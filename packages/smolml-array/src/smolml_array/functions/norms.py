"""Norms of vectors and of matrices."""

from __future__ import annotations

import math
from typing import Any, Final, cast

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Axis, ShapeError, check_matrix, normalize_axes, reduced_shape
from smolml_array.backends.signatures import Raw
from smolml_array.convert import is_floating
from smolml_array.functions import reductions
from smolml_array.functions.manipulation import floating, squeeze
from smolml_array.functions.table import Array, array_function, as_array
from smolml_value.extending import is_number


def _norm(xp: Any, x: Raw, *, ord: float, axis: Axis, keepdims: bool) -> Raw:
    """(sum |x|**ord)**(1 / ord)."""
    if ord == 2.0:
        return xp.sqrt(xp.sum(xp.multiply(x, x), axis=axis, keepdims=keepdims))
    powers = xp.sum(xp.pow(xp.abs(x), ord), axis=axis, keepdims=keepdims)
    return xp.pow(powers, 1.0 / ord)


def _norm_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, ord: float, axis: Axis, keepdims: bool) -> Raw:
    """g sign(x) (|x| / out)**(ord - 1); 0 where the norm or the element is 0."""
    shape = reduced_shape(x.shape, normalize_axes(axis, len(x.shape), "norm"), keepdims=True)
    zero = out == 0
    safe = xp.where(zero, xp.ones_like(out), out)
    g = xp.where(zero, xp.zeros_like(g), g)
    if ord == 2.0:
        scaled = xp.reshape(xp.cotangent_product(g, xp.divide(1.0, safe)), shape)
        return xp.cotangent_product(xp.broadcast_to(scaled, x.shape), x)
    nothing = x == 0  # where ord < 1 the slope is infinite on both sides
    one = xp.ones_like(x)
    ratio = xp.divide(xp.where(nothing, one, xp.abs(x)), xp.reshape(safe, shape))
    slope = xp.multiply(xp.sign(x), xp.pow(xp.where(nothing, one, ratio), ord - 1.0))
    return xp.cotangent_product(xp.broadcast_to(xp.reshape(g, shape), x.shape), slope)


VECTOR_NORM = Rule("vector_norm", _norm, _norm_vjp, jvp="reduction")

_MATRIX_NORMS: Final = ("fro", 1, -1, math.inf, -math.inf)


@array_function("x, /, *, axis=None, keepdims=False, ord=2")
def vector_norm(x: ArrayLike, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """$(sum |x|**ord)**(1 / ord)$ over an axis, several, or all (None).

    ord=1 is the sum and ord=math.inf the largest of the absolute values, -math.inf the smallest,
    0 the number of elements that are not 0 (a constant). Where the norm is 0 the gradient is 0,
    and so is its part for an element that is 0; several equal extremes send it to the first one.

    Raises:
        AxisError: an axis that x does not have.
        ValueError: an ord that is no number.

    >>> vector_norm([3, 4]).item(), vector_norm([3, 4], ord=1).item()
    (5.0, 7.0)
    """
    if not is_number(ord) or ord != ord:
        raise ValueError(f"vector_norm: ord is {ord!r}: expected a number, math.inf or -inf")
    array = as_array(x)
    params = reductions.reduction(array, "vector_norm", axis, keepdims)
    if ord == 0:
        node = array._current_node()
        xp = node.backend
        count = xp.count_nonzero(node.raw, **params)
        dtype = node.raw.dtype if is_floating(xp, node.raw) else xp.float64
        return array._constant(xp, xp.astype(count, dtype))
    array = floating(array)
    if abs(ord) == math.inf:
        extreme = reductions.max if ord > 0 else reductions.min
        return cast(Array, extreme(abs(array), **params))
    if ord == 1:
        return cast(Array, reductions.sum(abs(array), **params))
    return array._rule(VECTOR_NORM, array, ord=float(ord), **params)


@array_function("x, /, *, keepdims=False, ord='fro'")
def matrix_norm(x: ArrayLike, keepdims: bool = False, ord: float | str = "fro") -> Array:
    """A norm of the matrices in the last two axes.

    "fro" is the root of the sum of squares, 1 and math.inf the largest sum of absolute values
    in a column and in a row, -1 and -math.inf the smallest.

    Raises:
        ShapeError: x has fewer than 2 dimensions.
        ValueError: another ord; those that need singular values are not here.

    >>> matrix_norm([[1, 2], [3, 4]], ord=1).item()
    6.0
    """
    array = as_array(x)
    check_matrix(array.shape, "matrix_norm")
    ndim = len(array.shape)
    return _matrix_norm(array, "matrix_norm", (ndim - 2, ndim - 1), keepdims, ord)


def _matrix_norm(
    x: Array, who: str, axes: tuple[int, ...], keepdims: bool, ord: float | str | None
) -> Array:
    if ord is None or ord == "fro":
        return vector_norm(x, axes, keepdims)
    if ord not in _MATRIX_NORMS:
        raise ValueError(
            f"{who}: ord is {ord!r}: of matrices expected one of "
            f"{', '.join(map(repr, _MATRIX_NORMS))}; norms of singular values are not here"
        )
    assert not isinstance(ord, str)
    along, across = axes if abs(ord) == 1 else axes[::-1]
    sums = reductions.sum(abs(floating(x)), axis=along, keepdims=True)
    extreme = reductions.max if ord > 0 else reductions.min
    found = extreme(sums, axis=across, keepdims=True)
    return found if keepdims else squeeze(found, axes)


@array_function(numpy="linalg.norm(x, ord=None, axis=None, keepdims=False)")
def norm(
    x: ArrayLike, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Array:
    """A norm of vectors or of matrices, chosen as `numpy.linalg.norm` does.

    Without ord the root of the sum of squares of all elements, or over the axes. With ord one
    axis (or an x of 1 dimension) means `vector_norm`, two mean `matrix_norm` over them.

    Raises:
        AxisError: an axis that x does not have.
        ShapeError: ord with neither one axis nor two.
        ValueError: an ord that vectors, or matrices, do not have.

    >>> norm([[3, 0], [0, 4]]).item(), norm([[3, 0], [0, 4]], axis=0).to_list()
    (5.0, [3.0, 4.0])
    """
    array = as_array(x)
    ndim = len(array.shape)
    if axis is None and (ord is None or ndim == 1):
        axes: tuple[int, ...] | None = None
    else:
        axes = normalize_axes(axis, ndim, "norm")
    if axes is None or len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: ord is {ord!r}: of vectors expected a number")
        return vector_norm(array, axes, keepdims, 2 if ord is None else ord)
    if len(axes) != 2:
        raise ShapeError(
            f"norm: {len(axes)} axes of shape {array.shape}: expected 1 (norms of vectors) or 2 "
            f"(of matrices) as axis=; for all elements as one vector use vector_norm"
        )
    return _matrix_norm(array, "norm", axes, keepdims, ord)


class Norms(Array):
    """These functions as methods."""

    __slots__ = ()
    vector_norm: Final = vector_norm
    matrix_norm: Final = matrix_norm
    norm: Final = norm
