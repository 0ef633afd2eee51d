"""FunctionNode: a node between several results and what they were made from, with a derivative."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from smolml_value._derivatives import rules
from smolml_value._derivatives.rules import NodeRules, Parts, of
from smolml_value._runtime.forks import fork_safe
from smolml_value.node import Node
from smolml_value.recording import no_grad

# Cotangents of results (None: zero) -> cotangents of parents; and tangents the other way.
Linear = Callable[[list[Any]], Sequence[Any]]


class FunctionNode(Node):
    """A function's derivative as one node: its results are made by it, its arguments its parents.

    Its cotangent is a dict, index of a result -> its cotangent; its tangent is the list of
    theirs. Both hold operands, also where the rest of the graph is walked with numbers.
    """

    __slots__ = ("_given", "_pullback", "_received", "jvp")

    def __init__(self, parents: Sequence[Node], pullback: Linear, pushforward: Linear) -> None:
        self._given = tuple(parents)
        self._pullback = pullback
        self.jvp = pushforward  # the tangents of the results, given those of the parents
        self._received: dict[int, Any] = {}

    def _parents(self) -> Sequence[Node]:
        return self._given

    def _begin(self) -> None:
        self._received = {}

    def _receive(self, c: Any) -> None:
        self._received.update(c)  # of one result

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        with no_grad():
            found = self.vjp(g)
        return [None if c is None else of(c).number_of(c) for c in found]

    def _push(self) -> None:
        for parent, c in zip(self._parents(), self._cotangents(self._received), strict=True):
            if c is not None:
                of(parent).accumulate(parent, c)

    _commit = _abort = _begin

    def _add_to_grad(self, c: Any) -> None:
        for parent, part in zip(self._parents(), self._cotangents(c), strict=True):
            if part is not None:
                parent._add_to_grad(part)

    def vjp(self, received: dict[int, Any]) -> Sequence[Any]:
        """The cotangents of the parents, given those of some results."""
        count = 1 + max(received, default=-1)
        return self._pullback([received.get(k) for k in range(count)])


_making = fork_safe(threading.RLock())  # a pass must see the same parents each time it asks


class LazyGradient(FunctionNode):
    """Gradients whose numbers are known and whose graph is made when somebody asks for it.

    Most gradients are never differentiated again, and making their graph costs more than they do.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Sequence[Any]]) -> None:
        super().__init__((), lambda cotangents: cotangents, lambda tangents: tangents)
        self._make: Callable[[], Sequence[Any]] | None = make

    def _parents(self) -> Sequence[Node]:
        with _making:
            make = self._make
            if make is not None:
                self._given = tuple(rules.node_of(x) for x in make())
                self._make = None
            return self._given

    def vjp(self, received: dict[int, Any]) -> Sequence[Any]:
        """Each result is its parent."""
        return [received.get(k) for k in range(len(self._parents()))]


class FunctionRules(NodeRules):
    """The answers for functions: their own derivative, which is of operands, whatever is asked."""

    def vjp(self, node: FunctionNode, g: dict[int, Any], needs: Sequence[bool]) -> Parts:
        return node.vjp(g)

    def jvp(self, node: FunctionNode, tangents: Parts, create_graph: bool) -> Any:
        if create_graph:
            return node.jvp(list(tangents))
        with no_grad():
            pairs = zip(node._parents(), tangents, strict=True)
            return node.jvp([None if t is None else of(p).lift(p, t) for p, t in pairs])

    def values(self, node: FunctionNode) -> Sequence[Any]:
        return [v for parent in node._parents() for v in of(parent).values(parent)]

    def plus(self, node: Any, a: dict[int, Any], b: dict[int, Any]) -> dict[int, Any]:
        a.update(b)  # made by the vjp of a result, for us alone
        return a


rules.register(FunctionNode, FunctionRules())
