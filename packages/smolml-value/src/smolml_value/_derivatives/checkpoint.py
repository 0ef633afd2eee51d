"""checkpoint: compute again what is between arguments and results instead of storing it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from smolml_value._derivatives import trees
from smolml_value._derivatives.arguments import Function, P, T
from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.leaving import differentiating, reached, silent
from smolml_value._derivatives.made import made
from smolml_value._derivatives.rules import node_of, nodes_of, of
from smolml_value._derivatives.subgraph import Subgraph
from smolml_value._derivatives.trees import Tree
from smolml_value.errors import GraphError
from smolml_value.node import Node, OperandBase, topological
from smolml_value.recording import grad_enabled, recording


def checkpoint(f: Callable[P, T]) -> Callable[P, T]:
    """f, whose inner results are not kept: a derivative computes them again when it needs them.

    Memory for time: of a chain cut into checkpointed pieces, the results between the pieces are
    kept and, for one piece at a time, those inside; it costs one more forward. f must give the
    same numbers when it is called again. What f closes over gets its gradient, too.

    Args:
        f: a function of floats, Values, arrays and containers of them, to such.

    Raises:
        GraphError: when a derivative is computed, if f then gives other numbers (it draws random
            ones, or data was set in between).

    Source: Griewank & Walther, Algorithm 799: revolve (2000).

    >>> from smolml_value.transforms import grad
    >>> grad(checkpoint(lambda x: (x * x) * x))(2.0)
    12.0
    """

    def checkpointed(*args: Tree, **kwargs: Any) -> Tree:
        if not grad_enabled():
            return f(*args, **kwargs)
        return _run(_Segment(f, args, kwargs))

    return made(checkpointed, checkpoint, f)


class _Segment:
    """One call of a checkpointed function, which can be repeated."""

    def __init__(self, f: Function, args: Sequence[Tree], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.args = args
        self.kwargs = kwargs
        flat = trees.leaves(args)
        self.places = [i for i, x in enumerate(flat) if of(x).is_tracked(x)]
        # with the numbers they have now, still connected to the arguments
        self.pinned = [of(x).alias(x) if of(x).is_tracked(x) else x for x in flat]
        self.results: list[Any] = []  # the numbers that must come out again
        self.outside: list[Node] = []  # what f closes over

    def call(self, connected: bool) -> tuple[Tree, list[Node]]:
        """What f returns, and the nodes that it started from."""
        leaves = list(self.pinned)
        followed = [i for i in self.places if reached(leaves[i])]
        with silent():
            for i in self.places:
                x = leaves[i]
                leaves[i] = of(x).alias(x) if connected else of(x).new_leaf(x)
        nodes = [node_of(leaves[i]) for i in self.places]  # before: f may assign to an array
        # new leaves: no way leads there from those of a transform
        with differentiating([node_of(leaves[i]) for i in followed]):
            return self.f(*trees.rebuild(self.args, leaves), **self.kwargs), nodes

    def again(self, create_graph: bool) -> tuple[Subgraph, int]:
        """The way through f, recorded anew, and how many outputs it has."""
        with recording():
            value, nodes = self.call(connected=create_graph)
        outputs = [y for y in trees.leaves(value) if of(y).is_tracked(y)]
        same = len(outputs) == len(self.results) and all(
            of(y).is_close(y, before) for y, before in zip(outputs, self.results, strict=True)
        )
        if not same:
            raise GraphError(
                f"checkpoint: {getattr(self.f, '__name__', 'the function')} gave other numbers "
                f"when it was computed again; it must not draw random numbers (draw them outside "
                f"and pass them in), and data must not be set before the derivative is computed"
            )
        return Subgraph(nodes_of(outputs), [*nodes, *self.outside]), len(outputs)

    def vjp(self, cotangents: list[Any]) -> list[Any]:
        graph, count = self.again(grad_enabled())
        return graph.vjp(cotangents + [None] * (count - len(cotangents)), grad_enabled())

    def jvp(self, tangents: list[Any]) -> list[Any]:
        return self.again(grad_enabled())[0].jvp(tangents, grad_enabled())


def _run(segment: _Segment) -> Tree:
    """The results, with a FunctionNode in place of the graph between them and the arguments."""
    value, nodes = segment.call(connected=False)
    outputs = trees.leaves(value)
    tracked = [of(y).is_tracked(y) for y in outputs]
    roots = [node_of(y) for y, t in zip(outputs, tracked, strict=True) if t]
    order = topological(roots, {id(node) for node in nodes})
    reached = {id(node) for node in roots}
    outputs = [of(y).detach(y) if isinstance(y, OperandBase) else y for y in outputs]
    tree = trees.rebuild(value, outputs)
    del value, nodes, roots
    segment.outside = _held_by_others(order, reached)
    segment.results = [y for y, t in zip(outputs, tracked, strict=True) if t]
    parents = [node_of(segment.pinned[i]) for i in segment.places]
    function = FunctionNode([*parents, *segment.outside], segment.vjp, segment.jvp)
    index = iter(range(len(outputs)))
    results = [
        of(y).make_output(y, function, next(index), "checkpoint") if t else y
        for y, t in zip(outputs, tracked, strict=True)
    ]
    return trees.rebuild(tree, results)


def _held_by_others(order: list[Node], reached: set[int]) -> list[Node]:
    """Which of these nodes somebody else holds, too: what a function closes over.

    The nodes of its own are held by nothing but their consumers. They are let go here, one after
    the other, consumers first, so that of each the references that are left can be counted. Where
    references are not counted (not in CPython), too many nodes seem to be held, which costs
    memory but changes no gradient.

    Args:
        order: parents first; emptied.
        reached: the ids of the results; of the nodes held by others only those count that the
            results reach through nodes of their own.
    """
    found: list[Node] = []
    order.append(Node())  # which nobody else holds
    alone = -1
    while order:
        node = order.pop()
        references = sys.getrefcount(node)
        if alone < 0:
            alone = references
        elif references > alone:
            if id(node) in reached:
                found.append(node)
        else:
            reached.update(id(parent) for parent in node._parents())
    return found
