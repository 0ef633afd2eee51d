"""detect_anomaly on arrays: results of ops and rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smolml_array._shapes.axes import Shape
from smolml_array.backends.protocol import Backend, Raw
from smolml_value.extending import Node, Op
from smolml_value.extending.anomaly import (
    answers_in,
    checking,
    forward_error,
    inside,
    keep_lines,
    origin,
)

if TYPE_CHECKING:
    from smolml_array._graph.node import ArrayNode

answers_in("smolml_array._anomaly.nodes")
inside("smolml_array")
inside("numpy")  # its functions of Python call our methods


def watch_result(
    rule: Any,
    xp: Backend,
    operands: Sequence[Node | None],
    primals: Sequence[Raw],
    out: Raw,
) -> None:
    """Raise if a result that `rule` has made holds a nan or inf.

    Raises:
        AnomalyError: with the first place, in C order, and what the operands hold there.
    """
    if not checking():
        return
    bad = first_misfit(xp, out)
    if bad is None:
        return
    number, index = bad
    place = index if isinstance(rule, Op) else None
    texts = [operand_text(xp, p, node, place) for p, node in zip(primals, operands, strict=True)]
    given = []
    for i, (p, node) in enumerate(zip(primals, operands, strict=True)):
        before = first_misfit(xp, p)
        if before is not None:
            came = "a constant" if node is None else origin(_op(node), node)
            given.append(f"operand {i} was {said(*before)} before: {came}")
    raise forward_error(rule.name, said(number, index), texts, given)


def watch_node(node: ArrayNode) -> None:
    """Remember where a node was made."""
    if node.rule is not None:
        keep_lines(node)


def _op(node: Any) -> str:
    """What made the node of an operand, "" for a leaf."""
    rule = getattr(node, "rule", None) or getattr(node, "_made_by", None)
    return "" if rule is None else rule.name


def first_misfit(xp: Backend, raw: Raw) -> tuple[float, Shape] | None:
    """The first nan or inf in C order and its index; None if there is none."""
    if not hasattr(raw, "shape"):
        return None if math.isfinite(raw) else (float(raw), ())
    if not xp.isdtype(raw.dtype, "real floating") or xp.quietly(_is_finite, xp, raw):
        return None
    flat = xp.to_flat(raw)
    i = next(i for i, x in enumerate(flat) if not math.isfinite(x))
    number, index = flat[i], []
    for length in reversed(raw.shape):
        i, place = divmod(i, length)
        index.append(place)
    return number, tuple(reversed(index))


def _is_finite(xp: Backend, raw: Raw) -> bool:
    return bool(xp.all(xp.isfinite(raw)))


def said(number: float, index: Shape) -> str:
    """A nan or inf and where it stands."""
    return f"{number} at index {_shown(index)}" if index else f"{number}"


def _shown(index: Shape) -> str:
    return str(list(index))  # as one writes it: x[0, 2]


def operand_text(xp: Backend, raw: Raw, node: Node | None, index: Shape | None) -> str:
    """An operand in short; with an index into the result also its number there."""
    label = getattr(node, "label", "")
    name = f" ({label})" if label else ""
    shape: Shape = getattr(raw, "shape", ())
    if not shape:
        return f"{float(raw)!r}{name}"
    text = f"an array of shape {shape}{name}"
    if index is None:
        return text
    own = index[len(index) - len(shape) :]
    place = tuple(0 if length == 1 else i for i, length in zip(own, shape, strict=True))
    number = float(xp.to_flat(xp.index(raw, place))[0])
    return f"{text}, {number!r} at index {_shown(place)}"
