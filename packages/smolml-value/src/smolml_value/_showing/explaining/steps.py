"""The steps of a backward pass, computed beside the graph: nobody's gradient changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from smolml_value._derivatives.rules import of
from smolml_value._showing import protocol
from smolml_value._showing import values as _values  # noqa: F401  # Values answer what is asked
from smolml_value._showing.protocol import Constant
from smolml_value.graph import ScalarNode
from smolml_value.node import Node, topological


@dataclass(frozen=True)
class Contribution:
    """What a node adds to the gradient of one of its operands.

    Attributes:
        name: the operand.
        formula: the local partial in terms of the operands; or, of array operations, what is
            done with the cotangent.
        is_partial: whether `formula` is a partial, to be multiplied with the cotangent.
        partial: the partial as a number (an array where it has several); None if there is none.
        contribution: what is added.
        gradient: the operand's gradient after that, in this pass.
        note: what else happens on the way, one of those in `words`, or "".
        details: what the note speaks of.
        edge: the arrow's number in a drawing, if one is made.
        place: that of the operand.
    """

    name: str
    formula: str
    is_partial: bool
    partial: Any
    contribution: Any
    gradient: Any
    note: str = ""
    details: str = ""
    edge: str = ""
    place: int = -1


@dataclass(frozen=True)
class Gradient:
    """What the pass found for a leaf: `added` is the gradient, `before` what it holds now."""

    name: str
    added: Any
    before: Any


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        number: from 1.
        kind: "start" (the root gets a gradient of one), "op", "folded" (several left out) or
            "end" (the gradients of the leaves).
        name: the node.
        op: the symbol of its op.
        expression: how it was computed, in names.
        cotangent: its own gradient, complete when the step is taken.
        contributions: what it adds to each operand.
        gradients: of the last step: what the leaves got.
        folded: of a folded step: how often which op was left out.
        left_out: how many leaves are not listed.
        place: the node's number in a drawing, if one is made.
    """

    number: int
    kind: Literal["start", "op", "folded", "end"]
    name: str
    op: str = ""
    expression: str = ""
    cotangent: Any = None
    contributions: tuple[Contribution, ...] = ()
    gradients: tuple[Gradient, ...] = ()
    folded: tuple[tuple[str, int], ...] = ()
    left_out: int = 0
    place: int = -1


LEAVES = 40  # leaves that the last step lists


class Names:
    """What nodes are called: by label, by the names given, else v1, v2, ... as they were made."""

    def __init__(self, order: Sequence[Node], given: Mapping[int, str]) -> None:
        taken = set(given.values())
        fresh = (name for name in map("v{}".format, count(1)) if name not in taken)
        self._names = {
            id(node): protocol.tag(node)[1] or given.get(id(node)) or next(fresh)
            for node in reversed(order)
        }
        self._given = given

    def __contains__(self, node: Node) -> bool:
        return id(node) in self._names

    def __call__(self, x: Node | Constant) -> str:
        if not isinstance(x, Constant):
            return self._names[id(x)]
        if x.shape is None or x.key is None:
            return x.text
        return self._given.get(x.key, "const")


class Walk:
    """One backward pass in the order of the engine, with the cotangents kept beside the graph."""

    def __init__(
        self, root: Node, most: int, given: Mapping[int, str], nodes: Sequence[Node] = ()
    ) -> None:
        self.nodes = nodes
        self._places = {id(node): i for i, node in enumerate(nodes)}
        self.received: dict[int, Any] = {id(root): protocol.filled(root, 1.0)}
        inner, leaves = _in_order(root), _leaves(root)
        self.name: Names = Names([*inner, *reversed(leaves)], given)
        self.steps: list[Step] = list(self._run(root, inner, leaves, most))

    def gradient(self, node: Node) -> Any:
        """The gradient that the pass found for a node, as the user gets it."""
        return protocol.shown(node, self._cotangent(node))

    def _cotangent(self, node: Node) -> Any:
        """What a node has received, zero if nothing arrived."""
        g = self.received.get(id(node))
        return protocol.filled(node, 0.0) if g is None else of(node).finalize(node, g)

    def _run(
        self, root: Node, inner: Sequence[Node], leaves: Sequence[Node], most: int
    ) -> Iterator[Step]:
        number, name = count(1), self.name(root)
        yield Step(next(number), "start", name, cotangent=self.gradient(root), place=0)
        folded: Counter[str] = Counter()
        for i, node in enumerate(inner):
            # one step more than allowed is no reason to fold it
            if i < most or len(inner) <= most:
                yield self._step(next(number), node)
            else:
                folded[protocol.tag(node)[0]] += 1
                for parent, c in self._sent(node):
                    self._add(parent, c)
        if folded:
            yield Step(next(number), "folded", "", folded=tuple(folded.most_common()))
        found = [
            Gradient(self.name(leaf), self.gradient(leaf), protocol.held(leaf))
            for leaf in leaves[:LEAVES]
        ]
        left_out = max(0, len(leaves) - LEAVES)
        yield Step(next(number), "end", name, gradients=tuple(found), left_out=left_out)

    def _sent(self, node: Node) -> Iterator[tuple[Node, Any]]:
        """Each parent with what it gets, None for nothing."""
        return zip(node._parents(), node._cotangents(self._cotangent(node)), strict=True)

    def _add(self, node: Node, c: Any) -> None:
        if c is not None:
            before = self.received.get(id(node))
            self.received[id(node)] = c if before is None else of(node).plus(node, before, c)

    def _step(self, number: int, node: Node) -> Step:
        """One node: what it sends to its operands, told in full."""
        cotangent = self.gradient(node)
        made: list[Contribution] = []
        parts = protocol.parts(node, self.name)
        place = self._places.get(id(node), -1)
        for k, ((parent, c), part) in enumerate(zip(self._sent(node), parts, strict=True)):
            if c is None or part is None:
                continue
            contribution = protocol.shown(parent, c)
            self._add(parent, c)
            made.append(
                Contribution(
                    self.name(parent),
                    part.formula,
                    part.is_partial,
                    protocol.shown(node, part.partial),
                    contribution,
                    self.gradient(parent),
                    part.note,
                    part.details,
                    f"{place}.{k}",
                    self._places.get(id(parent), -1),
                )
            )
        text = protocol.expression(node, [self.name(x) for x in protocol.operands(node)])
        op = protocol.look(node).op
        return Step(number, "op", self.name(node), op, text, cotangent, tuple(made), place=place)


def _in_order(root: Node) -> list[Node]:
    """All nodes but leaves in the order in which the engine takes them, consumers first."""
    waiting = Counter(id(parent) for node in topological([root]) for parent in node._parents())
    waiting[id(root)] = 1
    order: list[Node] = []
    scalars: list[Node] = []
    others: list[Node] = []
    released: Sequence[Node] = [root]
    while True:
        for node in released:
            waiting[id(node)] -= 1
            if waiting[id(node)] == 0 and node._parents():
                (scalars if isinstance(node, ScalarNode) else others).append(node)
        if not scalars and not others:
            return order
        order.append(scalars.pop() if scalars else others.pop())
        released = order[-1]._parents()


def _leaves(root: Node) -> list[Node]:
    """The leaves from left to right, as they stand in the formula."""
    order = topological([root], before=lambda node: reversed(node._parents()))
    return [node for node in order if not node._parents()]
