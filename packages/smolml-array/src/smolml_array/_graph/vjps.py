"""Cotangents: what the rule of a node sends to each of its operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from smolml_array._graph.rule import Rule, Vjp, call_plugin, is_own, is_plugin
from smolml_array._shapes.axes import Shape, _broadcast_shapes, fits
from smolml_array.backends.signatures import Raw
from smolml_value import GraphError
from smolml_value.extending import Node, Op

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


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
    xp = node.backend
    wanted = node.operands if operands is None else operands
    if is_plugin(node.rule):
        return call_plugin(xp, _cotangents, node, xp, g, wanted)  # type: ignore[no-any-return]
    return _cotangents(node, xp.silence.plain, g, wanted)


def quiet_cotangents(
    node: Applied, g: Raw, operands: Sequence[Node | None] | None = None
) -> Sequence[Raw | None]:
    """`cotangents_of`, wherever it is called."""
    if is_plugin(node.rule):
        return cotangents_of(node, g, operands)
    return node.backend.silence.run(cotangents_of, node, g, operands)  # type: ignore[no-any-return]


def _cotangents(
    node: Applied, xp: Any, g: Raw, wanted: Sequence[Node | None]
) -> Sequence[Raw | None]:
    rule, args = node.rule, (xp, g, node.out, *node.primals)
    assert rule is not None
    if isinstance(rule, Rule):
        vjps: Sequence[Vjp | None] = rule.vjps
    else:
        vjps = op_vjps(rule) if is_own(rule) else _vjps(rule)
    if vjps:
        found = [
            None if operand is None or vjp is None else vjp(*args, **node.params)
            for operand, vjp in zip(wanted, vjps, strict=True)
        ]
    elif isinstance(rule, Op):
        found = _given(rule, wanted, *args)
    else:
        assert rule.vjp_all is not None
        every = rule.vjp_all(*args, **node.params)
        found = [None if p is None else c for p, c in zip(wanted, every, strict=True)]
    for c, primal in zip(found, node.primals, strict=True):
        if c is not None:
            check_shape(rule, "cotangent", c, "an operand", primal)
    return found


def check_shape(rule: Op | Rule, what: str, made: Any, whose: str, x: Any) -> None:
    """Raise GraphError for a cotangent or a tangent that has not the shape of x."""
    shape, own = getattr(made, "shape", None), getattr(x, "shape", ())
    if shape != own:
        told = f"no array as a {what}" if shape is None else f"a {what} of shape {shape}"
        raise GraphError(
            f"{rule.name}: its rule returned {told} for {whose} of shape {own}; they must be equal"
        )


def _vjps(op: Op) -> Sequence[Vjp | None]:
    """The vjp of an op to each operand: cotangent x partial, summed to its shape."""
    return [_vjp(op, i, part) for i, part in enumerate(op.partials or ())]


op_vjps: Final = lru_cache(maxsize=1024)(_vjps)
"""The same, made once: for ops of our table, since it keeps them alive."""


def _vjp(op: Op, i: int, partial: Any) -> Vjp | None:
    """The vjp of an op to operand `i`."""
    if partial is None or partial == 0.0:
        return None
    own = is_own(op)
    if not callable(partial):
        factor = float(partial)

        def constant_vjp(xp: Any, g: Raw, out: Raw, *primals: Any) -> Raw:
            c = g if factor == 1.0 else xp.negative(g) if factor == -1.0 else xp.multiply(g, factor)
            return _summed(xp, c, primals[i])

        return constant_vjp

    def vjp_of_one(xp: Any, g: Raw, out: Raw, x: Any) -> Raw:
        return xp.cotangent_product(g, partial(xp, out, x))

    def vjp_of_several(xp: Any, g: Raw, out: Raw, *primals: Any) -> Raw:
        p = evaluated(partial, xp, out, primals)
        if not own:
            _check_partial(op, i, getattr(p, "shape", ()), primals, g.shape)
        return _summed(xp, xp.cotangent_product(g, p), primals[i])

    return vjp_of_one if own and op.arity == 1 else vjp_of_several


def _summed(xp: Any, c: Raw, primal: Any) -> Raw:
    """A cotangent of the result, of one operand."""
    own = getattr(primal, "shape", ())
    return c if own == c.shape else xp.sum_to_shape(c, own)


def _given(
    op: Op, wanted: Sequence[Node | None], xp: Any, g: Raw, out: Raw, *primals: Any
) -> list[Raw | None]:
    """What the vjp of a plugin's op gives for all operands at once."""
    assert op.vjp is not None  # a composite leaves nodes of other ops
    given = op.vjp(xp, g, out, *primals)
    if not isinstance(given, tuple | list) or len(given) != len(primals):
        raise GraphError(
            f"{op.name}: its vjp returned {given!r:.60}; expected a tuple of {len(primals)}, "
            f"one cotangent per operand"
        )
    found: list[Raw | None] = []
    for i, (operand, c, primal) in enumerate(zip(wanted, given, primals, strict=True)):
        if operand is None or c is None:
            found.append(None)
            continue
        if isinstance(c, float | int) and not hasattr(c, "shape"):
            c = xp.full(g.shape, float(c), dtype=g.dtype)
        if c.shape != g.shape:
            raise GraphError(
                f"{op.name}: its rule for operand {i} gave the shape {c.shape} where the "
                f"result has {g.shape}; it must have the shape of the result, or be a number"
            )
        found.append(_summed(xp, c, primal))
    return found


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
    used = [s for s in shapes if fits(s, given)]
    if not used or _broadcast_shapes(*used, who=op.name) != given:
        raise GraphError(
            f"{op.name}: its partial for operand {i} gave the shape {given} for operands of shapes "
            f"{', '.join(map(str, shapes))}; expected {result}, the shape of the result, or a "
            f"number"
        )
