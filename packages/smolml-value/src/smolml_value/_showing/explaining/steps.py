"""The steps of a backward pass, computed beside the graph: nobody's gradient changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smolml_value._derivatives import derive
from smolml_value._showing import protocol
from smolml_value._showing import values as _values  # noqa: F401  # Values answer what is asked
from smolml_value._showing.protocol import Constant
from smolml_value.graph import ScalarNode, product
from smolml_value.node import Node
from smolml_value.value import Value


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
    """

    name: str
    formula: str
    is_partial: bool
    partial: Any
    contribution: Any
    gradient: Any
    note: str = ""
    details: str = ""


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


LEAVES = 40  # leaves that the last step lists


class Names:
    """What nodes are called: by label, by the names given, else v1, v2, ... as they were made."""

    def __init__(self, order: Sequence[Node], given: Mapping[int, str]) -> None:
        self._names: dict[int, str] = {}
        taken = set(given.values())
        count = 0
        for node in reversed(order):
            name = protocol.tag(node)[1] or given.get(id(node), "")
            if not name:
                count += 1
                while f"v{count}" in taken:
                    count += 1
                name = f"v{count}"
            self._names[id(node)] = name
        self._given = given

    def __call__(self, x: Node | Constant) -> str:
        if not isinstance(x, Constant):
            return self._names[id(x)]
        if x.shape is None or x.key is None:
            return x.text
        return self._given.get(x.key, "const")


class Walk:
    """One backward pass in the order of the engine, with the cotangents kept beside the graph."""

    def __init__(self, root: Node, most: int, given: Mapping[int, str]) -> None:
        self.root = root
        self.received: dict[int, Any] = {}
        self.waiting: dict[int, int] = {}
        self.nodes: list[Node] = []
        self._mark()
        self.order: list[Node] = []
        self.leaves: list[Node] = []
        self._sort()
        self.name = Names(self.order, given)
        self.steps = self._run(most)

    def _mark(self) -> None:
        """All nodes and how many consumers each has."""
        self.nodes.append(self.root)
        self.waiting[id(self.root)] = 1
        for node in self.nodes:
            for parent in node._parents():
                key = id(parent)
                if key in self.waiting:
                    self.waiting[key] += 1
                else:
                    self.waiting[key] = 1
                    self.nodes.append(parent)

    def _sort(self) -> None:
        """Each node after all its consumers, in the order in which the engine takes them."""
        waiting = self.waiting
        scalars: list[Node] = []
        others: list[Node] = []
        leaves = self.leaves

        def release(node: Node) -> None:
            key = id(node)
            waiting[key] -= 1
            if waiting[key] == 0:
                if not node._parents():
                    leaves.append(node)
                elif isinstance(node, ScalarNode):
                    scalars.append(node)
                else:
                    others.append(node)

        release(self.root)
        while scalars or others:
            node = scalars.pop() if scalars else others.pop()
            self.order.append(node)
            for parent in node._parents():
                release(parent)
        self._order_leaves()
        self.order += reversed(leaves)

    def _order_leaves(self) -> None:
        """The leaves from left to right, as they stand in the formula."""
        place: dict[int, int] = {}
        stack = [self.root]
        while stack:
            node = stack.pop()
            if id(node) not in place:
                place[id(node)] = len(place)
                stack += reversed(node._parents())
        self.leaves.sort(key=lambda node: place[id(node)])

    def gradient(self, node: Node) -> Any:
        """The gradient that the pass found for a node, zero if nothing arrived."""
        g = self.received.get(id(node))
        return protocol.zero(node) if g is None else derive.gathered(node, g)

    def _add(self, node: Node, c: Any) -> None:
        before = self.received.get(id(node))
        self.received[id(node)] = c if before is None else derive.plus(node, before, c)

    def _run(self, most: int) -> list[Step]:
        root = self.root
        self.received[id(root)] = protocol.seed(root)
        first = protocol.shown(root, self.gradient(root))
        steps = [Step(1, "start", self.name(root), cotangent=first)]
        folded: Counter[str] = Counter()
        inner = len(self.order) - len(self.leaves)
        for i in range(inner):
            node = self.order[i]
            # one step more than allowed is no reason to fold it
            if i < most or inner <= most:
                steps.append(self._step(len(steps) + 1, node))
            else:
                folded[protocol.tag(node)[0]] += 1
                self._pass(node)
        if folded:
            left = tuple(folded.most_common())
            steps.append(Step(len(steps) + 1, "folded", "", folded=left))
        found = tuple(
            Gradient(
                self.name(leaf), protocol.shown(leaf, self.gradient(leaf)), protocol.held(leaf)
            )
            for leaf in self.leaves[:LEAVES]
        )
        left_out = max(0, len(self.leaves) - LEAVES)
        steps.append(
            Step(len(steps) + 1, "end", self.name(root), gradients=found, left_out=left_out)
        )
        return steps

    def _step(self, number: int, node: Node) -> Step:
        """One node: what it sends to its operands, told in full."""
        g = self.gradient(node)
        made: list[Contribution] = []
        parts = protocol.parts(node, g, self.name)
        for parent, part in zip(node._parents(), parts, strict=True):
            if part.contribution is None:
                continue
            contribution = protocol.shown(parent, part.contribution)
            self._add(parent, part.contribution)
            made.append(
                Contribution(
                    self.name(parent),
                    part.formula,
                    part.is_partial,
                    protocol.shown(node, part.partial),
                    contribution,
                    protocol.shown(parent, self.gradient(parent)),
                    part.note,
                    part.details,
                )
            )
        args = [self.name(x) for x in protocol.operands(node)]
        look = protocol.look(node)
        text = protocol.expression(node, args)
        cotangent = protocol.shown(node, g)
        return Step(number, "op", self.name(node), look.op, text, cotangent, tuple(made))

    def _pass(self, node: Node) -> None:
        """One node, without telling."""
        if type(node) is Value:
            g = self.gradient(node)
            if node._lhs is not None:
                self._add(node._lhs, product(g, node._dl))
            if node._rhs is not None:
                self._add(node._rhs, product(g, node._dr))
            return
        for parent, part in zip(
            node._parents(), protocol.parts(node, self.gradient(node), _no_name), strict=True
        ):
            if part.contribution is not None:
                self._add(parent, part.contribution)


def _no_name(x: Node | Constant) -> str:
    return "x"
