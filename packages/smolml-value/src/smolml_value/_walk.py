"""Walking the part of a graph between inputs and outputs, with cotangents or with tangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_value import _derive
from smolml_value._graph import ScalarNode
from smolml_value._hub import Deferred
from smolml_value._node import Node


class Route:
    """What lies between inputs and outputs: found once, walked as often as one likes.

    With `beyond` the search goes on behind an input, to find inputs that it depends on. Without,
    the inputs are leaves that nothing outside depends on: they end the search.

    Cotangents and tangents are operands of the graph (`traced`: what is computed can then be
    differentiated again), or numbers: floats for Values, raw arrays for arrays.
    """

    def __init__(
        self, outputs: Sequence[Node], inputs: Sequence[Node], beyond: bool = False
    ) -> None:
        # Per node on the way itself, the places of its parents (-1: not on the way) and whether
        # its partials are stored as floats: it has then two places. Parents come first.
        self._steps: list[tuple[Node, Sequence[int], bool]] = []
        place = self._find(outputs, {id(node) for node in inputs}, beyond)
        self._outputs = [place[id(node)] for node in outputs]
        self._inputs = [place.get(id(node), -1) for node in inputs]

    def _find(self, outputs: Sequence[Node], inputs: set[int], beyond: bool) -> dict[int, int]:
        """Fill in the steps: depth first, each node when its parents are done; iterative.

        Returns:
            The place of each node by its id.
        """
        steps = self._steps
        place: dict[int, int] = {}
        begun: dict[int, Sequence[Node | None]] = {}  # the parents of nodes that are not yet done
        stack = list(outputs)
        while stack:
            node = stack[-1]
            key = id(node)
            parents = begun.get(key)
            if parents is None:
                if key in place:
                    stack.pop()
                    continue
                begun[key] = parents = _parents(node, beyond, key in inputs)
                waiting = len(stack)
                for parent in parents:
                    if parent is not None and id(parent) not in place:
                        stack.append(parent)
                if len(stack) > waiting:
                    continue
            stack.pop()
            del begun[key]
            on_the_way = key in inputs
            places = []
            for parent in parents:
                j = -1 if parent is None else place[id(parent)]
                places.append(j)
                if j >= 0:
                    on_the_way = True
            if on_the_way:
                place[key] = len(steps)
                steps.append((node, places, bool(places) and _is_stored(node)))
            else:
                place[key] = -1
        return place

    def pull(self, cotangents: Sequence[Any], traced: bool) -> list[Any | None]:
        """The cotangent of each input, given those of the outputs; None where nothing arrives."""
        steps = self._steps
        found: list[Any] = [None] * len(steps)
        for i, g in zip(self._outputs, cotangents, strict=True):
            if g is not None and i >= 0:
                _add(found, i, steps[i][0], g)
        kept = frozenset(self._inputs)
        pull = _derive.pull_operands if traced else _derive.pull_numbers
        for i in range(len(steps) - 1, -1, -1):
            g = found[i]
            if g is None:
                continue
            if i not in kept:
                found[i] = None
            node, places, stored = steps[i]
            if stored and not traced:
                if g != 0.0:  # zero contributes nothing, be the partial inf or nan
                    left, right = places
                    if left >= 0:
                        c = node._dl * g  # type: ignore[attr-defined]  # a ScalarNode
                        before = found[left]
                        found[left] = c if before is None else before + c
                    if right >= 0:
                        c = node._dr * g  # type: ignore[attr-defined]
                        before = found[right]
                        found[right] = c if before is None else before + c
                continue
            if stored:
                places = _present(node, places)
            elif not isinstance(node, ScalarNode):
                g = _derive.gathered(node, g)
                if i in kept:
                    found[i] = g
            needs = [j >= 0 for j in places]
            if any(needs):
                for j, c in zip(places, pull(node, g, needs), strict=True):
                    if j >= 0 and c is not None:
                        _add(found, j, steps[j][0], c)
        return [found[i] if i >= 0 else None for i in self._inputs]

    def push(self, tangents: Sequence[Any], traced: bool) -> list[Any | None]:
        """The tangent of each output, given those of the inputs; None where nothing arrives."""
        steps = self._steps
        found: list[Any] = [None] * (len(steps) + 1)  # the last one is for the place -1: nothing
        for i, t in zip(self._inputs, tangents, strict=True):
            if i >= 0:
                found[i] = t
        push = _derive.push_operands if traced else _derive.push_numbers
        for i, (node, places, stored) in enumerate(steps):
            if stored and not traced:
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
                t = push(node, known)
                if t is not None:
                    _add(found, i, node, t)
        return [found[i] for i in self._outputs]


def _add(found: list[Any], i: int, node: Node, c: Any) -> None:
    before = found[i]
    found[i] = c if before is None else _derive.plus(node, before, c)


def _is_stored(node: Node) -> bool:
    """Whether it is a node of floats whose partials are stored."""
    return isinstance(node, ScalarNode) and not (node._lhs is None and node._rhs is None)


def _parents(node: Node, beyond: bool, is_input: bool) -> Sequence[Node | None]:
    """Where the search goes on: if partials are stored always two, None for a constant.

    A deferred gradient was complete before the inputs were made, so it cannot depend on them.
    """
    if is_input and not beyond:
        return ()
    if isinstance(node, ScalarNode):
        left, right = node._lhs, node._rhs
        if left is not None or right is not None:
            return (left, right)
        return () if node._made_by is None else node._parents()
    return () if isinstance(node, Deferred) and not beyond else node._parents()


def _present(node: Node, places: Sequence[int]) -> list[int]:
    """The places of the parents that a node of floats has."""
    both = (node._lhs, node._rhs)  # type: ignore[attr-defined]  # a ScalarNode
    return [j for j, parent in zip(places, both, strict=True) if parent is not None]
