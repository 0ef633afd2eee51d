"""How transforms see array nodes: cotangents and tangents from the same rules as backward.

The rules are written against the backend protocol. Run with a backend on raw arrays they give
numbers, run with the traced namespace on arrays they give operands; one walk serves both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from smolml_value.extending.derivatives import derive, pinned

Parts = Sequence[Any]


# Cotangents, as operands -----------------------------------------------------------------------


def _pinned(node: ArrayNode, raw: Raw) -> MLArray:
    """The array of a node with the numbers that it had: its data may have been set since."""
    if node.raw is raw:
        return MLArray._of(node)
    params = {"shape": raw.shape}
    return MLArray._of(ArrayNode(node.backend, raw, True, RESHAPE, (node,), (raw,), params))


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


def _product(g: MLArray, p: Any, either: bool = False) -> Any:
    """cotangent x partial, where a cotangent of zero gives zero whatever the partial is.

    With `either` also the other way round: for tangents, to which the partial of the branch that
    where() does not take comes after the inf of that branch.
    """
    if isinstance(p, float | int) and p in (1, -1):
        return g if p == 1 else -g
    c = g * p
    node = c._fetch()
    xp = node.backend
    if _is_finite(xp, node.raw):
        return c
    zero = xp.equal(g._fetch().raw, 0)
    if either:
        zero = xp.logical_or(zero, xp.equal(derive.number_of(p), 0))
    return traced(xp.name).where(MLArray._constant(xp, zero), 0.0, c)


def _is_finite(xp: Any, raw: Raw) -> bool:
    total = float(xp.sum(raw))  # the quick look; the sum of large numbers may overflow
    return math.isfinite(total) or bool(xp.all(xp.isfinite(raw)))


def _number_product(xp: Any, t: Raw, p: Any) -> Raw:
    """partial x tangent as numbers, where a zero of either gives zero."""
    if isinstance(p, float | int):
        return t if p == 1 else (xp.zeros_like(t) if p == 0 else xp.multiply(t, p))
    c = xp.multiply(t, p)
    if _is_finite(xp, c):
        return c
    zero = xp.logical_or(xp.equal(t, 0), xp.equal(p, 0))
    return xp.where(zero, xp.zeros_like(c), c)


def _elementwise_parts(
    op: Op, node: ArrayNode, args: list[Any], g: MLArray, wanted: Sequence[bool]
) -> list[Any]:
    """For each operand that is wanted its part of the cotangent g, in the shape of the result."""
    xp, out = traced(node.backend.name), _pinned(node, node.out)
    if op.vjp is not None:
        parts = op.vjp(xp, g, out, *args)
        return [xp.full(g.shape, float(c)) if isinstance(c, float | int) else c for c in parts]
    assert op.partials is not None
    return [
        _product(g, rule(xp, out, *args) if callable(rule) else rule)
        if want and rule is not None
        else None
        for want, rule in zip(wanted, op.partials, strict=True)
    ]


@derive.pull_operands.register(ArrayNode)
def _(node: ArrayNode, g: MLArray, needs: Sequence[bool]) -> Parts:
    rule = node.rule
    xp = traced(node.backend.name)
    each = iter(needs)
    wanted = [p is not None and next(each) for p in node.operands]
    args = _operands(node)
    if isinstance(rule, Op):
        parts = _elementwise_parts(rule, node, args, g, wanted)
        found = [
            None if c is None else xp.sum_to_shape(c, getattr(primal, "shape", ()))
            for c, primal in zip(parts, node.primals, strict=True)
        ]
    else:
        assert rule is not None
        out = _pinned(node, node.out)
        if rule.vjp_all is not None:
            found = list(rule.vjp_all(xp, g, out, *args, **node.params))
        else:
            found = [
                vjp(xp, g, out, *args, **node.params) if want and vjp is not None else None
                for want, vjp in zip(wanted, rule.vjps, strict=True)
            ]
    return [
        None if c is None else _for_parent(parent, c)
        for parent, c in zip(node.operands, found, strict=True)
        if parent is not None
    ]


def _for_parent(parent: Node, c: MLArray) -> Any:
    """A cotangent in the kind of its parent: a Value for a Value."""
    if isinstance(parent, Value):
        return c.data
    assert isinstance(parent, ArrayNode)
    return c if c.dtype == parent.raw.dtype else c.astype(parent.raw.dtype)


@derive.pull_operands.register(ValuesNode)
def _(node: ValuesNode, g: MLArray, needs: Sequence[bool]) -> Parts:
    return list(g._values())


@derive.pull_operands.register(Element)
def _(node: Element, g: Value, needs: Sequence[bool]) -> Parts:
    return [{node._index: g}]


# Sums of cotangents: whole arrays, and dicts index -> number or Value for single elements --------


@derive.plus.register(ArrayNode)
def _(node: ArrayNode, a: Any, b: Any) -> Any:
    if isinstance(a, dict) and isinstance(b, dict):
        for i, c in b.items():  # a was made by the pull of an element, for us alone
            a[i] = a[i] + c if i in a else c
        return a
    left, right = derive.gathered(node, a), derive.gathered(node, b)
    return left + right if isinstance(left, MLArray) else node.backend.add(left, right)


@derive.gathered.register(ArrayNode)
def _(node: ArrayNode, g: Any) -> Any:
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


# Tangents --------------------------------------------------------------------------------------


@derive.push_numbers.register(ArrayNode)
def _(node: ArrayNode, tangents: Parts) -> Raw | None:
    xp = node.backend
    known = iter(tangents)
    every = [None if parent is None else next(known) for parent in node.operands]
    call = partial(call_plugin, xp) if is_plugin(node.rule) else xp.silence.run
    t: Raw | None = call(_push_numbers, node, every)
    return t if t is None else cast(node.backend, t, node.out)


def _push_numbers(node: ArrayNode, tangents: list[Any]) -> Raw | None:
    xp, rule, primals, out = node.backend, node.rule, node.primals, node.out
    total: Raw | None = None
    if isinstance(rule, Op):
        ones = xp.ones_like(out) if rule.vjp is not None else None
        for i, t in enumerate(tangents):
            p = None if t is None else _partial(rule, i, xp, out, primals, ones)
            if p is None:
                continue
            if getattr(t, "shape", ()) != out.shape:
                t = xp.broadcast_to(xp.asarray(t, dtype=out.dtype), out.shape)
            term = _number_product(xp, t, p)
            total = term if total is None else xp.add(total, term)
        return total
    assert rule is not None
    product = partial(_number_product, xp)
    return _pushed(rule, xp, out, list(primals), tangents, node.params, product)


def _partial(op: Op, i: int, xp: Any, out: Any, args: Sequence[Any], ones: Any) -> Any:
    """The partial to operand i: an array, a number, or None."""
    if op.vjp is not None:
        return op.vjp(xp, ones, out, *args)[i]
    assert op.partials is not None
    rule = op.partials[i]
    return evaluated(rule, xp, out, args) if callable(rule) else rule


def _pushed(
    rule: Rule, xp: Any, out: Any, args: list[Any], tangents: list[Any], params: Any, product: Any
) -> Any:
    """The tangent of what a rule other than an op made: numbers or operands, as xp is.

    The result of most rules is linear in all operands together, or in each. That of a reduction
    is not, but its vjp is (g, put back along the axis) x weights, so its tangent is the sum of
    tangents x weights.

    Raises:
        GraphError: a rule without a jvp.
    """
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
    total: Any = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        if rule.jvp == "multilinear":
            term = rule.forward(xp, *args[:i], t, *args[i + 1 :], **params)
        else:
            vjp = rule.vjps[i]
            assert vjp is not None
            weights = vjp(xp, xp.ones_like(out), out, *args, **params)
            term = xp.sum(
                product(t, weights), axis=params.get("axis"), keepdims=params.get("keepdims", False)
            )
        total = term if total is None else total + term
    return total


@derive.push_operands.register(ArrayNode)
def _(node: ArrayNode, tangents: Parts) -> MLArray | None:
    known = iter(tangents)
    every = [None if parent is None else next(known) for parent in node.operands]
    t = _push_operands(node, every)
    return t if t is None or t.dtype == node.out.dtype else t.astype(node.out.dtype)


def _push_operands(node: ArrayNode, tangents: list[Any]) -> MLArray | None:
    rule, args = node.rule, _operands(node)
    xp, out = traced(node.backend.name), _pinned(node, node.out)
    product = partial(_product, either=True)
    total: MLArray | None = None
    if isinstance(rule, Op):
        ones = xp.ones_like(out) if rule.vjp is not None else None
        for i, t in enumerate(tangents):
            p = None if t is None else _partial(rule, i, xp, out, args, ones)
            if p is not None:
                is_array = isinstance(t, MLArray)
                t = t.broadcast_to(out.shape) if is_array else t * xp.ones_like(out)
                term = product(t, p)
                total = term if total is None else total + term
        return total
    assert rule is not None
    name = node.backend.name
    arrays = [MLArray(t, backend=name) if isinstance(t, Value) else t for t in tangents]
    made: MLArray = _pushed(rule, xp, out, args, arrays, node.params, product)
    return made


@derive.push_numbers.register(ValuesNode)
def _(node: ValuesNode, tangents: Parts) -> Raw:
    flat = [0.0 if t is None else t for t in tangents]
    return node.backend.from_flat(flat, node.shape, node.raw.dtype)


@derive.push_operands.register(ValuesNode)
def _(node: ValuesNode, tangents: Parts) -> MLArray:
    flat = [0.0 if t is None else t for t in tangents]
    return MLArray(flat, backend=node.backend.name).reshape(node.shape)


@derive.push_numbers.register(Element)
def _(node: Element, tangents: Parts) -> float | None:
    (t,) = tangents
    xp = node._node.backend
    return None if t is None else float(xp.index(xp.reshape(t, (-1,)), node._index))


@derive.push_operands.register(Element)
def _(node: Element, tangents: Parts) -> Value | None:
    (t,) = tangents
    return None if t is None else t.flatten()[node._index].data
