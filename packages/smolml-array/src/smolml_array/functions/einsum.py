"""Einstein's summation: of one operand and of two, as batched matrix products."""

from __future__ import annotations

from typing import Any

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Shape, inverse_permutation
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.linalg import beside
from smolml_array.functions.subscripts import (
    Label,
    Labels,
    check_subscripts,
    layout,
    lengths_of,
    plan,
)
from smolml_array.functions.table import entry

_Lengths = dict[Label, int]

# Axes ------------------------------------------------------------------------------------------


def _arranged(xp: Any, x: Raw, labels: Labels, order: Labels) -> Raw:
    """x with its axes in another order."""
    if labels == order:
        return x
    return xp.permute_dims(x, tuple(labels.index(label) for label in order))


def _shaped(xp: Any, x: Raw, shape: Shape) -> Raw:
    return x if x.shape == shape else xp.reshape(x, shape)


def _repeated(labels: Labels) -> Label | None:
    """The first label that stands at two axes."""
    return next((x for i, x in enumerate(labels) if x in labels[:i]), None)


def _pair_last(labels: Labels, label: Label) -> tuple[tuple[int, ...], Labels]:
    """The order that puts the first two axes of a label last, and the labels of their diagonal."""
    i = labels.index(label)
    j = labels.index(label, i + 1)
    rest = [k for k in range(len(labels)) if k not in (i, j)]
    return (*rest, i, j), (*(labels[k] for k in rest), label)


def _diagonals(xp: Any, x: Raw, labels: Labels) -> tuple[Raw, Labels]:
    """x with one axis for each label: of those that share a label, the diagonal."""
    while (label := _repeated(labels)) is not None:
        order, labels = _pair_last(labels, label)
        x = xp.permute_dims(x, order)
        n = x.shape[-1]
        x = xp.index(xp.reshape(x, (*x.shape[:-2], n * n)), (..., slice(None, None, n + 1)))
    return x, labels


def _diagonals_vjp(xp: Any, g: Raw, labels: Labels, shape: Shape) -> Raw:
    """g, put back on the diagonals of zeros of the shape."""
    label = _repeated(labels)
    if label is None:
        return g
    order, inner_labels = _pair_last(labels, label)
    turned = tuple(shape[k] for k in order)
    g = _diagonals_vjp(xp, g, inner_labels, turned[:-1])
    n = turned[-1]
    zeros = xp.zeros((*turned[:-2], n * n), dtype=g.dtype)
    flat = xp.index_add(zeros, (..., slice(None, None, n + 1)), g)
    return xp.permute_dims(xp.reshape(flat, turned), inverse_permutation(order))


def _kept(labels: Labels, shape: Shape, lengths: _Lengths) -> list[int]:
    """The axes that are not there only to be broadcast."""
    return [i for i, x in enumerate(labels) if shape[i] == lengths[x]]


def _opened(xp: Any, x: Raw, labels: Labels, lengths: _Lengths) -> tuple[Raw, Labels]:
    """An operand ready to contract: without axes that are broadcast, diagonals taken."""
    kept = _kept(labels, x.shape, lengths)
    if len(kept) != len(labels):
        x = xp.reshape(x, tuple(x.shape[i] for i in kept))
        labels = tuple(labels[i] for i in kept)
    return _diagonals(xp, x, labels)


# Contraction of operands with one axis for each label ------------------------------------------


def _summed(xp: Any, x: Raw, labels: Labels, wanted: Labels) -> tuple[Raw, Labels]:
    """x summed over the labels that nobody wants; bools, as in a product of them, are joined."""
    axes = tuple(i for i, label in enumerate(labels) if label not in wanted)
    if not axes:
        return x, labels
    add = xp.any if x.dtype.name == "bool" else xp.sum
    return add(x, axis=axes), tuple(label for label in labels if label in wanted)


def _single(xp: Any, x: Raw, labels: Labels, out: Labels) -> Raw:
    x, labels = _summed(xp, x, labels, out)
    return _arranged(xp, x, labels, out)


def _contracted(xp: Any, a: Raw, la: Labels, b: Raw, lb: Labels, out: Labels) -> Raw:
    """The sum of products over the labels that `out` lacks."""
    a, la = _summed(xp, a, la, lb + out)
    b, lb = _summed(xp, b, lb, la + out)
    how = layout(la, a.shape, lb, b.shape, out)
    a = _shaped(xp, a if how.first is None else xp.permute_dims(a, how.first), how.first_shape)
    b = _shaped(xp, b if how.second is None else xp.permute_dims(b, how.second), how.second_shape)
    if not how.matrices:
        made = xp.multiply(a, b)
    else:
        made = _shaped(xp, xp.matmul(b, a) if how.turned else xp.matmul(a, b), how.shape)
    return made if how.last is None else xp.permute_dims(made, how.last)


# Rules -----------------------------------------------------------------------------------------


def _closed(xp: Any, g: Raw, has: Labels, labels: Labels, shape: Shape, lengths: _Lengths) -> Raw:
    """The cotangent of an operand from what contraction gave for its labels `has`."""
    kept = _kept(labels, shape, lengths)
    inner_shape = tuple(shape[i] for i in kept)
    inner_labels = tuple(labels[i] for i in kept)
    single = inner_labels
    while (label := _repeated(single)) is not None:
        single = _pair_last(single, label)[1]
    g = _arranged(xp, g, has, tuple(x for x in single if x in has))
    if len(has) != len(single):  # what was summed over alone went in as often as it is long
        g = xp.reshape(g, tuple(lengths[x] if x in has else 1 for x in single))
        g = xp.broadcast_to(g, tuple(lengths[x] for x in single))
    g = _diagonals_vjp(xp, g, inner_labels, inner_shape)
    return _shaped(xp, g, shape)


def _one(xp: Any, x: Raw, *, labels: tuple[Labels], output: Labels) -> Raw:
    x, own = _diagonals(xp, x, labels[0])
    return _single(xp, x, own, output)


def _one_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, labels: tuple[Labels], output: Labels) -> Raw:
    lengths = lengths_of((labels[0], x.shape))
    return _closed(xp, g, output, labels[0], x.shape, lengths)


def _two(xp: Any, a: Raw, b: Raw, *, labels: tuple[Labels, Labels], output: Labels) -> Raw:
    lengths = lengths_of((labels[0], a.shape), (labels[1], b.shape))
    a, la = _opened(xp, a, labels[0], lengths)
    b, lb = _opened(xp, b, labels[1], lengths)
    return _contracted(xp, a, la, b, lb, output)


def _two_vjp(i: int) -> Any:
    """The cotangent of one operand: g contracted with the other."""

    def vjp(
        xp: Any, g: Raw, out: Raw, a: Raw, b: Raw, *, labels: tuple[Labels, Labels], output: Labels
    ) -> Raw:
        own, other = ((a, labels[0]), (b, labels[1]))[:: -1 if i else 1]
        lengths = lengths_of((labels[0], a.shape), (labels[1], b.shape))
        x, lx = _opened(xp, other[0], other[1], lengths)
        kept = [own[1][k] for k in _kept(own[1], own[0].shape, lengths)]
        has = tuple(label for label in dict.fromkeys(kept) if label in output or label in lx)
        g = _contracted(xp, g, output, x, lx, has)
        return _closed(xp, g, has, own[1], own[0].shape, lengths)

    return vjp


EINSUM_OF_ONE = Rule("einsum", _one, _one_vjp, jvp="linear")
EINSUM_OF_TWO = Rule("einsum", _two, _two_vjp(0), _two_vjp(1), jvp="multilinear")


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
    for places, labels, output in plan(subscripts, tuple(x.shape for x in arrays)):
        chosen = [arrays[i] for i in places]
        rule = EINSUM_OF_ONE if len(labels) == 1 else EINSUM_OF_TWO
        arrays = [x for i, x in enumerate(arrays) if i not in places]
        arrays.append(MLArray._rule(rule, *chosen, labels=labels, output=output))
    made: MLArray = arrays[0]
    return made
