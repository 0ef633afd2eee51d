"""Which nodes there are: those near the roots one by one, and of all others how many.

A drawing shows about a hundred boxes, whatever the size of the graph. So only so many nodes are
looked at closely, nearest to the roots first; behind them nodes are only counted, as fast as it
goes, since folding a million of them should take a moment, not minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from smolml_value._showing import protocol
from smolml_value._showing.protocol import Constant
from smolml_value.node import Node

CLOSELY: Final = 8_000  # nodes that are looked at one by one
AT_ALL: Final = 200_000  # nodes at which counting stops


@dataclass
class Found:
    """The nodes of a graph.

    Attributes:
        nodes: those looked at closely, nearest to a root first.
        operands: per node its operands in order: the place of a node among `nodes`, -1 for a node
            that was only counted, or a constant.
        roots: the places of the roots.
        more: how many others there are.
        exact: whether that is all; else there are more, and `more` is rounded down.
        used_beyond: the places of nodes that others, only counted, were made from.
    """

    nodes: list[Node] = field(default_factory=list)
    operands: list[list[int | Constant]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    more: int = 0
    exact: bool = True
    used_beyond: set[int] = field(default_factory=set)

    @property
    def total(self) -> int:
        return len(self.nodes) + self.more


def collect(roots: Sequence[Node], closely: int = CLOSELY, at_all: int = AT_ALL) -> Found:
    """All that the roots depend on, breadth first."""
    found = Found()
    place: dict[int, int] = {}
    for root in roots:
        if id(root) not in place:
            place[id(root)] = len(found.nodes)
            found.nodes.append(root)
        found.roots.append(place[id(root)])
    beyond: list[Node] = []
    for node in found.nodes:  # which grows on the way
        row: list[int | Constant] = []
        for x in protocol.operands(node):
            if isinstance(x, Constant):
                row.append(x)
                continue
            i = place.get(id(x), -1)
            if i < 0 and len(found.nodes) < closely:
                i = place[id(x)] = len(found.nodes)
                found.nodes.append(x)
            elif i < 0:
                beyond.append(x)
            row.append(i)
        found.operands.append(row)
    if beyond:
        _count(found, place, beyond, at_all)
    return found


def _count(found: Found, place: dict[int, int], beyond: list[Node], at_all: int) -> None:
    """Count the nodes beyond, until there are `at_all` of them in total."""
    seen = set(place)
    again: set[int] = set()  # ids of nodes that were reached more than once
    stack: list[Node] = beyond
    while stack and found.exact:
        v = stack.pop()
        if id(v) in seen:
            again.add(id(v))
        else:
            seen.add(id(v))
            stack += v._parents()
            found.exact = len(seen) <= at_all
    found.more = (len(seen) if found.exact else at_all) - len(place)
    found.used_beyond = {place[key] for key in again if key in place}
