"""Walking a graph with cotangents or tangents that are nodes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_value import _derive
from smolml_value._graph import Node


def topological(roots: Sequence[Node]) -> list[Node]:
    """All nodes that the roots depend on, each before its parents; iterative."""
    consumers: dict[int, int] = {}
    found: dict[int, Node] = {}
    stack = []
    for root in roots:
        if id(root) not in found:
            found[id(root)] = root
            consumers[id(root)] = 0
            stack.append(root)
    while stack:
        for parent in stack.pop()._parents():
            key = id(parent)
            if key in found:
                consumers[key] += 1
            else:
                found[key] = parent
                consumers[key] = 1
                stack.append(parent)
    order: list[Node] = []
    stack = [found[key] for key, count in consumers.items() if count == 0]
    while stack:
        node = stack.pop()
        order.append(node)
        for parent in node._parents():
            key = id(parent)
            consumers[key] -= 1
            if consumers[key] == 0:
                stack.append(found[key])
    return order


def _dependent(order: Sequence[Node], inputs: set[int]) -> set[int]:
    """The nodes that depend on one of the inputs, the inputs included."""
    found = set(inputs)
    for node in reversed(order):
        if id(node) not in found and any(id(p) in found for p in node._parents()):
            found.add(id(node))
    return found


def pull_back(
    outputs: Sequence[tuple[Node, Any]], inputs: Sequence[Node]
) -> list[Any | None]:
    """The cotangent of each input, given those of the outputs; None where nothing arrives."""
    order = topological([node for node, _ in outputs])
    wanted = {id(node) for node in inputs}
    on_the_way = _dependent(order, wanted)
    cotangents: dict[int, Any] = {}
    for node, g in outputs:
        _add(cotangents, id(node), g)
    for node in order:
        g = cotangents.get(id(node)) if id(node) in wanted else cotangents.pop(id(node), None)
        if g is None or id(node) not in on_the_way:
            continue
        parents = node._parents()
        if not any(id(p) in on_the_way for p in parents):
            continue
        for parent, c in zip(parents, _derive.pull(node, g), strict=True):
            if c is not None and id(parent) in on_the_way:
                _add(cotangents, id(parent), c)
    return [cotangents.get(id(node)) for node in inputs]


def push_forward(
    inputs: Sequence[tuple[Node, Any]], outputs: Sequence[Node]
) -> list[Any | None]:
    """The tangent of each output, given those of the inputs; None where nothing arrives."""
    tangents: dict[int, Any] = {}
    for node, t in inputs:
        _add(tangents, id(node), t)
    given = set(tangents)
    order = topological(outputs)
    for node in reversed(order):
        parents = node._parents()
        known = [tangents.get(id(p)) for p in parents]
        if any(t is not None for t in known):
            t = _derive.push_tangent(node, known)
            if t is not None and id(node) in given:
                _add(tangents, id(node), t)
            elif t is not None:
                tangents[id(node)] = t
    return [tangents.get(id(node)) for node in outputs]


def _add(sums: dict[int, Any], key: int, c: Any) -> None:
    before = sums.get(key)
    sums[key] = c if before is None else before + c
