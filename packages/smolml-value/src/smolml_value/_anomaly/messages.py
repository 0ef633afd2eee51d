"""What the errors of detect_anomaly say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from smolml_value._anomaly.nodes import Misfit, given, made_by, misfit, named, operand_number, text
from smolml_value._anomaly.source import Place, lines_of, user_places
from smolml_value.errors import AnomalyError
from smolml_value.node import Node
from smolml_value.op import Op

SHOWN: Final = 6  # operands that a message shows


def forward_error(
    node: Node, bad: Misfit, op: Any, operands: Sequence[tuple[Node | None, Any]]
) -> AnomalyError:
    """The error for a result of `op`, which made `node` of these operands."""
    place = bad.place if isinstance(op, Op) else None
    known = [(i, x, c) for i, (x, c) in enumerate(operands) if c is not None]
    lines = [f"{op.name}: the result is {bad}"]
    lines += _operand_lines([text(node, c, x, place) for _, x, c in known])
    for i, x, c in known:
        earlier = misfit(node, c)
        if earlier is not None:
            lines.append(f"  operand {i} was {earlier} before: {origin(x)}")
            break
    return _error(lines, user_places(), op.name, "forward")


def cotangent_error(node: Node, place: int, parent: Node, g: Any, bad: Misfit) -> AnomalyError:
    """The error for what `node`, which has the cotangent g, sends to its parent of that place."""
    operand, received = operand_number(node, place), text(node, g, None, None)
    op = _name(node)
    lines = [f"{op}: in backward its cotangent for operand {operand}{named(parent)} is {bad}"]
    lines += _operands_of(node)
    if received:
        lines.append(f"  cotangent of the result: {received}")
    if _name(parent):
        lines.append(f"  operand {operand} is {origin(parent)}")
    return _error(lines, lines_of(node), op, "backward", operand)


def sum_error(node: Node, bad: Misfit) -> AnomalyError:
    """The error for a node that gets finite parts with a sum that is not, or that began so."""
    op = _name(node) or "leaf"
    line = (
        f"{op}: in backward the cotangent of its result{named(node)} is {bad}: it was given so, "
        f"or the sum of what its consumers sent is too large"
    )
    return _error([line], lines_of(node), op, "backward")


def tangent_error(node: Node, bad: Misfit) -> AnomalyError:
    """The error for the tangent of a result."""
    op = _name(node)
    lines = [f"{op}: in forward mode its tangent is {bad}", *_operands_of(node)]
    return _error(lines, lines_of(node), op, "tangent")


def origin(node: Node | None) -> str:
    """Where an operand came from."""
    if node is None:
        return "a constant"
    op = _name(node)
    if not op:
        return "it was given as data"
    places = lines_of(node)
    return f"made by {op} " + (f"at {places[0]}" if places else "outside detect_anomaly()")


def _name(node: Node) -> str:
    return getattr(made_by(node), "name", "")


def _operands_of(node: Node) -> list[str]:
    return _operand_lines([text(node, c, x, None) for x, c in given(node) if c is not None])


def _operand_lines(operands: Sequence[str]) -> list[str]:
    """A line for each operand, not too many."""
    lines = [f"  operand {i}: {text}" for i, text in enumerate(operands[:SHOWN])]
    more = len(operands) - SHOWN
    return [*lines, f"  and {more} more"] if more > 0 else lines


def _error(
    lines: Sequence[str],
    places: Sequence[Place],
    op: str,
    direction: str,
    operand: int | None = None,
) -> AnomalyError:
    if not places:
        unknown = "  the node was made outside detect_anomaly(), so its line is not known"
        return AnomalyError("\n".join([*lines, unknown]), op, direction, operand)
    first, *others = places
    made = "" if direction == "forward" else "the node was made "
    text = [*lines, f"  {made}at {first}", *(f"  called from {place}" for place in others)]
    return AnomalyError("\n".join(text), op, direction, operand, first.file, first.line, first.code)
