"""checkpoint: compute again what is between arguments and results instead of storing it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from smolml_value._derivatives import derive, trees
from smolml_value._derivatives.arguments import Function
from smolml_value._derivatives.function_node import Hub
from smolml_value._derivatives.reverse import named
from smolml_value._derivatives.subgraph import Route
from smolml_value._derivatives.trees import Tree
from smolml_value.errors import GraphError
from smolml_value.node import Node, OperandBase, topological
from smolml_value.recording import grad_enabled, recording


def checkpoint(f: Function) -> Function:
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

    return named(checkpointed, "checkpoint", f)


class _Segment:
    """One call of a checkpointed function, which can be repeated."""

    def __init__(self, f: Function, args: Sequence[Tree], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.args = args
        self.kwargs = kwargs
        flat = trees.leaves(args)
        self.places = [i for i, x in enumerate(flat) if derive.is_tracked(x)]
        # with the numbers they have now, still connected to the arguments
        self.pinned = [derive.fresh(x) if derive.is_tracked(x) else x for x in flat]
        self.results: list[Any] = []  # the numbers that must come out again
        self.outside: list[Node] = []  # what f closes over

    def call(self, connected: bool) -> tuple[Tree, list[Node]]:
        """What f returns, and the nodes that it started from."""
        leaves = list(self.pinned)
        for i in self.places:
            leaves[i] = derive.fresh(leaves[i]) if connected else derive.leaf(leaves[i])
        value = self.f(*trees.rebuild(self.args, leaves), **self.kwargs)
        return value, [derive.node_of(leaves[i]) for i in self.places]

    def again(self, traced: bool) -> tuple[Route, list[Node], list[Node]]:
        """The way through f, recorded anew, with its outputs and inputs."""
        with recording():
            value, nodes = self.call(connected=traced)
        outputs = [y for y in trees.leaves(value) if derive.is_tracked(y)]
        same = len(outputs) == len(self.results) and all(
            map(derive.is_close, outputs, self.results)
        )
        if not same:
            raise GraphError(
                f"checkpoint: {getattr(self.f, '__name__', 'the function')} gave other numbers "
                f"when it was computed again; it must not draw random numbers (draw them outside "
                f"and pass them in), and data must not be set before the derivative is computed"
            )
        inputs = [*nodes, *self.outside]
        made = [derive.node_of(y) for y in outputs]
        return Route(made, inputs), made, inputs

    def pull(self, cotangents: list[Any]) -> list[Any]:
        traced = grad_enabled()
        route, outputs, inputs = self.again(traced)
        given = cotangents + [None] * (len(outputs) - len(cotangents))
        return _walked(route.pull, given, inputs, traced)

    def push(self, tangents: list[Any]) -> list[Any]:
        traced = grad_enabled()
        route, outputs, _ = self.again(traced)
        return _walked(route.push, tangents, outputs, traced)


def _walked(walk: Function, given: list[Any], ends: list[Node], traced: bool) -> list[Any]:
    """The operands that a walk gives at its ends, from operands."""
    if traced:
        found: list[Any] = walk(given, True)
        return found
    numbers = [None if g is None else derive.number_of(g) for g in given]
    return [
        None if c is None else derive.operand(node, c)
        for node, c in zip(ends, walk(numbers, False), strict=True)
    ]


def _run(segment: _Segment) -> Tree:
    """The results, with a hub in place of the graph between them and the arguments."""
    value, nodes = segment.call(connected=False)
    outputs = trees.leaves(value)
    tracked = [derive.is_tracked(y) for y in outputs]
    roots = [derive.node_of(y) for y, t in zip(outputs, tracked, strict=True) if t]
    order = topological(roots, {id(node) for node in nodes})
    reached = {id(node) for node in roots}
    outputs = [derive.constant(y) if isinstance(y, OperandBase) else y for y in outputs]
    tree = trees.rebuild(value, outputs)
    del value, nodes, roots
    segment.outside = _held_by_others(order, reached)
    segment.results = [y for y, t in zip(outputs, tracked, strict=True) if t]
    parents = [derive.node_of(segment.pinned[i]) for i in segment.places]
    hub = Hub([*parents, *segment.outside], segment.pull, segment.push)
    index = iter(range(len(outputs)))
    return trees.rebuild(
        tree,
        [
            derive.part_of(y, hub, next(index), "checkpoint") if t else y
            for y, t in zip(outputs, tracked, strict=True)
        ],
    )


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
