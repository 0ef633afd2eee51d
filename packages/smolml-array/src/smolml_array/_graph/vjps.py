"""Cotangents: what the rule of a node sends to each of its operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from smolml_array._graph.rule import Rule, Vjp, call_plugin, is_own, is_plugin
from smolml_array._shapes.axes import Shape, _broadcast_shapes
from smolml_array.backends.protocol import Backend, Raw
from smolml_value import GraphError
from smolml_value.extending import Node, Op


class Applied(Protocol):
    """What a rule was applied to, and what it made: an `ArrayNode`, for one."""

    rule: Op | Rule | None
    operands: Sequence[Node | None]
    primals: Sequence[Raw]
    out: Raw
    params: Mapping[str, Any]
    backend: Backend


def cotangents_of(
    node: Applied, g: Raw, operands: Sequence[Node | None] | None = None
) -> Sequence[Raw | None]:
    """What the rule of `node` sends to each operand; None where nothing flows.

    `operands` are those of the node, with None also where nobody asks for a cotangent. To be
    called in the backend's silence, and of a plugin's op in the context of whoever asks.
    """
    rule, primals, out, xp = node.rule, node.primals, node.out, node.backend.silence.plain
    assert rule is not None
    if operands is None:
        operands = node.operands
    vjps = rule.vjps if isinstance(rule, Rule) else op_vjps(rule) if is_own(rule) else ()
    if vjps:
        cotangents: list[Raw | None] = []
        for operand, primal, vjp in zip(operands, primals, vjps, strict=True):
            c = None
            if operand is not None and vjp is not None:
                c = vjp(xp, g, out, *primals, **node.params)
                own = getattr(primal, "shape", ())
                if c.shape != own:
                    raise GraphError(
                        f"{rule.name}: its rule returned a cotangent of shape {c.shape} for an "
                        f"operand of shape {own}; they must be equal"
                    )
            cotangents.append(c)
        return cotangents
    if isinstance(rule, Rule):
        assert rule.vjp_all is not None
        every = rule.vjp_all(xp, g, out, *primals, **node.params)
        return [None if p is None else c for p, c in zip(operands, every, strict=True)]
    return call_plugin(xp, _plugin_cotangents, rule, node, g, operands)  # type: ignore[no-any-return]


def quiet_cotangents(
    node: Applied, g: Raw, operands: Sequence[Node | None] | None = None
) -> Sequence[Raw | None]:
    """`cotangents_of`, wherever it is called."""
    if is_plugin(node.rule):
        return cotangents_of(node, g, operands)
    return node.backend.silence.run(cotangents_of, node, g, operands)  # type: ignore[no-any-return]


@lru_cache(maxsize=1024)
def op_vjps(op: Op) -> Sequence[Vjp | None]:
    """The vjp of an op of our table to each operand: cotangent x partial, summed to its shape."""
    return [_vjp(i, part, op.arity) for i, part in enumerate(op.partials or ())]


def _vjp(i: int, partial: Any, arity: int) -> Vjp | None:
    """The vjp of an op to operand `i`."""
    if partial is None or partial == 0.0:
        return None
    if not callable(partial):
        factor = float(partial)

        def constant_vjp(xp: Any, g: Raw, out: Raw, *primals: Any) -> Raw:
            c = g if factor == 1.0 else xp.negative(g) if factor == -1.0 else xp.multiply(g, factor)
            return _summed(xp, c, primals[i])

        return constant_vjp

    def vjp_of_one(xp: Any, g: Raw, out: Raw, x: Any) -> Raw:
        return xp.cotangent_product(g, partial(xp, out, x))

    def vjp_of_several(xp: Any, g: Raw, out: Raw, *primals: Any) -> Raw:
        try:
            c = xp.cotangent_product(g, partial(xp, out, *primals))
        except ArithmeticError:  # Python's own 1 / 0.0, of a constant
            c = xp.cotangent_product(g, evaluated(partial, xp, out, primals))
        return _summed(xp, c, primals[i])

    return vjp_of_one if arity == 1 else vjp_of_several


def _summed(xp: Any, c: Raw, primal: Any) -> Raw:
    """A cotangent of the result, of one operand."""
    own = () if primal.__class__ is float else primal.shape
    return c if own == c.shape else xp.sum_to_shape(c, own)


def _plugin_cotangents(
    op: Op, node: Applied, g: Raw, operands: Sequence[Node | None]
) -> Sequence[Raw | None]:
    """The same for an op that is not in our table: a plugin may do anything."""
    xp = node.backend
    primals = node.primals
    partials = op.partials
    given: Sequence[Any] = ()
    if partials is None:
        assert op.vjp is not None  # a composite leaves nodes of other ops
        given = op.vjp(xp, g, node.out, *primals)
        if not isinstance(given, tuple | list) or len(given) != len(primals):
            raise GraphError(
                f"{op.name}: its vjp returned {given!r:.60}; expected a tuple of {len(primals)}, "
                f"one cotangent per operand"
            )
    cotangents: list[Raw | None] = []
    for i, (operand, primal) in enumerate(zip(operands, primals, strict=True)):
        if operand is None:
            cotangents.append(None)
            continue
        c: Raw | None
        partial: Any = given[i] if partials is None else partials[i]
        if partials is None:
            c = partial  # of whatever type the rule gave
            if isinstance(c, float | int) and not hasattr(c, "shape"):
                c = xp.full(g.shape, float(c), dtype=g.dtype)
        elif callable(partial):
            p = evaluated(partial, xp, node.out, primals)
            _check_partial(op, i, getattr(p, "shape", ()), primals, g.shape)
            c = xp.cotangent_product(g, p)
        elif partial is None or partial == 0.0:
            c = None
        else:
            c = xp.multiply(g, float(partial))
        if c is not None:
            if c.shape != g.shape:
                raise GraphError(
                    f"{op.name}: its rule for operand {i} gave the shape {c.shape} where the "
                    f"result has {g.shape}; it must have the shape of the result, or be a number"
                )
            c = xp.sum_to_shape(c, getattr(primal, "shape", ()))
        cotangents.append(c)
    return cotangents


def evaluated(partial: Any, xp: Backend, out: Raw, primals: Sequence[Any]) -> Any:
    """A partial at these numbers; Python's own 1 / 0.0, of a constant, must not raise."""
    try:
        return partial(xp, out, *primals)
    except ArithmeticError:
        raws = [p if hasattr(p, "shape") else xp.asarray(p, dtype=out.dtype) for p in primals]
        return partial(xp, out, *raws)


def _check_partial(op: Op, i: int, given: Shape, primals: Sequence[Raw], result: Shape) -> None:
    """Refuse a partial that would broadcast, in silence, to something that it is not."""
    shapes = [getattr(primal, "shape", ()) for primal in primals]
    if given in (result, (), *shapes):  # y, for one, is the partial of x * y
        return
    used = [s for s in shapes if _spread(s, given) == given]
    if not used or _broadcast_shapes(*used, who=op.name) != given:
        raise GraphError(
            f"{op.name}: its partial for operand {i} gave the shape {given} for operands of shapes "
            f"{', '.join(map(str, shapes))}; expected {result}, the shape of the result, or a "
            f"number"
        )


def _spread(shape: Shape, other: Shape) -> Shape | None:
    """What two shapes broadcast to, None if they do not."""
    try:
        return _broadcast_shapes(shape, other)
    except ValueError:
        return None
