"""Where in a backward pass, or in a transform, the first nan or inf came up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from smolml_value._anomaly.messages import cotangent_error, sum_error, tangent_error
from smolml_value._anomaly.nodes import Misfit, held, misfit
from smolml_value._anomaly.state import unchecked
from smolml_value._derivatives import derive
from smolml_value._derivatives.function_node import Hub
from smolml_value._derivatives.subgraph import Route
from smolml_value.node import Node, topological


def watched_pull(traced: bool) -> Callable[[Node, Any, Sequence[bool]], Sequence[Any]]:
    """What stands for `_cotangents` or `pull_operands`: the same, with a look at the results."""
    parts_of: dict[int, Node] = {}  # id of a hub -> a result of it, which has a name and a line

    def pull(node: Node, g: Any, needs: Sequence[bool]) -> Sequence[Any]:
        bad = misfit(node, g)
        if bad is not None:
            raise sum_error(node, bad)
        parts = _pulled(node, g, needs, traced)
        for k, (parent, c, need) in enumerate(zip(node._parents(), parts, needs, strict=True)):
            if need and c is not None:
                bad = misfit(parent, c)
                if bad is not None:
                    raise cotangent_error(parts_of.get(id(node), node), k, parent, g, bad)
                if isinstance(parent, Hub):
                    parts_of[id(parent)] = node
        return parts

    return pull


def _pulled(node: Node, g: Any, needs: Sequence[bool], traced: bool) -> Sequence[Any]:
    if traced:
        with _rules_of(node):
            return derive.pull_operands(node, g, needs)
    return node._cotangents(g, needs)


def _rules_of(node: Node) -> Any:
    """A hub's rule is the user's own program, the others are ours.

    Of these only the outcome counts, where an inf has met its zero.
    """
    return nullcontext() if isinstance(node, Hub) else unchecked()


class WatchedPush:
    """What stands for `push_numbers` or `push_operands`: the same, with a look at the results.

    Tangents meet the zero of a branch that where() does not take after they have gone through the
    branch, cotangents before. So a nan or inf is reported when it arrives at a result.
    """

    def __init__(self, traced: bool) -> None:
        self._traced = traced
        # id of a node with a bad tangent -> the node where that came up
        self._first: dict[int, tuple[Node, Misfit]] = {}

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
                raise tangent_error(*self._first[id(output)])


def _pushed(node: Node, tangents: Sequence[Any], traced: bool) -> Any:
    if traced:
        with _rules_of(node):
            return derive.push_operands(node, tangents)
    return derive.push_numbers(node, tangents)


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
            raise sum_error(node, bad)  # all of its parts were finite
