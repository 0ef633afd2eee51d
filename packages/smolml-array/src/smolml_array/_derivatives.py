"""How transforms see arrays: their pullbacks and tangents, from the same rules as backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from smolml_array import _rules
from smolml_array._node import ArrayNode, Rule
from smolml_array._traced import traced
from smolml_array._windows import Element, ValuesNode
from smolml_array.array import MLArray
from smolml_array.functions import stack
from smolml_value import Op, Value, _derive
from smolml_value._graph import Node

Cotangent = Any  # an MLArray, or a Value for a Value


def _operands(node: ArrayNode) -> list[Any]:
    """What the rule of node was applied to, as operands."""
    found: list[Any] = []
    for parent, primal in zip(node.operands, node.primals, strict=True):
        if isinstance(parent, ArrayNode):
            found.append(MLArray._of(parent))
        elif parent is None and hasattr(primal, "shape"):
            found.append(MLArray._constant(node.backend, primal))
        elif parent is None or isinstance(node.rule, Op):
            found.append(primal if parent is None else parent)
        else:  # rules other than ops work on arrays
            found.append(MLArray(parent, backend=node.backend.name))
    return found


def _product(g: Any, p: Any) -> Any:
    """cotangent x partial, where a cotangent of zero gives zero whatever the partial is."""
    if isinstance(p, float | int) and p in (1, -1):
        return g if p == 1 else -g
    c = g * p
    xp, raw = (c._node.backend, c._fetch().raw)
    if bool(xp.all(xp.isfinite(raw))):
        return c
    zero = MLArray._constant(xp, xp.equal(_raw(g), 0))
    return traced(xp.name).where(zero, 0.0, c)


def _raw(x: Any) -> Any:
    return x._fetch().raw if isinstance(x, MLArray) else float(x)


def _parts(op: Op, node: ArrayNode, g: Any) -> list[Any]:
    """For each operand its part of the cotangent g, in the shape of the result."""
    xp = traced(node.backend.name)
    out, args = MLArray._of(node), _operands(node)
    if op.vjp is not None:
        return list(op.vjp(xp, g, out, *args))
    assert op.partials is not None
    return [
        None
        if parent is None or rule is None
        else _product(g, rule(xp, out, *args) if callable(rule) else rule)
        for parent, rule in zip(node.operands, op.partials, strict=True)
    ]


def _for_parent(parent: Node, c: Any) -> Any:
    """A cotangent in the kind of its parent: a Value for a Value."""
    return c.data if isinstance(parent, Value) and isinstance(c, MLArray) else c


@_derive.pull.register
def _(node: ArrayNode, g: Cotangent) -> Sequence[Cotangent | None]:
    rule = node.rule
    if rule is None:
        return ()
    xp = traced(node.backend.name)
    if isinstance(rule, Op):
        sums = [
            None if c is None else xp.sum_to_shape(c, getattr(primal, "shape", ()))
            for c, primal in zip(_parts(rule, node, g), node.primals, strict=True)
        ]
    else:
        out, args = MLArray._of(node), _operands(node)
        if rule.vjp_all is not None:
            sums = list(rule.vjp_all(xp, g, out, *args, **node.params))
        else:
            sums = [
                None if parent is None or vjp is None else vjp(xp, g, out, *args, **node.params)
                for parent, vjp in zip(node.operands, rule.vjps, strict=True)
            ]
    return [
        None if c is None else _for_parent(parent, c)
        for parent, c in zip(node.operands, sums, strict=True)
        if parent is not None
    ]


@_derive.push_tangent.register
def _(node: ArrayNode, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    rule = node.rule
    known = iter(tangents)
    every = [None if parent is None else next(known) for parent in node.operands]
    if isinstance(rule, Op) and rule.partials is not None:
        ones = MLArray._constant(node.backend, node.backend.ones_like(node.out))
        total: Any = None
        for t, p in zip(every, _parts(rule, node, ones), strict=True):
            if t is not None and p is not None:
                term = _product(p, t) if isinstance(t, Value) else _tangent_product(p, t)
                total = term if total is None else total + term
        return total
    if isinstance(rule, Rule) and rule.linear == "jointly":
        arrays = [
            MLArray._constant(node.backend, node.backend.zeros_like(primal)) if t is None else t
            for t, primal in zip(every, node.primals, strict=True)
        ]
        return MLArray._rule(rule, *arrays, **node.params)
    if isinstance(rule, Rule) and rule.linear == "each":
        args = _operands(node)
        total = None
        for i, t in enumerate(every):
            if t is not None:
                term = MLArray._rule(rule, *args[:i], t, *args[i + 1 :], **node.params)
                total = term if total is None else total + term
        return total
    zero = MLArray._constant(node.backend, node.backend.zeros_like(node.out))
    return _derive.transposed(zero, lambda g: _derive.pull(node, g), tangents)


def _tangent_product(p: MLArray, t: MLArray) -> MLArray:
    """partial x tangent in the shape of the partial; zero where the tangent is."""
    out: MLArray = _product(t if t.shape == p.shape else t.broadcast_to(p.shape), p)
    return out


@_derive.pull.register
def _(node: ValuesNode, g: Cotangent) -> Sequence[Cotangent | None]:
    return list(g._values())


@_derive.push_tangent.register
def _(node: ValuesNode, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    flat = [0.0 if t is None else t for t in tangents]
    return MLArray(flat, backend=node.backend.name).reshape(node.shape)


@_derive.pull.register
def _(node: Element, g: Cotangent) -> Sequence[Cotangent | None]:
    array = node._node
    flat = MLArray._constant(array.backend, array.backend.zeros((array.raw.size,)))
    placed = MLArray._rule(_rules.INDEX_ADD, flat, g, key=node._index)
    return [MLArray._rule(_rules.RESHAPE, placed, shape=array.shape)][: len(node._parents())]


@_derive.push_tangent.register
def _(node: Element, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    (t,) = tangents
    return None if t is None else t.flatten()[node._index].data


# Operands --------------------------------------------------------------------------------------


@_derive.node_of.register
def _(x: MLArray) -> Node:
    return x._fetch()


@_derive.fresh.register
def _(x: MLArray) -> MLArray:
    node = x._fetch()
    if not node.backend.isdtype(node.raw.dtype, "real floating"):
        raise TypeError(
            f"cannot differentiate by an array of {node.raw.dtype}; use x.astype('float64')"
        )
    if node.tracked:
        return MLArray._rule(_rules.RESHAPE, x, shape=node.shape)
    return MLArray._of(ArrayNode(node.backend, node.raw, True))


@_derive.shape_of.register
def _(x: MLArray) -> tuple[int, ...]:
    return x.shape


@_derive.full_like.register
def _(x: MLArray, number: float) -> MLArray:
    node = x._fetch()
    return MLArray._constant(node.backend, node.backend.full_like(node.raw, number))


@_derive.constant.register
def _(x: MLArray) -> MLArray:
    return x.detach()


@_derive.basis.register
def _(x: MLArray) -> list[Any]:
    node = x._fetch()
    xp, count = node.backend, math.prod(node.shape)
    zeros = xp.zeros((count,), dtype=node.raw.dtype)
    return [
        MLArray._constant(xp, xp.reshape(xp.index_put(zeros, i, 1.0), node.shape))
        for i in range(count)
    ]


@_derive.inner.register
def _(x: MLArray, y: Any) -> MLArray:
    out: MLArray = (x * y).sum()
    return out


@_derive.assembled.register
def _(like: MLArray, rows: list[Any], axis_first: bool, other: Any) -> MLArray:
    shape = _derive.shape_of(other)
    if not rows:
        joined = (*like.shape, *shape) if axis_first else (*shape, *like.shape)
        return MLArray._constant(like._node.backend, like._node.backend.zeros(joined))
    if shape == () and not isinstance(rows[0], MLArray):
        return MLArray(rows, backend=like.backend).reshape(like.shape)
    if axis_first:
        return stack(rows).reshape((*like.shape, *shape))
    return stack(rows, axis=-1).reshape((*shape, *like.shape))


@_derive.to_numbers.register
def _(x: MLArray) -> list[float]:
    node = x._fetch()
    return [float(number) for number in node.backend.to_flat(node.raw)]


@_derive.from_numbers.register
def _(like: MLArray, numbers: list[float]) -> MLArray:
    node = like._fetch()
    raw = node.backend.from_flat(numbers, node.shape, node.raw.dtype)
    return MLArray._of(ArrayNode(node.backend, raw, True))


class CustomNode(ArrayNode):
    """An array whose parents and derivative were given (custom_vjp, checkpoint)."""

    __slots__ = ("inputs", "pullback")

    def __init__(self, x: MLArray, inputs: Sequence[Any], pullback: _derive.Pullback) -> None:
        node = x._fetch()
        super().__init__(node.backend, node.raw, True, _CUSTOM)
        self.inputs = tuple(inputs)
        self.pullback = pullback

    def _parents(self) -> Sequence[Node]:
        return [_derive.node_of(x) for x in self.inputs]

    def _push(self) -> None:
        self._gather_elements()
        if self._cotangent is None:
            return
        g = MLArray._constant(self.backend, self._cotangent)
        for x, c in zip(self.inputs, self.pullback(g), strict=True):
            if c is not None:
                _derive.receive(_derive.node_of(x), c)


_CUSTOM = Rule("custom", lambda xp, *xs: xs[0])


@_derive.with_pullback.register
def _(x: MLArray, parents: Sequence[Any], pullback: _derive.Pullback) -> MLArray:
    return MLArray._of(CustomNode(x, parents, pullback))


@_derive.pull.register
def _(node: CustomNode, g: Cotangent) -> Sequence[Cotangent | None]:
    return node.pullback(g)


@_derive.push_tangent.register
def _(node: CustomNode, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    zero = MLArray._constant(node.backend, node.backend.zeros_like(node.out))
    return _derive.transposed(zero, node.pullback, tangents)


@_derive.receive.register
def _(node: ArrayNode, c: Any) -> None:
    raw = _raw(c)
    if not hasattr(raw, "shape"):
        raw = node.backend.asarray(raw, dtype=node.raw.dtype)
    node._receive(raw, node.raw, "custom")
