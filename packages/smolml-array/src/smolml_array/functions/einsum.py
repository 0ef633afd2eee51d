"""Einstein's summation: sums of products of two arrays, as batched matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import OUT, Rule
from smolml_array._graph.shaping import RESHAPE
from smolml_array._shapes.axes import Shape
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.indexing import index
from smolml_array.functions.linalg import beside
from smolml_array.functions.manipulation import PERMUTE_DIMS
from smolml_array.functions.subscripts import (
    Label,
    Labels,
    check_subscripts,
    layout,
    lengths_of,
    plan,
)
from smolml_array.functions.table import Tangents, entry, multilinear

# Two operands ----------------------------------------------------------------------------------


def _contracted(
    xp: Any, a: Raw, la: Labels, b: Raw, lb: Labels, out: Labels, zero_rule: bool = True
) -> Raw:
    """The sum of products over the labels that `out` lacks, each of which both operands have.

    One of the two holds cotangents or tangents, for which the zero rule holds, or none does.
    """
    matmul, multiply = xp.matmul, xp.multiply
    if zero_rule:
        matmul, multiply = xp.cotangent_matmul, xp.cotangent_product
    how = layout(la, a.shape, lb, b.shape, out)
    a = a if how.first is None else xp.permute_dims(a, how.first)
    b = b if how.second is None else xp.permute_dims(b, how.second)
    a = a if a.shape == how.first_shape else xp.reshape(a, how.first_shape)
    b = b if b.shape == how.second_shape else xp.reshape(b, how.second_shape)
    product = matmul if how.matrices else multiply
    made = product(b, a) if how.turned else product(a, b)
    made = made if made.shape == how.shape else xp.reshape(made, how.shape)
    return made if how.last is None else xp.permute_dims(made, how.last)


def _contract_jvp(
    xp: Any, tangents: Tangents, out: Raw, a: Raw, b: Raw, *, la: Labels, lb: Labels, to: Labels
) -> Raw:
    return multilinear(lambda x, y: _contracted(xp, x, la, y, lb, to), tangents, (a, b))


# It is its own derivative: the cotangent contracted with the other operand.
CONTRACT = Rule(
    "einsum",
    lambda xp, a, b, *, la, lb, to: _contracted(xp, a, la, b, lb, to, zero_rule=False),
    lambda xp, g, out, a, b, *, la, lb, to: _contracted(xp, g, to, b, lb, la),
    lambda xp, g, out, a, b, *, la, lb, to: _contracted(xp, g, to, a, la, lb),
    jvp=_contract_jvp,
    not_saved=(OUT,),
)

# One operand -----------------------------------------------------------------------------------


def _shaped(x: MLArray, shape: Shape) -> MLArray:
    return x if x.shape == shape else x._rule(RESHAPE, x, shape=shape)


def _arranged(x: MLArray, axes: Sequence[int]) -> MLArray:
    return x._rule(PERMUTE_DIMS, x, axes=tuple(axes))


def _opened(x: MLArray, labels: Labels, lengths: dict[Label, int]) -> tuple[MLArray, Labels]:
    """x with one axis for each label: without those that are broadcast, diagonals taken."""
    kept = [i for i, label in enumerate(labels) if x.shape[i] == lengths[label]]
    x, labels = _shaped(x, tuple(x.shape[i] for i in kept)), tuple(labels[i] for i in kept)
    while repeated := [label for label in labels if labels.count(label) > 1]:
        i = labels.index(repeated[0])
        j = labels.index(repeated[0], i + 1)
        rest = [k for k in range(len(labels)) if k not in (i, j)]
        x, labels = _arranged(x, (*rest, i, j)), tuple(labels[k] for k in (*rest, i))
        n = x.shape[-1]
        x = index(_shaped(x, (*x.shape[:-2], n * n)), (..., slice(None, None, n + 1)))
    return x, labels


def _summed(x: MLArray, labels: Labels, wanted: Labels) -> tuple[MLArray, Labels]:
    """x summed over the labels that nobody wants; bools, as in a product of them, are joined."""
    axes = tuple(i for i, label in enumerate(labels) if label not in wanted)
    if not axes:
        return x, labels
    add = x.any if x.dtype.name == "bool" else x.sum
    return add(axis=axes), tuple(label for label in labels if label in wanted)


def _step(operands: Sequence[MLArray], labels: Sequence[Labels], out: Labels) -> MLArray:
    """What the plan says of one operand or of two."""
    given = list(zip(operands, labels, strict=True))
    lengths = lengths_of(*((own, x.shape) for x, own in given))
    opened = [_opened(x, own, lengths) for x, own in given]
    if len(opened) == 1:
        x, own = _summed(*opened[0], out)
        return _arranged(x, [own.index(label) for label in out])
    (a, la), (b, lb) = opened
    a, la = _summed(a, la, lb + out)
    b, lb = _summed(b, lb, la + out)
    return a._rule(CONTRACT, a, b, la=la, lb=lb, to=out)


@entry()
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
    arrays: list[Any] = [beside(x, operands) for x in operands]
    dtype = MLArray._backend_of("einsum", arrays).result_type(*(x.dtype for x in arrays))
    arrays = [x.astype(dtype) if x.dtype.name == "bool" else x for x in arrays]  # to be counted
    for places, labels, output in plan(subscripts, tuple(x.shape for x in arrays)):
        made: MLArray = _step([arrays[i] for i in places], labels, output)
        arrays = [*(x for i, x in enumerate(arrays) if i not in places), made]
    return made
