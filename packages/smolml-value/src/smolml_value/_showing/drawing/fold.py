"""Folding: which nodes share a box, so that a large graph becomes a drawing one can read.

Every way of folding keeps the graph acyclic. Nodes that share a box are those of one level: the
level counts how often, on the way from the leaves, the box changes; so it grows along every edge
from one box to another. (Folding by label goes from the roots instead: a node joins the box of
what consumes it if there is only one, so that a box is left through its last node alone.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final, Literal

from smolml_value._showing import protocol
from smolml_value._showing.drawing.collect import Found

Fold = Literal["auto", "module", "label", "op", "run", "depth"]
FOLDS: Final = ("auto", "module", "label", "op", "run", "depth")
HIDDEN: Final = -1  # the group of what is not shown
_MANY: Final = 6  # labelled leaves used alike that are not shown one by one


@dataclass(eq=False)
class Group:
    """Nodes that share a box; `name` is what they have in common, "" for a node alone."""

    name: str
    members: list[int] = field(default_factory=list)


class Folded:
    """Which box each of so many nodes is in, HIDDEN for the box of all that is not shown."""

    def __init__(self, groups: Iterable[Group], count: int) -> None:
        self.groups = [group for group in groups if group.members]
        self.group_of = [HIDDEN] * count
        for place, group in enumerate(self.groups):
            for i in group.members:
                self.group_of[i] = place


def folds(found: Found, how: Fold | None, most: int) -> Iterator[Folded]:
    """The nodes in at most `most` boxes, and one for the rest where that is not enough.

    Of "auto" there are several to choose from, each with fewer boxes than those before it, down
    to the few that are nearest to the roots.
    """
    if how is None or (how == "auto" and found.more == 0 and len(found.nodes) <= most):
        yield _alone(found)
        if how is None:
            return
    graph = _Graph(found)
    if how != "auto":
        yield _cut(graph, _alone(found) if how == "depth" else _folded(graph, how), most)
        return
    best: Folded | None = None
    for way in _WAYS:
        folded = _folded(graph, way)
        inner = sum(1 for g in folded.groups if not graph.is_leaf[g.members[0]])
        # it shows some structure, or that there is none
        if len(folded.groups) <= most and (inner > 2 or way == "op"):
            yield folded
            best = best or folded
    best = best or _folded(graph, "op")
    while most:
        yield _cut(graph, best, most)
        most = min(most, len(best.groups)) * 2 // 3


def _folded(graph: _Graph, how: str) -> Folded:
    return _merge_leaves(graph, _WAYS[how](graph), how in ("op", "run"))


class _Graph:
    """What folding needs to know of the nodes: of those that were looked at closely."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.count = len(found.nodes)
        every = [[p for p in row if isinstance(p, int)] for row in found.operands]
        self.parents = [[p for p in row if p >= 0] for row in every]
        self.consumers: list[list[int]] = [[] for _ in every]
        for i, row in enumerate(self.parents):
            for p in row:
                self.consumers[p].append(i)
        self.tags = [protocol.tag(node) for node in found.nodes]
        self.is_leaf = [not row for row in every]
        self.roots = set(found.roots)
        self.order = _consumers_first(self.consumers, self.parents, range(self.count))
        self.hidden = self._used_by_hidden()

    def _used_by_hidden(self) -> set[int]:
        """Nodes that what is only counted was made from, and all that led to them; no leaves.

        They go into its box: an edge out of it may lead to nodes that an edge leads from.
        """
        hidden: set[int] = set()
        stack = list(self.found.used_beyond)
        while stack:
            i = stack.pop()
            if i not in hidden and not self.is_leaf[i]:
                hidden.add(i)
                stack += self.parents[i]
        return hidden


def _consumers_first(
    consumers: Sequence[Collection[int]],
    parents: Sequence[Collection[int]],
    place: Sequence[int],
    most: float = math.inf,
    leaf: Container[int] = (),
    barred: Container[int] = (),
) -> list[int]:
    """At most so many vertices, each after all that consume it, those of low places first.

    A leaf may come after the first that consumes it; what is barred never comes.
    """
    waiting = [len(c) for c in consumers]
    ready = [(place[v], v) for v, w in enumerate(waiting) if w == 0]
    heapify(ready)
    order: list[int] = []
    while ready and len(order) < most:
        _, v = heappop(ready)
        if v in barred:
            continue
        order.append(v)
        for p in parents[v]:
            waiting[p] -= 1
            if waiting[p] == (len(consumers[p]) - 1 if p in leaf else 0):
                heappush(ready, (place[p], p))
    return order


def _alone(found: Found) -> Folded:
    count = len(found.nodes)
    return Folded([Group("", [i]) for i in range(count)], count)


def _by_level(graph: _Graph, key: Callable[[int, Sequence[str]], str]) -> Folded:
    """Nodes with one key on one level share a box; `key(node, keys of its parents)`."""
    keys = [""] * graph.count
    level = [0] * graph.count
    groups: dict[tuple[str, int], Group] = {}
    inner = [i for i in reversed(graph.order) if i not in graph.hidden and not graph.is_leaf[i]]
    placed: set[int] = set()
    for i in inner:
        above = [p for p in graph.parents[i] if p in placed]
        keys[i] = key(i, [keys[p] for p in above])
        level[i] = max((level[p] + (keys[p] != keys[i]) for p in above), default=0)
        groups.setdefault((keys[i], level[i]), Group(keys[i])).members.append(i)
        placed.add(i)
    return _with_leaves(graph, groups.values())


def _with_leaves(graph: _Graph, groups: Collection[Group]) -> Folded:
    """Each leaf that has no box gets one of its own."""
    placed = {i for group in groups for i in group.members}
    leaves = [i for i, is_leaf in enumerate(graph.is_leaf) if is_leaf and i not in placed]
    return Folded([*groups, *(Group("", [i]) for i in leaves)], graph.count)


def _by_op(graph: _Graph) -> Folded:
    """The same op on the same level: sums of many, the neurons of a layer."""
    return _by_level(graph, lambda i, keys: graph.tags[i][0])


def _by_run(graph: _Graph) -> Folded:
    """Equal ops on one level, and then what follows one another without a fork or a join.

    A box joins the one that consumes it if that is the only one, and itself is the only operand
    of it that is no leaf.
    """
    folded = _by_op(graph)
    consumers, parents = _quotient(graph, folded)
    leaf = [graph.is_leaf[g.members[0]] for g in folded.groups]
    barred = {folded.group_of[c] for i in graph.hidden for c in graph.consumers[i]}
    target = list(range(len(folded.groups)))
    order = dict.fromkeys(folded.group_of[i] for i in graph.order)  # consumers first
    for g in order:
        if g == HIDDEN or leaf[g] or graph.tags[folded.groups[g].members[-1]][1]:
            continue
        if len(consumers[g]) != 1:
            continue
        (after,) = consumers[g]
        if after not in barred and sum(not leaf[p] for p in parents[after]) == 1:
            target[g] = target[after]
            group = folded.groups[target[g]]
            group.name = ""
            group.members += folded.groups[g].members
            folded.groups[g] = Group("")
    return Folded(folded.groups, graph.count)


def _quotient(graph: _Graph, folded: Folded) -> tuple[list[set[int]], list[set[int]]]:
    """Per box the boxes that consume it and those it was made from, the hidden one left out."""
    consumers: list[set[int]] = [set() for _ in folded.groups]
    parents: list[set[int]] = [set() for _ in folded.groups]
    for i, row in enumerate(graph.parents):
        for p in row:
            source, target = folded.group_of[p], folded.group_of[i]
            if HIDDEN not in (source, target) and source != target:
                consumers[source].add(target)
                parents[target].add(source)
    return consumers, parents


def _module(label: str) -> str:
    """What comes before the last dot of a label: "layer1" in "layer1.w"."""
    return label.rpartition(".")[0]


def _by_module(graph: _Graph) -> Folded:
    """Labels with a dot name a module; what is made from its parts belongs to it, too."""
    modules = [_module(label) for _, label in graph.tags]

    def key(i: int, keys: Sequence[str]) -> str:
        if graph.tags[i][1]:
            return modules[i] or graph.tags[i][1]
        entered = [modules[p] for p in graph.parents[i] if graph.is_leaf[p]]
        return next((m for m in (*entered, *reversed(keys)) if m), "")

    folded = _by_level(graph, key)
    alone: list[Group] = []
    for place, group in enumerate(folded.groups):
        if group.name:
            _take_in_leaves(graph, folded, place)
        else:  # what belongs to no module stays as it is
            alone += [Group("", [i]) for i in group.members[1:]]
            del group.members[1:]
    return Folded([*folded.groups, *alone], graph.count)


def _take_in_leaves(graph: _Graph, folded: Folded, place: int) -> None:
    """Leaves of a module that it alone uses are shown inside."""
    group = folded.groups[place]
    for i in list(group.members):
        for p in graph.parents[i]:
            label = graph.tags[p][1]
            if not graph.is_leaf[p] or folded.group_of[p] == place or not label:
                continue
            is_ours = _module(label) == group.name
            if is_ours and all(folded.group_of[c] == place for c in graph.consumers[p]):
                folded.groups[folded.group_of[p]].members.remove(p)
                folded.group_of[p] = place
                group.members.append(p)


def _by_label(graph: _Graph) -> Folded:
    """A labelled node takes in everything that goes into it alone."""
    home: dict[int, Group] = {}
    groups: list[Group] = []
    for i in graph.order:
        if i in graph.hidden:
            continue
        label = graph.tags[i][1]
        homes = {home.get(c) for c in graph.consumers[i]}
        if label or i in graph.roots or i in graph.found.used_beyond or len(homes) != 1:
            groups.append(Group(label))
            homes = {groups[-1]}
        (group,) = homes
        if group is not None:
            home[i] = group
            group.members.append(i)
    return _with_leaves(graph, groups)


def _merge_leaves(graph: _Graph, folded: Folded, also_labelled: bool) -> Folded:
    """Leaves that are used by the same boxes share one; with a label only if they are many."""
    alike: dict[tuple[bool, frozenset[int]], list[int]] = {}
    for place, group in enumerate(folded.groups):
        i = group.members[0]
        if len(group.members) != 1 or not graph.is_leaf[i] or i in graph.roots:
            continue
        users = frozenset(folded.group_of[c] for c in graph.consumers[i])
        if i in graph.found.used_beyond:
            users |= {HIDDEN}
        alike.setdefault((graph.tags[i][1] != "", users), []).append(place)
    for (is_labelled, _), places in alike.items():
        if is_labelled and not (also_labelled and len(places) >= _MANY):
            continue
        first, *others = places
        for place in others:
            folded.groups[first].members += folded.groups[place].members
            folded.groups[place].members = []
    return Folded(folded.groups, graph.count)


def _cut(graph: _Graph, folded: Folded, most: int) -> Folded:
    """Show the boxes nearest to the roots; a box is shown after all that consume it.

    So what is hidden was made from nothing that is shown, leaves apart.
    """
    if len(folded.groups) <= most and all(folded.group_of[i] == HIDDEN for i in graph.hidden):
        return folded
    consumers, parents = _quotient(graph, folded)
    groups = list(enumerate(folded.groups))
    shown = _consumers_first(
        consumers,
        parents,
        place=[min(g.members) for g in folded.groups],
        most=most,
        leaf={k for k, g in groups if all(graph.is_leaf[i] for i in g.members)},
        barred={k for k, g in groups if not graph.hidden.isdisjoint(g.members)},
    )
    return Folded([folded.groups[k] for k in shown], graph.count)


_WAYS: Final = {"module": _by_module, "label": _by_label, "op": _by_op, "run": _by_run}
