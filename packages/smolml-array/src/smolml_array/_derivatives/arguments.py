"""How transforms see arrays as arguments and results, and as results of hubs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from smolml_array._derivatives.traced import traced
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import Element, ValuesNode
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Raw
from smolml_array.functions.joining import stack
from smolml_value import GraphError
from smolml_value.extending import MODE, Node
from smolml_value.extending.derivatives import Hub, derive

# Operands --------------------------------------------------------------------------------------


@derive._node_of.register(MLArray)
def _(x: MLArray) -> Node:
    return x._fetch()


@derive.is_tracked.register(MLArray)
def _(x: MLArray) -> bool:
    return x._fetch().tracked


def _differentiable(x: MLArray) -> ArrayNode:
    node = x._fetch()
    if not node.backend.isdtype(node.raw.dtype, "real floating"):
        raise TypeError(f"an array of {node.raw.dtype} has no derivative; use x.astype('float64')")
    return node


@derive.fresh.register(MLArray)
def _(x: MLArray) -> MLArray:
    node = _differentiable(x)
    if node.tracked:
        return MLArray._rule(RESHAPE, x, shape=node.shape)
    return MLArray._of(ArrayNode(node.backend, node.raw, True))


@derive.leaf.register(MLArray)
def _(x: MLArray) -> MLArray:
    node = _differentiable(x)
    return MLArray._of(ArrayNode(node.backend, node.raw, True))


@derive.constant.register(MLArray)
def _(x: MLArray) -> MLArray:
    return x.detach()


@derive.shape_of.register(MLArray)
def _(x: MLArray) -> tuple[int, ...]:
    return x.shape


@derive.number_of.register(MLArray)
def _(x: MLArray) -> Raw:
    return x._fetch().raw


@derive.operand.register(ArrayNode)
def _(node: ArrayNode, number: Raw) -> MLArray:
    return MLArray._constant(node.backend, number)


@derive.full_like.register(MLArray)
def _(x: MLArray, number: float) -> MLArray:
    node = x._fetch()
    return MLArray._constant(node.backend, node.backend.full_like(node.raw, number))


@derive.basis.register(MLArray)
def _(x: MLArray) -> list[Any]:
    node = x._fetch()
    xp, count = node.backend, math.prod(node.shape)
    zeros = xp.zeros((count,), dtype=node.raw.dtype)
    return [
        MLArray._constant(xp, xp.reshape(xp.index_put(zeros, i, 1.0), node.shape))
        for i in range(count)
    ]


@derive.inner.register(MLArray)
def _(x: MLArray, y: Any) -> MLArray:
    out: MLArray = (x * y).sum()
    return out


@derive.assembled.register(MLArray)
def _(like: MLArray, rows: list[Any], axis_first: bool, other: Any) -> MLArray:
    shape = derive.shape_of(other)
    if not rows:
        joined = (*like.shape, *shape) if axis_first else (*shape, *like.shape)
        return MLArray._constant(like._node.backend, like._node.backend.zeros(joined))
    if not isinstance(rows[0], MLArray):
        return MLArray(rows, backend=like.backend).reshape(like.shape)
    if axis_first:
        return stack(rows).reshape((*like.shape, *shape))
    return stack(rows, axis=-1).reshape((*shape, *like.shape))


@derive.sources.register(MLArray)
def _(x: MLArray) -> tuple[list[Node], Callable[[list[Any]], Any]]:
    """The gradient of a window is what it shows of its root's, that of Values is theirs."""
    node = x._fetch()
    view = x._view
    if view is not None:
        nodes, shown = derive.sources(view.root)
        xp = traced(node.backend.name)

        def through(cotangents: list[Any]) -> Any:
            c = shown(cotangents)
            if c is None:
                return None
            for rule, params in view.steps():
                c = rule.forward(xp, c, **params)
            return c

        return nodes, through
    if isinstance(node, ValuesNode):

        def joined(cotangents: list[Any]) -> Any:
            flat = [0.0 if c is None else c for c in cotangents]
            return MLArray(flat, backend=node.backend.name).reshape(node.shape)

        return list(node.values), joined
    return [node], lambda cotangents: cotangents[0]


@derive.sources.register(Element)
def _(x: Element) -> tuple[list[Node], Callable[[list[Any]], Any]]:
    def picked(cotangents: list[Any]) -> Any:
        (c,) = cotangents
        return None if c is None else c.flatten()[x._index].data

    return [x._node], picked


@derive.to_floats.register(MLArray)
def _(x: MLArray) -> list[float]:
    node = x._fetch()
    return [float(number) for number in node.backend.to_flat(node.raw)]


@derive.from_floats.register(MLArray)
def _(like: MLArray, numbers: list[float]) -> MLArray:
    node = like._fetch()
    raw = node.backend.from_flat(numbers, node.shape, node.raw.dtype)
    return MLArray._of(ArrayNode(node.backend, raw, node.tracked))


@derive.epsilon.register(MLArray)
def _(x: MLArray) -> float:
    node = x._fetch()
    is_float = node.backend.isdtype(node.raw.dtype, "real floating")
    return float(node.backend.finfo(node.raw.dtype).eps) if is_float else 2.0**-52


@derive.is_close.register(MLArray)
def _(x: MLArray, y: MLArray) -> bool:
    if not isinstance(y, MLArray) or x.shape != y.shape:
        return False
    a, b = x._fetch().raw, y._fetch().raw
    return bool(x._node.backend.silence.run(_close, x._node.backend, a, b, 1e4 * derive.epsilon(x)))


def _close(xp: Any, a: Raw, b: Raw, tolerance: float) -> Raw:
    near = xp.abs(a - b) <= tolerance * xp.maximum(xp.abs(a), xp.abs(b))
    return xp.all(near | (a == b) | (xp.isnan(a) & xp.isnan(b)))


# Results of hubs -------------------------------------------------------------------------------


class PartNode(ArrayNode):
    """An array that is one result of a hub."""

    __slots__ = ("_hub", "_index")

    def __init__(self, node: ArrayNode, hub: Hub, index: int, op: str) -> None:
        super().__init__(node.backend, node.raw, True, Rule(op, lambda xp, *xs: xs[0]))
        self._hub = hub
        self._index = index
        if MODE.watched:
            MODE.watcher.made(self)

    def _parents(self) -> Sequence[Node]:
        return (self._hub,)

    def _operands(self) -> Sequence[Any]:
        return (self._hub,)

    def _cotangents(self, g: Raw, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [{self._index: MLArray._constant(self.backend, g)}]

    def _push(self) -> None:
        self._gather_elements()
        if self._cotangent is not None:
            self._hub.collect(*self._cotangents(self._cotangent))


@derive.part_of.register(MLArray)
def _(x: MLArray, hub: Hub, index: int, op: str) -> MLArray:
    return MLArray._of(PartNode(x._fetch(), hub, index, op))


@derive.pull_operands.register(PartNode)
def _(node: PartNode, g: MLArray, needs: Sequence[bool]) -> Sequence[Any]:
    return [{node._index: g}]


@derive.push_numbers.register(PartNode)
def _(node: PartNode, tangents: Sequence[Any]) -> Raw | None:
    t = tangents[0][node._index]
    return None if t is None else t._fetch().raw


@derive.push_operands.register(PartNode)
def _(node: PartNode, tangents: Sequence[Any]) -> MLArray | None:
    t: MLArray | None = tangents[0][node._index]
    return t


@derive.receive.register(ArrayNode)
def _(node: ArrayNode, c: Any) -> None:
    raw = derive.number_of(c)
    if not hasattr(raw, "shape"):
        raw = node.backend.asarray(raw, dtype=node.raw.dtype)
    if raw.shape != node.shape:
        raise GraphError(
            f"a transform: its rule returned a cotangent of shape {raw.shape} for an operand of "
            f"shape {node.shape}; they must be equal"
        )
    node._receive(raw)
