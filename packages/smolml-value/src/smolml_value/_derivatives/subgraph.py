"""Walking the part of a graph between inputs and outputs, with cotangents or with tangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_value._derivatives import rules
from smolml_value._derivatives.function_node import LazyGradient
from smolml_value._derivatives.rules import of
from smolml_value.graph import ScalarNode
from smolml_value.node import Node, product
from smolml_value.recording import MODE


class Subgraph:
    """What lies between inputs and outputs: found once, walked as often as one likes.

    With `beyond` the search goes on behind an input, to find inputs that it depends on. Without,
    the inputs are leaves that nothing outside depends on: they end the search.

    Cotangents and tangents are operands. Inside they are numbers (floats for Values, raw arrays
    for arrays), unless create_graph is set: what is found can then be differentiated again.
    """

    def __init__(
        self, outputs: Sequence[Node], inputs: Sequence[Node], beyond: bool = False
    ) -> None:
        # per node on the way itself, the places of its parents (-1: not on the way), and whether
        # its partials are stored as floats: it has then two places; parents come first
        self._steps: list[tuple[Node, Sequence[int], bool]] = []
        # the place among the steps by the id of a node; -1 if it is not on the way
        self._place: dict[int, int] = {}
        self._ends = {id(node) for node in inputs}
        if not beyond:
            for node in inputs:
                self._settle(node, (), False, True)
        self._search(outputs, beyond)
        self._outputs = [self._place[id(node)] for node in outputs]
        self._inputs = [self._place.get(id(node), -1) for node in inputs]
        self._place.clear()

    def vjp(self, cotangents: Sequence[Any], create_graph: bool) -> list[Any | None]:
        """The cotangent of each input, given those of the outputs; None where nothing arrives."""
        steps = self._steps
        found: list[Any] = [None] * (len(steps) + 1)  # the last one is for the place -1: nothing
        for i, g in zip(self._outputs, cotangents, strict=True):
            if g is not None and i >= 0:
                _add(found, i, steps[i][0], g if create_graph else of(g).number_of(g))
        kept = frozenset(self._inputs)
        watched = MODE.watcher.vjp() if MODE.watched else None
        vjp = watched or rules.vjp
        quick = not create_graph and watched is None
        for i in range(len(steps) - 1, -1, -1):
            g = found[i]
            if g is None:
                continue
            if i not in kept:
                found[i] = None
            node, places, stored = steps[i]
            if stored and quick:
                # `product` of both, written out, which is three times as fast: only nan may have
                # to be zero
                if g != 0.0:
                    left, right = places
                    if left >= 0:
                        c = node._dl * g  # type: ignore[attr-defined]  # a ScalarNode
                        if c != c:
                            c = product(g, node._dl)  # type: ignore[attr-defined]
                        before = found[left]
                        found[left] = c if before is None else before + c
                    if right >= 0:
                        c = node._dr * g  # type: ignore[attr-defined]
                        if c != c:
                            c = product(g, node._dr)  # type: ignore[attr-defined]
                        before = found[right]
                        found[right] = c if before is None else before + c
                continue
            if stored:
                places = _present(node, places)
            elif not isinstance(node, ScalarNode):
                g = of(node).finalize(node, g)
                if i in kept:
                    found[i] = g
            needs = [j >= 0 for j in places]
            if any(needs):
                for j, c in zip(places, vjp(node, g, needs, create_graph), strict=True):
                    if j >= 0 and c is not None:
                        _add(found, j, steps[j][0], c)
        return [self._end(found, i, create_graph) for i in self._inputs]

    def jvp(self, tangents: Sequence[Any], create_graph: bool) -> list[Any | None]:
        """The tangent of each output, given those of the inputs; None where nothing arrives."""
        steps = self._steps
        found: list[Any] = [None] * (len(steps) + 1)
        for i, t in zip(self._inputs, tangents, strict=True):
            if i >= 0 and t is not None:
                found[i] = t if create_graph else of(t).number_of(t)
        watched = MODE.watcher.jvp() if MODE.watched else None
        jvp = watched or rules.jvp
        quick = not create_graph and watched is None
        for i, (node, places, stored) in enumerate(steps):
            if stored and quick:
                left, right = places
                t, u, total = found[left], found[right], found[i]
                # a zero on either side gives zero, be the other inf or nan
                if t is not None and t != 0.0 and node._dl != 0.0:  # type: ignore[attr-defined]
                    c = node._dl * t  # type: ignore[attr-defined]  # a ScalarNode
                    total = c if total is None else total + c
                if u is not None and u != 0.0 and node._dr != 0.0:  # type: ignore[attr-defined]
                    c = node._dr * u  # type: ignore[attr-defined]
                    total = c if total is None else total + c
                found[i] = total
                continue
            if stored:
                places = _present(node, places)
            known = [found[j] for j in places]
            if any(t is not None for t in known):
                t = jvp(node, known, create_graph)
                if t is not None:
                    _add(found, i, node, t)
        if watched is not None:
            watched.end([steps[i][0] for i in self._outputs if i >= 0])
        return [self._end(found, i, create_graph) for i in self._outputs]

    def _end(self, found: list[Any], i: int, create_graph: bool) -> Any:
        """What has arrived at an end of the walk, as an operand."""
        c, node = found[i], self._steps[i][0] if found[i] is not None else None
        return c if node is None or create_graph else of(node).lift(node, c)

    def _search(self, outputs: Sequence[Node], beyond: bool) -> None:
        """Depth first and iterative: a node is settled when its parents are."""
        place = self._place
        stack = list(outputs)
        while stack:
            node = stack[-1]
            if id(node) in place:
                stack.pop()
                continue
            if isinstance(node, ScalarNode):
                left, right = node._lhs, node._rhs
                if left is not None or right is not None:
                    i = -1 if left is None else place.get(id(left), -2)
                    j = -1 if right is None else place.get(id(right), -2)
                    if i == -2:
                        stack.append(left)  # type: ignore[arg-type]  # not None: that is -1
                    if j == -2:
                        stack.append(right)  # type: ignore[arg-type]
                    if i != -2 and j != -2:
                        self._settle(node, (i, j), True, i >= 0 or j >= 0)
                    continue
            # a deferred gradient was complete before the inputs were made
            ends = isinstance(node, LazyGradient) and not beyond
            parents = () if ends else node._parents()
            places = [place.get(id(parent), -2) for parent in parents]
            waiting = [p for p, i in zip(parents, places, strict=True) if i == -2]
            if waiting:
                stack += waiting
            else:
                self._settle(node, places, False, max(places, default=-1) >= 0)

    def _settle(self, node: Node, places: Sequence[int], stored: bool, on_the_way: bool) -> None:
        """Give a node its place, which it has not yet."""
        key = id(node)
        if not on_the_way and key not in self._ends:
            self._place[key] = -1
        else:
            self._place[key] = len(self._steps)
            self._steps.append((node, places, stored))


def _add(found: list[Any], i: int, node: Node, c: Any) -> None:
    before = found[i]
    found[i] = c if before is None else of(node).plus(node, before, c)


def _present(node: Node, places: Sequence[int]) -> list[int]:
    """The places of the parents that a node of floats has."""
    both = (node._lhs, node._rhs)  # type: ignore[attr-defined]  # a ScalarNode
    return [j for j, parent in zip(places, both, strict=True) if parent is not None]
