"""Where in a backward pass, or in a transform, the first nan or inf came up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from smolml_value._anomaly.messages import cotangent_error, sum_error, tangent_error
from smolml_value._anomaly.nodes import Misfit, held, misfit
from smolml_value._anomaly.state import unchecked
from smolml_value._derivatives import rules
from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.rules import of
from smolml_value._derivatives.subgraph import Subgraph
from smolml_value.node import Node, topological


def watched_vjp() -> Callable[[Node, Any, Sequence[bool], bool], Sequence[Any]]:
    """What stands for the `vjp` of rules: the same, with a look at the results."""
    # id of a FunctionNode -> a result of it, which has a name and a line
    parts_of: dict[int, Node] = {}

    def vjp(node: Node, g: Any, needs: Sequence[bool], create_graph: bool) -> Sequence[Any]:
        bad = misfit(node, g)
        if bad is not None:
            raise sum_error(node, bad)
        with _looking_at(node, create_graph):
            parts: Sequence[Any] = rules.vjp(node, g, needs, create_graph)
        for k, (parent, c, need) in enumerate(zip(node._parents(), parts, needs, strict=True)):
            if need and c is not None:
                bad = misfit(parent, c)
                if bad is not None:
                    raise cotangent_error(parts_of.get(id(node), node), k, parent, g, bad)
                if isinstance(parent, FunctionNode):
                    parts_of[id(parent)] = node
        return parts

    return vjp


def _looking_at(node: Node, create_graph: bool) -> Any:
    """Where operands are computed, a function's rule is the user's own program, others are ours.

    Of ours only the outcome counts, where an inf has met its zero.
    """
    return unchecked() if create_graph and not isinstance(node, FunctionNode) else nullcontext()


class WatchedJvp:
    """What stands for the `jvp` of rules: the same, with a look at the results.

    Tangents meet the zero of a branch that where() does not take after they have gone through the
    branch, cotangents before. So a nan or inf is reported when it arrives at a result.
    """

    def __init__(self) -> None:
        # id of a node with a bad tangent -> the node where that came up
        self._first: dict[int, tuple[Node, Misfit]] = {}

    def __call__(self, node: Node, tangents: Sequence[Any], create_graph: bool) -> Any:
        with _looking_at(node, create_graph):
            t = rules.jvp(node, tangents, create_graph)
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
            given = of(root).lift(root, held(root))
            Subgraph([root], leaves, beyond=True).vjp([given], create_graph=False)
            raise sum_error(node, bad)  # all of its parts were finite
