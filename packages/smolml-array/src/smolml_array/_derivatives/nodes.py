"""How transforms see array nodes: cotangents and tangents from the same rules as backward.

The rules are written against the backend protocol. Run with a backend on raw arrays they give
numbers, run with the traced namespace on arrays they give operands; one walk serves both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from smolml_array._derivatives.traced import traced
from smolml_array._graph.node import ArrayNode, cast
from smolml_array._graph.rule import Rule, call_plugin, is_plugin
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import Element, ValuesNode
from smolml_array._graph.vjps import evaluated
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Raw
from smolml_value import GraphError, Op, Value
from smolml_value.extending import Node
from smolml_value.extending.derivatives import NodeRules, OutputRules, Parts, of, pinned, register


class ArrayNodeRules(NodeRules):
    """The answers for what an op or a rule made.

    Sums of cotangents are whole arrays, or dicts index -> number or Value for single elements.
    """

    def vjp(self, node: ArrayNode, g: MLArray, needs: Sequence[bool]) -> Parts:
        each = iter(needs)
        wanted = [p is not None and next(each) for p in node.operands]
        return [
            None if c is None else _for_parent(parent, c)
            for parent, c in zip(node.operands, _vjp(node, g, wanted), strict=True)
            if parent is not None
        ]

    def jvp(self, node: ArrayNode, tangents: Parts, create_graph: bool) -> Any:
        xp, rule = node.backend, node.rule
        known = iter(tangents)
        every = [None if parent is None else next(known) for parent in node.operands]
        if not create_graph:
            call = partial(call_plugin, xp) if is_plugin(rule) else xp.silence.run
            like = node.out.dtype
            every = [xp.asarray(t, dtype=like) if t.__class__ is float else t for t in every]
            t: Raw | None = call(_jvp, node, xp, every, list(node.primals), node.out)
            return t if t is None else cast(xp, t, node.out)
        every = [_as_array(node, t) if isinstance(t, Value) else t for t in every]
        made = _jvp(node, traced(xp.name), every, _operands(node), _pinned(node, node.out))
        return made if made is None or made.dtype == node.out.dtype else made.astype(node.out.dtype)

    def plus(self, node: ArrayNode, a: Any, b: Any) -> Any:
        if isinstance(a, dict) and isinstance(b, dict):
            for i, c in b.items():  # a was made by the vjp of an element, for us alone
                a[i] = a[i] + c if i in a else c
            return a
        left, right = self.finalize(node, a), self.finalize(node, b)
        return left + right if isinstance(left, MLArray) else node.backend.add(left, right)

    def finalize(self, node: ArrayNode, g: Any) -> Any:
        if not isinstance(g, dict):
            return g
        xp, raw = node.backend, node.raw
        flat: list[Any] = [0.0] * raw.size
        for i, c in g.items():
            flat[i] = c
        if not any(isinstance(c, Value) for c in g.values()):
            return xp.from_flat(flat, raw.shape, raw.dtype)
        made = MLArray(flat, backend=xp.name).reshape(raw.shape)
        return made if made.dtype == raw.dtype else made.astype(raw.dtype)

    def accumulate(self, node: ArrayNode, c: Any) -> None:
        raw = c if hasattr(c, "shape") else node.backend.asarray(c, dtype=node.raw.dtype)
        if raw.shape != node.shape:
            raise GraphError(
                f"a transform: its rule returned a cotangent of shape {raw.shape} for an operand "
                f"of shape {node.shape}; they must be equal"
            )
        node._receive(raw)

    def lift(self, node: ArrayNode, number: Raw) -> MLArray:
        return MLArray._constant(node.backend, number)


class ValuesNodeRules(ArrayNodeRules):
    """The answers for arrays of Values that the user holds."""

    def vjp(self, node: Any, g: MLArray, needs: Sequence[bool]) -> Parts:
        return list(g._values())

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Any:
        flat = [0.0 if t is None else t for t in tangents]
        if create_graph:
            return MLArray(flat, backend=node.backend.name).reshape(node.shape)
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


def _as_array(node: ArrayNode, t: Value) -> MLArray:
    made = MLArray(t, backend=node.backend.name)
    return made if made.dtype == node.out.dtype else made.astype(node.out.dtype)


def _pinned(node: ArrayNode, raw: Raw) -> MLArray:
    """The array of a node with the numbers that it had: its data may have been set since."""
    if node.raw is raw:
        return MLArray._from_node(node)
    params = {"shape": raw.shape}
    return MLArray._from_node(ArrayNode(node.backend, raw, True, RESHAPE, (node,), (raw,), params))


def _operands(node: ArrayNode) -> list[Any]:
    """What the rule of node was applied to, as operands."""
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
    return found


# Cotangents ------------------------------------------------------------------------------------


def _vjp(node: ArrayNode, g: MLArray, wanted: Sequence[bool]) -> Sequence[Any]:
    """What the rule of node sends to each operand that is wanted, as arrays."""
    rule, xp = node.rule, traced(node.backend.name)
    args, out = _operands(node), _pinned(node, node.out)
    if isinstance(rule, Op):
        if rule.vjp is not None:
            parts: list[Any] = list(rule.vjp(xp, g, out, *args))
        else:
            parts = [None] * len(args)
            for i, want in enumerate(wanted):
                p = _partial(rule, i, xp, out, args) if want else None
                parts[i] = None if p is None else _product(node.backend, xp, g, p)
        shapes = [getattr(primal, "shape", ()) for primal in node.primals]
        return [
            None if c is None else xp.sum_to_shape(_whole(xp, c, g), shape)
            for c, shape in zip(parts, shapes, strict=True)
        ]
    assert rule is not None
    if rule.vjp_all is not None:
        return rule.vjp_all(xp, g, out, *args, **node.params)  # type: ignore[no-any-return]
    return [
        vjp(xp, g, out, *args, **node.params) if want and vjp is not None else None
        for want, vjp in zip(wanted, rule.vjps, strict=True)
    ]


def _whole(xp: Any, c: Any, g: MLArray) -> Any:
    return xp.full(g.shape, float(c)) if isinstance(c, float | int) else c


def _for_parent(parent: Node, c: MLArray) -> Any:
    """A cotangent in the kind of its parent: a Value for a Value."""
    if isinstance(parent, Value):
        return c.data
    assert isinstance(parent, ArrayNode)
    return c if c.dtype == parent.raw.dtype else c.astype(parent.raw.dtype)


# Tangents --------------------------------------------------------------------------------------


def _jvp(node: ArrayNode, xp: Any, tangents: list[Any], args: list[Any], out: Any) -> Any:
    """The tangent of the result: as numbers or operands, as xp, the operands and the result are."""
    rule, params = node.rule, node.params
    assert rule is not None
    if isinstance(rule, Op):
        return _total(
            _product(node.backend, xp, _spread(node, xp, t), p)
            for i, t in enumerate(tangents)
            if t is not None and (p := _partial(rule, i, xp, out, args)) is not None
        )
    if rule.jvp is None:
        raise GraphError(
            f"{rule.name}: its rule says nothing of tangents, which forward mode needs; give it "
            f"jvp="
        )
    if callable(rule.jvp):
        return rule.jvp(xp, tangents, out, *args, **params)
    if rule.jvp == "linear":
        given = [xp.zeros_like(a) if t is None else t for a, t in zip(args, tangents, strict=True)]
        return rule.forward(xp, *given, **params)
    known = [(i, t) for i, t in enumerate(tangents) if t is not None]
    if rule.jvp == "multilinear":
        return _total(rule.forward(xp, *args[:i], t, *args[i + 1 :], **params) for i, t in known)
    return _total(_reduced(node, rule, xp, i, t, args, out) for i, t in known)


def _reduced(
    node: ArrayNode, rule: Rule, xp: Any, i: int, t: Any, args: list[Any], out: Any
) -> Any:
    """The vjp of a reduction is (g, put back along the axis) x weights.

    So its tangent is the sum of tangents x weights.
    """
    vjp, params = rule.vjps[i], node.params
    assert vjp is not None
    weights = vjp(xp, xp.ones_like(out), out, *args, **params)
    terms = _product(node.backend, xp, t, weights)
    return xp.sum(terms, axis=params.get("axis"), keepdims=params.get("keepdims", False))


def _total(terms: Any) -> Any:
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


def _spread(node: ArrayNode, xp: Any, t: Any) -> Any:
    """A tangent in the shape of the result."""
    return t if t.shape == node.out.shape else xp.broadcast_to(t, node.out.shape)


# Both ------------------------------------------------------------------------------------------


def _partial(op: Op, i: int, xp: Any, out: Any, args: Sequence[Any]) -> Any:
    """The partial to operand i: an array or a number; None for zero."""
    if op.vjp is not None:
        return op.vjp(xp, xp.ones_like(out), out, *args)[i]
    assert op.partials is not None
    p = op.partials[i]
    if callable(p):
        return evaluated(p, xp, out, args)
    return None if p == 0 else p


def _product(backend: Any, xp: Any, g: Any, p: Any) -> Any:
    """cotangent or tangent x partial; zero if either is, be the other inf or nan."""
    if isinstance(p, float | int):
        if p in (0, 1, -1):
            return g if p == 1 else -g if p else xp.zeros_like(g)
        return g * p
    c = g * p
    if _is_finite(backend, c._current_node().raw if isinstance(c, MLArray) else c):
        return c
    zero = backend.logical_or(backend.equal(_raw(g), 0), backend.equal(_raw(p), 0))
    if isinstance(c, MLArray):
        zero = MLArray._constant(backend, zero)
    return xp.where(zero, xp.zeros_like(c), c)


def _raw(x: Any) -> Any:
    return of(x).number_of(x) if isinstance(x, MLArray | Value) else x


def _is_finite(xp: Any, raw: Raw) -> bool:
    total = float(xp.sum(raw))  # the quick look; the sum of large numbers may overflow
    return math.isfinite(total) or bool(xp.all(xp.isfinite(raw)))


register(ArrayNode, ArrayNodeRules())
register(ValuesNode, ValuesNodeRules())
register(Element, ElementRules())
