"""Walking the part of a graph between inputs and outputs, with cotangents or with tangents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from smolml_value import _derive
from smolml_value._graph import ScalarNode
from smolml_value._hub import Deferred
from smolml_value._node import Node


class Route:
    """What lies between inputs and outputs: found once, walked as often as one likes.

    With `beyond` the walk goes on behind an input, to find inputs that it depends on. Without,
    the inputs are leaves that nothing outside depends on: they end the search.

    Cotangents and tangents are operands of the graph (`traced`: what is computed can then be
    differentiated again), or numbers: floats for Values, raw arrays for arrays.
    """

    def __init__(
        self, outputs: Sequence[Node], inputs: Sequence[Node], beyond: bool = False
    ) -> None:
        graph = _Graph(outputs, None if beyond else {id(node) for node in inputs})
        self._nodes = graph.nodes
        self._outputs = [graph.place[id(node)] for node in outputs]
        self._inputs = [graph.place.get(id(node), -1) for node in inputs]
        on_the_way = bytearray(len(graph.nodes) + 1)  # the last one is for the place -1: nothing
        for i in self._inputs:
            on_the_way[i] = i >= 0
        # Per node on the way its place, those of its parents (-1: not on the way), and whether
        # its partials are stored; parents come first.
        self._steps: list[tuple[int, Sequence[int], bool]] = []
        for i in reversed(graph.order()):
            places = graph.parents[i]
            if len(places) == 2:
                left, right = places
                if on_the_way[left]:
                    on_the_way[i] = 1
                    if not on_the_way[right]:
                        places = (left, -1)
                elif on_the_way[right]:
                    on_the_way[i] = 1
                    places = (-1, right)
                elif not on_the_way[i]:
                    continue
                else:
                    places = (-1, -1)
            else:
                places = [j if on_the_way[j] else -1 for j in places]
                if any(j >= 0 for j in places):
                    on_the_way[i] = 1
                elif not on_the_way[i]:
                    continue
            self._steps.append((i, places, i in graph.stored))

    def pull(self, cotangents: Sequence[Any], traced: bool) -> list[Any | None]:
        """The cotangent of each input, given those of the outputs; None where nothing arrives."""
        nodes = self._nodes
        found: list[Any] = [None] * len(nodes)
        for i, g in zip(self._outputs, cotangents, strict=True):
            if g is not None:
                _add(found, i, nodes[i], g)
        kept = frozenset(self._inputs)
        pull = _derive.pull_operands if traced else _derive.pull_numbers
        for i, places, stored in reversed(self._steps):
            g = found[i]
            if g is None:
                continue
            node = nodes[i]
            if i not in kept:
                found[i] = None
            if stored:
                left, right = places
                if traced:
                    places, needs = _present(node, left, right)  # type: ignore[arg-type]
                    for j, c in zip(places, pull(node, g, needs), strict=True):
                        if j >= 0 and c is not None:
                            before = found[j]
                            found[j] = c if before is None else before + c
                elif g != 0.0:  # zero contributes nothing, be the partial inf or nan
                    if left >= 0:
                        c = node._dl * g  # type: ignore[attr-defined]  # a ScalarNode
                        before = found[left]
                        found[left] = c if before is None else before + c
                    if right >= 0:
                        c = node._dr * g  # type: ignore[attr-defined]
                        before = found[right]
                        found[right] = c if before is None else before + c
                continue
            if not isinstance(node, ScalarNode):
                g = _derive.gathered(node, g)
                if i in kept:
                    found[i] = g
            needs = [j >= 0 for j in places]
            if any(needs):
                for j, c in zip(places, pull(node, g, needs), strict=True):
                    if j >= 0 and c is not None:
                        _add(found, j, nodes[j], c)
        return [found[i] if i >= 0 else None for i in self._inputs]

    def push(self, tangents: Sequence[Any], traced: bool) -> list[Any | None]:
        """The tangent of each output, given those of the inputs; None where nothing arrives."""
        nodes = self._nodes
        found: list[Any] = [None] * (len(nodes) + 1)  # the last one is for the place -1: nothing
        for i, t in zip(self._inputs, tangents, strict=True):
            if i >= 0:
                found[i] = t
        push = _derive.push_operands if traced else _derive.push_numbers
        for i, places, stored in self._steps:
            if stored:
                left, right = places
                t, u = found[left], found[right]
                if t is None and u is None:
                    continue
                node = nodes[i]
                total = found[i]
                if traced:
                    c = push(node, [found[j] for j in _present(node, left, right)[0]])  # type: ignore[arg-type]
                    if c is not None:
                        total = c if total is None else total + c
                else:
                    # a zero on either side gives zero, be the other inf or nan
                    if t is not None and t != 0.0 and node._dl != 0.0:  # type: ignore[attr-defined]
                        c = node._dl * t  # type: ignore[attr-defined]
                        total = c if total is None else total + c
                    if u is not None and u != 0.0 and node._dr != 0.0:  # type: ignore[attr-defined]
                        c = node._dr * u  # type: ignore[attr-defined]
                        total = c if total is None else total + c
                found[i] = total
                continue
            known = [found[j] for j in places]
            if any(t is not None for t in known):
                t = push(nodes[i], known)
                if t is not None:
                    _add(found, i, nodes[i], t)
        return [found[i] for i in self._outputs]


def _present(node: ScalarNode, left: int, right: int) -> tuple[list[int], list[bool]]:
    """The places of the parents that a node has, and whether they are on the way."""
    places = []
    if node._lhs is not None:
        places.append(left)
    if node._rhs is not None:
        places.append(right)
    return places, [j >= 0 for j in places]


def _add(found: list[Any], i: int, node: Node, c: Any) -> None:
    before = found[i]
    found[i] = c if before is None else _derive.plus(node, before, c)


class _Graph:
    """All nodes that the roots depend on, numbered by places.

    `stops` are the ids of nodes behind which nothing is looked for. A deferred gradient was
    complete before these were made, so it does not depend on them.
    """

    def __init__(self, roots: Sequence[Node], stops: Collection[int] | None) -> None:
        self.place: dict[int, int] = {}
        self.nodes: list[Node] = []
        self.consumers: list[int] = []
        self.parents: list[Sequence[int]] = []  # places; of stored ones two, -1 for a constant
        self.stored: set[int] = set()  # the nodes of floats with stored partials
        for root in roots:
            if id(root) not in self.place:
                self.find(root)
        for i, node in enumerate(self.nodes):  # which grows meanwhile
            if stops is not None and (id(node) in stops or isinstance(node, Deferred)):
                self.parents.append(())
                continue
            if isinstance(node, ScalarNode):
                left, right = node._lhs, node._rhs
                if left is not None or right is not None:
                    self.stored.add(i)
                    self.parents.append(
                        (
                            -1 if left is None else self.consume(left),
                            -1 if right is None else self.consume(right),
                        )
                    )
                    continue
            self.parents.append([self.consume(parent) for parent in node._parents()])

    def find(self, node: Node) -> int:
        """The place of a node that was not seen before."""
        i = self.place[id(node)] = len(self.nodes)
        self.nodes.append(node)
        self.consumers.append(0)
        return i

    def consume(self, node: Node) -> int:
        """The place of a node that has one more consumer."""
        i = self.place.get(id(node))
        if i is None:
            i = self.find(node)
        self.consumers[i] += 1
        return i

    def order(self) -> list[int]:
        """All places, each before those of its parents."""
        consumers = self.consumers
        parents = self.parents
        order = [i for i, count in enumerate(consumers) if count == 0]
        for i in order:  # which grows meanwhile
            for j in parents[i]:
                if j >= 0:
                    consumers[j] -= 1
                    if consumers[j] == 0:
                        order.append(j)
        return order
