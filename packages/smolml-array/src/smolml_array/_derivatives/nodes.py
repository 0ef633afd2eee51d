"""How transforms see array nodes: cotangents and tangents from the same rules as backward.

The rules are written against the backend protocol. Run with a backend on raw arrays they give
numbers, run with the traced namespace on arrays they give operands; one walk serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from smolml_array._derivatives.traced import traced
from smolml_array._graph.gathering import plus, whole
from smolml_array._graph.node import ArrayNode, cast
from smolml_array._graph.rule import call_plugin, is_plugin
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import Element, ValuesNode, elements_at
from smolml_array._graph.vjps import check_shape, cotangents_of, evaluated
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.table import added, multilinear
from smolml_value import GraphError, Op, Value
from smolml_value.extending import Node
from smolml_value.extending.derivatives import NodeRules, OutputRules, Parts, pinned, register


class ArrayNodeRules(NodeRules):
    """The answers for what an op or a rule made.

    Sums of cotangents are whole arrays, or dicts index -> number or Value for single elements.
    """

    def vjp(self, node: ArrayNode, g: MLArray, needs: Sequence[bool]) -> Parts:
        found = cotangents_of(_on_operands(node), g, node.wanted(needs))
        return [
            None if c is None else _for_parent(parent, c)
            for parent, c in zip(node.operands, found, strict=True)
            if parent is not None
        ]

    def jvp(self, node: ArrayNode, tangents: Parts, create_graph: bool) -> Any:
        xp, out = node.backend, node.out
        known = iter(tangents)
        every = [None if parent is None else next(known) for parent in node.operands]
        if not create_graph:
            call = partial(call_plugin, xp) if is_plugin(node.rule) else xp.silence.run
            every = [xp.asarray(t, dtype=out.dtype) if t.__class__ is float else t for t in every]
            t: Raw | None = call(_jvp, node, every)
            return t if t is None else cast(xp, t, out)
        every = [
            _typed(MLArray(t, backend=xp.name), out) if isinstance(t, Value) else t for t in every
        ]
        made = _jvp(_on_operands(node), every)
        return None if made is None else _typed(made, out)

    def plus(self, node: ArrayNode, a: Any, b: Any) -> Any:
        if isinstance(a, MLArray) or isinstance(b, MLArray):
            return self.finalize(node, a) + self.finalize(node, b)
        return plus(node.backend, node.raw, a, b)

    def finalize(self, node: ArrayNode, g: Any) -> Any:
        xp, raw = node.backend, node.raw
        if not isinstance(g, dict) or not any(isinstance(c, Value) for c in g.values()):
            return whole(xp, raw, g)
        return of_values(node, [g.get(i) for i in range(raw.size)])

    def lift(self, node: ArrayNode, number: Raw) -> MLArray:
        return MLArray._constant(node.backend, number)

    def values(self, node: ArrayNode) -> Sequence[Value]:
        return elements_at(node, range(node.raw.size))


class ValuesNodeRules(ArrayNodeRules):
    """The answers for arrays of Values that the user holds."""

    def vjp(self, node: Any, g: MLArray, needs: Sequence[bool]) -> Parts:
        return list(g._values())

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Any:
        if create_graph:
            return of_values(node, tangents)
        flat = [0.0 if t is None else t for t in tangents]
        return node.backend.from_flat(flat, node.shape, node.raw.dtype)


class ElementRules(OutputRules):
    """The answers for elements of arrays; as nodes and as operands."""

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Any:
        (t,) = tangents
        if t is None or create_graph:
            return self._picked(node, t)
        xp = node._node.backend
        return float(xp.index(xp.reshape(t, (-1,)), node._index))

    def sources(self, x: Element) -> tuple[list[Node], Callable[[list[Any]], Any]]:
        return [x._node], lambda cotangents: self._picked(x, cotangents[0])

    def _picked(self, x: Element, c: MLArray | None) -> Value | None:
        return None if c is None else c.flatten()[x._index].data


def of_values(node: ArrayNode, parts: Sequence[Any]) -> MLArray:
    """An array like that of a node from Values and numbers in C order; None is zero."""
    flat = [0.0 if c is None else c for c in parts]
    return _typed(MLArray(flat, backend=node.backend.name).reshape(node.shape), node.raw)


def _typed(x: MLArray, like: Raw) -> MLArray:
    """x in the type of these numbers."""
    return x if x.dtype == like.dtype else x.astype(like.dtype)


def _pinned(node: ArrayNode, raw: Raw) -> MLArray:
    """The array of a node with the numbers that it had: its data may have been set since."""
    return MLArray._from_node(node) if node.current() is raw else same_numbers(node, raw)


def same_numbers(node: ArrayNode, raw: Raw) -> MLArray:
    """A result with these numbers, whose gradients are those of the node."""
    params = {"shape": raw.shape}
    return MLArray._from_node(ArrayNode(node.backend, raw, True, RESHAPE, (node,), (raw,), params))


def _on_operands(node: ArrayNode) -> ArrayNode:
    """The node with operands in place of numbers: its rule, run on them, can be differentiated."""
    found: list[Any] = []
    for parent, primal in zip(node.operands, node.primals, strict=True):
        if isinstance(parent, ArrayNode):
            found.append(_pinned(parent, primal))
        elif isinstance(parent, Value):
            value = pinned(parent, float(primal))
            # rules other than ops work on arrays
            is_op = isinstance(node.rule, Op)
            found.append(value if is_op else MLArray(value, backend=node.backend.name))
        elif hasattr(primal, "shape"):
            found.append(MLArray._constant(node.backend, primal))
        else:
            found.append(Value(primal))  # and not a number: Python's own 1 / 0.0 raises
    xp: Any = traced(node.backend.name)
    out = _pinned(node, node.out)
    return ArrayNode(xp, out, True, node.rule, node.operands, found, node.params)


def _for_parent(parent: Node, c: MLArray) -> Any:
    """A cotangent in the kind of its parent: a Value for a Value."""
    if isinstance(parent, Value):
        return c.data
    assert isinstance(parent, ArrayNode)
    return _typed(c, parent.raw)


# Tangents --------------------------------------------------------------------------------------


def _jvp(node: ArrayNode, tangents: Sequence[Any]) -> Any:
    """The tangent of the result: as numbers or operands, as those of the node are."""
    rule, xp, args, params = node.rule, node.backend, node.primals, node.params
    assert rule is not None
    known = [(i, t) for i, t in enumerate(tangents) if t is not None]
    if isinstance(rule, Op):
        return added(
            xp.cotangent_product(_spread(node, t), p)
            for i, t in known
            if (p := _partial(rule, i, node)) is not None
        )
    if rule.jvp is None:
        raise GraphError(
            f"{rule.name}: its rule says nothing of tangents, which forward mode needs; give it "
            f"jvp="
        )
    if callable(rule.jvp):
        made = rule.jvp(xp, tangents, node.out, *args, **params)
        check_shape(rule, "tangent", made, "a result", node.out)
        return made
    if rule.jvp == "linear":
        given = [xp.zeros_like(a) if t is None else t for a, t in zip(args, tangents, strict=True)]
        return rule.forward(xp, *given, **params)
    if rule.jvp == "multilinear":
        return multilinear(partial(rule.forward, xp, **params), tangents, args)
    return added(_reduced(node, rule.vjps[i], t) for i, t in known)


def _reduced(node: ArrayNode, vjp: Any, t: Any) -> Any:
    """The vjp of a reduction is (g, put back along the axis) x weights.

    So its tangent is the sum of tangents x weights.
    """
    xp, out, params = node.backend, node.out, node.params
    weights = vjp(xp, xp.ones_like(out), out, *node.primals, **params)
    terms = xp.cotangent_product(t, weights)
    return xp.sum(terms, axis=params.get("axis"), keepdims=params.get("keepdims", False))


def _spread(node: ArrayNode, t: Any) -> Any:
    """A tangent in the shape of the result."""
    return t if t.shape == node.out.shape else node.backend.broadcast_to(t, node.out.shape)


def _partial(op: Op, i: int, node: ArrayNode) -> Any:
    """The partial to operand i: an array or a number; None for zero."""
    xp, out = node.backend, node.out
    if op.vjp is not None:
        return op.vjp(xp, xp.ones_like(out), out, *node.primals)[i]
    assert op.partials is not None
    p = op.partials[i]
    if callable(p):
        return evaluated(p, xp, out, node.primals)
    return None if p == 0 else p


register(ArrayNode, ArrayNodeRules())
register(ValuesNode, ValuesNodeRules())
register(Element, ElementRules())
