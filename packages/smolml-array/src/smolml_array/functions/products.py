"""Sums of products, running sums and norms of arrays, as functions."""

from __future__ import annotations

from collections.abc import Sequence

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import Axis, ShapeError, _broadcast_shapes, matmul_shape
from smolml_array.array import MLArray
from smolml_array.functions import rules_affine, rules_einsum
from smolml_array.functions.joining import _array
from smolml_array.functions.subscripts import check_subscripts, plan
from smolml_value import Value
from smolml_value.extending import is_number


def _beside(x: ArrayLike, others: Sequence[ArrayLike]) -> MLArray:
    """x as an array; a number or a Value takes the type of the floats beside it."""
    made = _array(x, *others)
    if isinstance(x, Value) or is_number(x):
        floats = (o for o in others if isinstance(o, MLArray) and o.dtype.name.startswith("float"))
        like = next(floats, made)
        return made if like.dtype == made.dtype else made.astype(like.dtype)
    return made


def einsum(subscripts: str, *operands: ArrayLike) -> MLArray:
    """Einstein's summation: products over labelled axes, summed over labels the result lacks.

    "ij,jk->ik" is the matrix product, "ii->i" the diagonal, "bi,bj->bij" the outer product of
    each pair of rows. Without "->" the result has the labels that stand only once, in
    alphabetical order. "..." stands for the axes that are not named, which broadcast. As
    `numpy.einsum`; three and more operands are contracted in pairs, in the greedy order of
    opt_einsum (Smith and Gray 2018), each pair as a batched matrix product.

    Args:
        subscripts: letters for the axes of each operand, separated by commas.
        operands: anything that MLArray takes.

    Raises:
        ValueError: subscripts that cannot be read, or do not fit the operands.
        ShapeError: one label for axes of different lengths.

    >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1.0, -1.0]).to_list()
    [-1.0, -1.0]
    >>> einsum("ii", [[1, 2], [3, 4]]).item()
    5.0
    """
    check_subscripts(subscripts)
    arrays = [_beside(x, operands) for x in operands]
    for places, labels, output in plan(subscripts, tuple(x.shape for x in arrays)):
        chosen = [arrays[i] for i in places]
        rule = rules_einsum.EINSUM_OF_ONE if len(labels) == 1 else rules_einsum.EINSUM_OF_TWO
        arrays = [x for i, x in enumerate(arrays) if i not in places]
        arrays.append(MLArray._rule(rule, *chosen, labels=labels, output=output))
    return arrays[0]


def affine(x: ArrayLike, w: ArrayLike, b: ArrayLike) -> MLArray:
    """x @ w + b in one step: what a layer of neurons computes, for less memory and time.

    Args:
        x: inputs, (..., n).
        w: weights, (n, m).
        b: offsets that broadcast to x @ w, (m,) as a rule.

    Raises:
        ShapeError: x and w do not align, or b does not broadcast to x @ w.

    >>> affine([[1.0, 2.0]], [[1.0], [10.0]], [100.0]).to_list()
    [[121.0]]
    """
    if not (isinstance(x, MLArray) and isinstance(w, MLArray) and isinstance(b, MLArray)):
        x, w, b = _array(x, w, b), _array(w, x, b), _array(b, x, w)
    try:
        return MLArray._rule(rules_affine.AFFINE, x, w, b)
    except ValueError:
        product = matmul_shape(x.shape, w.shape, "affine")
        if _broadcast_shapes(product, b.shape, who="affine") == product:
            raise
    raise ShapeError(
        f"affine: b of shape {b.shape} does not broadcast to {product}, the shape of x @ w"
    )


def outer(x1: ArrayLike, x2: ArrayLike) -> MLArray:
    """The products of all pairs of elements: out[i, j] = x1[i] x2[j], both flattened.

    >>> outer([1, 2], [3, 4]).to_list()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return _beside(x1, (x2,)).outer(x2)


def cumulative_sum(x: ArrayLike, axis: int | None = None, include_initial: bool = False) -> MLArray:
    """The sums of the elements up to each one: out[k] = x[0] + ... + x[k].

    Args:
        x: anything that MLArray takes.
        axis: along which axis; only an x of 1 dimension need not name it.
        include_initial: whether a 0 comes first.

    Raises:
        AxisError: an axis that x does not have, or none where x has several.

    >>> cumulative_sum([1, 2, 3]).to_list()
    [1.0, 3.0, 6.0]
    """
    return _array(x).cumulative_sum(axis, include_initial)


def cumulative_prod(
    x: ArrayLike, axis: int | None = None, include_initial: bool = False
) -> MLArray:
    """The products of the elements up to each one: out[k] = x[0] ... x[k].

    The gradient is found without division, so that zeros among the elements do no harm.

    Args:
        x: anything that MLArray takes.
        axis: along which axis; only an x of 1 dimension need not name it.
        include_initial: whether a 1 comes first.

    Raises:
        AxisError: an axis that x does not have, or none where x has several.

    >>> cumulative_prod([1, 2, 3]).to_list()
    [1.0, 2.0, 6.0]
    """
    return _array(x).cumulative_prod(axis, include_initial)


def vector_norm(x: ArrayLike, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> MLArray:
    """(sum |x|**ord)**(1 / ord) over an axis, several, or all (None).

    ord=1 is the sum and ord=math.inf the largest of the absolute values, -math.inf the smallest,
    0 the number of elements that are not 0 (a constant). Where the norm is 0 the gradient is 0,
    and so is its part for an element that is 0; several equal extremes send it to the first one.

    Raises:
        AxisError: an axis that x does not have.
        ValueError: an ord that is no number.

    >>> vector_norm([3, 4]).item(), vector_norm([3, 4], ord=1).item()
    (5.0, 7.0)
    """
    return _array(x).vector_norm(axis, keepdims, ord)


def matrix_norm(x: ArrayLike, keepdims: bool = False, ord: float | str = "fro") -> MLArray:
    """A norm of the matrices in the last two axes.

    "fro" is the root of the sum of squares, 1 and math.inf the largest sum of absolute values
    in a column and in a row, -1 and -math.inf the smallest.

    Raises:
        ShapeError: x has fewer than 2 dimensions.
        ValueError: another ord; those that need singular values are not here.

    >>> matrix_norm([[1, 2], [3, 4]], ord=1).item()
    6.0
    """
    return _array(x).matrix_norm(keepdims, ord)


def norm(
    x: ArrayLike, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> MLArray:
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
    return _array(x).norm(ord, axis, keepdims)
