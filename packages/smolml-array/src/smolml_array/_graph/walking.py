"""Which elements an element was computed from: the graph of numbers inside a graph of arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from smolml_array._graph.rule import Rule
from smolml_array._graph.vjps import Applied, quiet_cotangents
from smolml_array._shapes.axes import Shape, broadcast_strides, normalize_axes, reduced_shape
from smolml_array._shapes.nested import unravel
from smolml_array.backends.signatures import Raw
from smolml_value.extending import Node

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

Places = Sequence[int]  # of elements, counted in C order


def sources(node: Applied, i: int) -> list[tuple[Node, Places]]:
    """Each operand that gradients flow to, with its elements that element `i` was made from.

    What depends on what is a matter of structure, not of numbers: ops go element by element,
    reductions take in the whole axis, and any other rule tells with its vjps, asked at numbers
    none of which is special.
    """
    rule, shape = node.rule, node.out.shape
    found: list[tuple[Node, Places]] = []
    if not isinstance(rule, Rule):
        for operand, primal in zip(node.operands, node.primals, strict=True):
            if operand is not None:
                own = getattr(primal, "shape", ())
                found.append((operand, (broadcast_from(i, shape, own),)))
        return found
    for operand, c in zip(node.operands, _reached(node, rule, i), strict=True):
        if operand is not None:
            flat = () if c is None else node.backend.to_flat(c)
            found.append((operand, [k for k, number in enumerate(flat) if number]))
    return found


def broadcast_from(i: int, shape: Shape, own: Shape) -> int:
    """The element of an array of shape `own` that stands at element i of what it broadcasts to."""
    steps = broadcast_strides(own, shape)
    return sum(k * step for k, step in zip(unravel(i, shape), steps, strict=True))


def _reached(node: Applied, rule: Rule, i: int) -> Sequence[Raw | None]:
    """For each operand an array that is not zero at those of its elements."""
    xp = node.backend
    g = unit(xp, node.out, i)
    if rule.jvp == "reduction":
        shape = node.primals[0].shape  # a loss has two operands, of one shape
        axes = normalize_axes(node.params.get("axis"), len(shape), rule.name)
        whole = xp.broadcast_to(xp.reshape(g, reduced_shape(shape, axes, True)), shape)
        return [whole for _ in node.primals]
    if rule.jvp == "linear":  # its vjps read no numbers
        return quiet_cotangents(node, g)
    primals = [_plain_numbers(xp, p, k) for k, p in enumerate(node.primals)]
    try:
        out = xp.silence.run(lambda: rule.forward(xp, *primals, **node.params))
    except ValueError:  # as of matrices without a root: then at the numbers that there are
        return quiet_cotangents(node, g)
    asked: Any = SimpleNamespace(
        rule=rule, operands=node.operands, primals=primals, out=out, params=node.params, backend=xp
    )
    return quiet_cotangents(asked, g)


def _plain_numbers(xp: Backend, primal: Raw, k: int) -> Raw:
    """Numbers near one, all of them different, in place of those of operand k, a float array."""
    if not xp.isdtype(primal.dtype, "real floating"):
        return primal
    waves = xp.sin(xp.add(xp.astype(xp.arange(primal.size), primal.dtype), 0.7 * k))
    return xp.reshape(xp.add(xp.multiply(waves, 0.25), 1.0), primal.shape)


def unit(xp: Backend, like: Raw, i: int, number: float = 1.0) -> Raw:
    """An array of zeros but for element `i`."""
    return put_at(xp, xp.zeros(like.shape, dtype=like.dtype), i, number)


def put_at(xp: Backend, raw: Raw, positions: Any, new: Any) -> Raw:
    """A copy with other numbers at these positions, counted in C order."""
    return xp.reshape(xp.index_put(xp.reshape(raw, (-1,)), positions, new), raw.shape)


def numbered(xp: Backend, shape: Shape) -> Raw:
    """The position of each element of an array of this shape, counted in C order."""
    return xp.reshape(xp.arange(math.prod(shape)), shape)


def places_behind(
    xp: Backend, rule: Rule, params: Mapping[str, Any], shape: Shape, places: Places
) -> Places:
    """Where elements of a window stand in what it looks at, an array of this shape."""
    flat = xp.to_flat(rule.forward(xp, numbered(xp, shape), **params))
    return [flat[i] for i in places]
