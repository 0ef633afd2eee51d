"""What detect_anomaly asks of nodes, and how Values answer; arrays answer in smolml-array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from operator import attrgetter
from typing import Any, NamedTuple

from smolml_value._derivatives.value_rules import FunctionOutput
from smolml_value.graph import ScalarNode
from smolml_value.node import Node
from smolml_value.value import NaryValue, Value


class Misfit(NamedTuple):
    """A nan or inf, and where in an array it stands."""

    number: float
    place: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.number}" + (f" at index {list(self.place)}" if self.place else "")


@singledispatch
def misfit(node: Node, c: Any) -> Misfit | None:
    """The first nan or inf in a number, array, cotangent or tangent of this kind of node."""
    return None


@singledispatch
def made_by(node: Node) -> Any:
    """The op or rule that made the node, None for a leaf."""
    return None


@singledispatch
def outcome(node: Node) -> Any:
    """The result that its op has computed; 0 if that need not be looked at."""
    return 0.0


@singledispatch
def held(node: Node) -> Any:
    """The cotangent that `node` has in the pass that runs; None for zero."""
    return None


@singledispatch
def given(node: Node) -> Sequence[tuple[Node | None, Any]]:
    """Each operand, None for a constant, with its numbers, None where they are not to be told.

    Those that are nodes come in the order of `_parents`.
    """
    return [(parent, None) for parent in node._parents()]


@singledispatch
def text(node: Node, c: Any, operand: Node | None, place: Sequence[int] | None) -> str:
    """A cotangent or an operand of the node in short.

    With a place, the index of an anomaly in an element-wise result, also what stands there.
    """
    return ""


@misfit.register(ScalarNode)
def _(node: ScalarNode, c: Any) -> Misfit | None:
    x = float(c)
    return None if math.isfinite(x) else Misfit(x)


made_by.register(ScalarNode, attrgetter("_made_by"))
outcome.register(ScalarNode, attrgetter("_data"))
held.register(ScalarNode, attrgetter("_grad"))


@text.register(ScalarNode)
def _(node: ScalarNode, c: Any, operand: Node | None, place: Sequence[int] | None) -> str:
    if isinstance(c, dict):  # of a function's results
        return ""
    return f"{float(c)!r}{'' if place is None else named(operand)}"


def named(node: Node | None) -> str:
    """The label of a node, in brackets."""
    label = getattr(node, "label", "")
    return f" ({label})" if label else ""


@given.register(Value)
def _(v: Value) -> Sequence[tuple[Node | None, Any]]:
    args = v._operands()
    numbers = [a._data if isinstance(a, Value) else a for a in args]
    if isinstance(v, NaryValue):  # those that it was computed with; they end with the result
        numbers = v._numbers
    return [(a if isinstance(a, Value) else None, x) for a, x in zip(args, numbers, strict=False)]


# A part's operands are those of the function of which it is a result.
given.register(FunctionOutput, given.dispatch(object))


def operand_number(node: Node, k: int) -> int:
    """Which operand the parent of this number is."""
    return [i for i, (operand, _) in enumerate(given(node)) if operand is not None][k]
