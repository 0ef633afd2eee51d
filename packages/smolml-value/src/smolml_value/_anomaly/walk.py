"""Where in a backward pass, or in a transform, the first nan or inf came up.

What is asked of nodes is dispatched on their type: the answers for Values stand here, those for
arrays in smolml-array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import singledispatch
from typing import Any

from smolml_value._anomaly.block import backward_error, operand_lines, origin, unchecked
from smolml_value._derivatives import derive
from smolml_value._derivatives.function_node import Hub
from smolml_value._derivatives.subgraph import Route
from smolml_value._derivatives.value_rules import PartValue
from smolml_value._ops.fused_rules import DOT
from smolml_value._runtime.labels import label_of
from smolml_value.errors import AnomalyError
from smolml_value.fused import FusedValue, arguments_of
from smolml_value.graph import ScalarNode, product
from smolml_value.node import Node, topological
from smolml_value.value import NaryValue, Value

# What is asked of nodes ------------------------------------------------------------------------


@singledispatch
def misfit(node: Node, c: Any) -> str | None:
    """Which nan or inf a cotangent or tangent of `node` holds, and where; None for none."""
    return None


@singledispatch
def held(node: Node) -> Any:
    """The cotangent that `node` has in the pass that runs; None for zero."""
    return None


@singledispatch
def op_name(node: Node) -> str:
    """The name of what made the node, "" for a leaf."""
    return ""


@singledispatch
def name_given(node: Node) -> str:
    """The label of a node."""
    return label_of(node)


@singledispatch
def text(node: Node, c: Any) -> str:
    """A cotangent of the node in short."""
    return ""


@singledispatch
def operand_texts(node: Node) -> list[str]:
    """Each operand with its numbers, constants included."""
    return []


@singledispatch
def operand_numbers(node: Node) -> Sequence[int]:
    """For each parent, in the order of `_parents`, which operand it is."""
    return range(len(node._parents()))


@misfit.register(ScalarNode)
def _(node: ScalarNode, c: Any) -> str | None:
    x = float(c)
    return None if math.isfinite(x) else f"{x}"


@held.register(ScalarNode)
def _(node: ScalarNode) -> float:
    return node._grad


@op_name.register(ScalarNode)
def _(node: ScalarNode) -> str:
    return getattr(node._made_by, "name", "")


@text.register(ScalarNode)
def _(node: ScalarNode, c: Any) -> str:
    return "" if isinstance(c, dict) else f"{float(c)!r}"  # of a hub's results


def _arguments(v: Value) -> list[Any]:
    """What the op of v was applied to: Values, and numbers for constants."""
    if isinstance(v, NaryValue):
        return list(v._args)
    if isinstance(v, FusedValue):
        return list(arguments_of(v))
    left: Any = v._dl if v._lhs is None else v._lhs
    right: Any = v._dr if v._rhs is None else v._rhs
    return [left, right][: getattr(v._made_by, "arity", 2)]


@operand_texts.register(Value)
def _(v: Value) -> list[str]:
    arguments = _arguments(v)
    # the numbers that it was computed with, where they are kept
    numbers = v._numbers if isinstance(v, NaryValue) else [float(a) for a in arguments]
    return [f"{x!r}" for _, x in zip(arguments, numbers, strict=False)]


@operand_texts.register(PartValue)
def _(v: PartValue) -> list[str]:
    return []  # those of the function of which it is a result


@operand_numbers.register(Value)
def _(v: Value) -> Sequence[int]:
    arguments = _arguments(v)
    places = [i for i, a in enumerate(arguments) if isinstance(a, Value)]
    if v._made_by is DOT:  # its operands are pairs, its arguments two halves
        half = len(arguments) // 2
        places.sort(key=lambda i: (i % half, i))
    return places


@operand_numbers.register(PartValue)
def _(v: PartValue) -> Sequence[int]:
    return [0]


# Transforms ------------------------------------------------------------------------------------


def watched_pull(traced: bool) -> Callable[[Node, Any, Sequence[bool]], Sequence[Any]]:
    """What stands for `_cotangents` or `pull_operands`: the same, with a look at the results."""
    parts_of: dict[int, Node] = {}  # id of a hub -> a result of it, which has a name and a line

    def pull(node: Node, g: Any, needs: Sequence[bool]) -> Sequence[Any]:
        bad = misfit(node, g)
        if bad is not None:
            raise _sum_error(node, bad)
        parts = _pulled(node, g, needs, traced)
        for k, (parent, c, need) in enumerate(zip(node._parents(), parts, needs, strict=True)):
            if need and c is not None:
                bad = misfit(parent, c)
                if bad is not None:
                    operand = operand_numbers(node)[k]
                    raise _cotangent_error(parts_of.get(id(node), node), operand, parent, g, bad)
                if isinstance(parent, Hub):
                    parts_of[id(parent)] = node
        return parts

    return pull


def _pulled(node: Node, g: Any, needs: Sequence[bool], traced: bool) -> Sequence[Any]:
    if traced:
        # a hub's rule is the user's own program, the others are ours: of these only the outcome
        # counts, where an inf has met its zero
        with nullcontext() if isinstance(node, Hub) else unchecked():
            return derive.pull_operands(node, g, needs)
    return node._cotangents(g, needs)


def _stored(node: Node) -> list[float] | None:
    """The partials of a node that keeps them as numbers, None for other nodes."""
    if not isinstance(node, ScalarNode) or (node._lhs is None and node._rhs is None):
        return None
    both = ((node._lhs, node._dl), (node._rhs, node._dr))
    return [partial for parent, partial in both if parent is not None]


class WatchedPush:
    """What stands for `push_numbers` or `push_operands`: the same, with a look at the results.

    Tangents meet the zero of a branch that where() does not take after they have gone through the
    branch, cotangents before. So a nan or inf is reported when it arrives at a result.
    """

    def __init__(self, traced: bool) -> None:
        self._traced = traced
        self._first: dict[int, tuple[Node, str]] = {}  # id of a node -> where its nan came up

    def __call__(self, node: Node, tangents: Sequence[Any]) -> Any:
        t = _pushed(node, tangents, self._traced)
        bad = None if t is None else misfit(node, t)
        if bad is not None:
            before = [self._first[id(p)] for p in node._parents() if id(p) in self._first]
            self._first[id(node)] = before[0] if before else (node, bad)
        return t

    def end(self, outputs: Sequence[Node]) -> None:
        """Look at the results of the walk."""
        for output in outputs:
            if id(output) in self._first:
                node, bad = self._first[id(output)]
                raise backward_error(
                    op_name(node),
                    "tangent",
                    f"in forward mode its tangent is {bad}",
                    operand_lines(operand_texts(node)),
                    node,
                    None,
                )


def _pushed(node: Node, tangents: Sequence[Any], traced: bool) -> Any:
    if traced:
        with nullcontext() if isinstance(node, Hub) else unchecked():
            return derive.push_operands(node, tangents)
    stored = _stored(node)
    if stored is None:
        return derive.push_numbers(node, tangents)
    terms = [product(t, p) for t, p in zip(tangents, stored, strict=True) if t is not None]
    return sum(terms) if terms else None


# The backward pass -----------------------------------------------------------------------------


def inspect_pass(root: Node) -> None:
    """Raise if a node that root depends on holds a cotangent that is nan or inf.

    Called when all are complete and nothing is committed. The first of them is then found by
    going the same way again, slowly.
    """
    order = topological([root])
    for node in reversed(order):
        g = held(node)
        bad = None if g is None else misfit(node, g)
        if bad is not None:
            leaves = [p for p in order if not p._parents()]
            Route([root], leaves, beyond=True).pull([held(root)], traced=False)
            raise _sum_error(node, bad)  # all of its parts were finite


# Errors ----------------------------------------------------------------------------------------


def _cotangent_error(node: Node, operand: int, parent: Node, g: Any, bad: str) -> AnomalyError:
    """The error for what `node` sends to `parent`, which is its operand of that number."""
    label, made_by, received = name_given(parent), op_name(parent), text(node, g)
    details = operand_lines(operand_texts(node))
    if received:
        details.append(f"  cotangent of the result: {received}")
    if made_by:
        details.append(f"  operand {operand} is {origin(made_by, parent)}")
    name = f" ({label})" if label else ""
    what = f"in backward its cotangent for operand {operand}{name} is {bad}"
    return backward_error(op_name(node), "backward", what, details, node, operand)


def _sum_error(node: Node, bad: str) -> AnomalyError:
    """The error for a node that gets finite parts with a sum that is not, or that began so."""
    name, label = op_name(node) or "leaf", name_given(node)
    name_of_it = f" ({label})" if label else ""
    what = (
        f"in backward the cotangent of its result{name_of_it} is {bad}: it was given so, or the "
        f"sum of what its consumers sent is too large"
    )
    return backward_error(name, "backward", what, [], node, None)
