"""Layers and the order inside them: where boxes stand relative to each other.

The method of Sugiyama, Tagawa & Toda (1981): layers by longest path, points on the way of long
edges, then barycentre sweeps that leave few crossings (Eiglsperger, Siebenhaller & Kaufmann 2005
for the points that edges of one source share).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Final

_SWEEPS: Final = 12
_SMALL: Final = 1500  # vertices up to which neighbours are exchanged, too


@dataclass
class Layered:
    """A graph in layers, consumers first: an edge goes from a layer to the one before it.

    Vertices below `count` are boxes, the others points on the way of edges.

    Attributes:
        layers: the vertices of each layer, in order.
        layer_of: the layer of each vertex.
        consumers: per vertex those it leads to, in the layer before; with repetitions.
        operands: per vertex those that lead to it, in the layer behind.
        paths: per edge its points, from the source on.
    """

    count: int
    layers: list[list[int]]
    layer_of: list[int]
    consumers: list[list[int]] = field(default_factory=list)
    operands: list[list[int]] = field(default_factory=list)
    paths: list[list[int]] = field(default_factory=list)


def layered(count: int, edges: Sequence[tuple[int, int]]) -> Layered:
    """Put boxes 0 ... count - 1 with edges (source, target) into layers, well ordered."""
    layer_of = longest_paths(count, edges)
    graph = Layered(count, [[] for _ in range(1 + max(layer_of, default=0))], layer_of)
    graph.consumers = [[] for _ in range(count)]
    graph.operands = [[] for _ in range(count)]
    points: dict[tuple[int, int], int] = {}  # of one source in one layer: its edges share them
    for source, target in edges:
        path = []
        at = source
        for layer in range(layer_of[source] - 1, layer_of[target], -1):
            point = points.get((source, layer))
            if point is None:
                point = points[source, layer] = len(layer_of)
                layer_of.append(layer)
                graph.consumers.append([])
                graph.operands.append([])
                _join(graph, at, point)
            path.append(point)
            at = point
        _join(graph, at, target)
        graph.paths.append(path)
    _first_order(graph)
    _sweep(graph)
    return graph


def _join(graph: Layered, source: int, target: int) -> None:
    graph.consumers[source].append(target)
    graph.operands[target].append(source)


def longest_paths(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Per box the length of the longest path to a box that leads nowhere."""
    consumers: dict[int, list[int]] = {v: [] for v in range(count)}
    for source, target in edges:
        consumers[source].append(target)
    layer = [0] * count
    for v in TopologicalSorter(consumers).static_order():  # what is consumed after its consumers
        layer[v] = max((layer[u] + 1 for u in consumers[v]), default=0)
    return layer


def _first_order(graph: Layered) -> None:
    """Depth first from the roots, operands in order: a tree comes out without crossings."""
    seen = [False] * len(graph.layer_of)
    stack = [v for v in range(graph.count) if not graph.consumers[v]][::-1]
    while stack:
        v = stack.pop()
        if not seen[v]:
            seen[v] = True
            graph.layers[graph.layer_of[v]].append(v)
            stack += reversed(graph.operands[v])


def _sweep(graph: Layered) -> None:
    """Order each layer by the mean place of the neighbours, to and fro; keep the best."""
    position = [0] * len(graph.layer_of)
    for layer in graph.layers:
        _number(layer, position)
    best = [list(layer) for layer in graph.layers]
    fewest = _crossings(graph, position)
    for i in range(_SWEEPS):
        if fewest == 0:
            break
        forth = i % 2 == 0
        neighbours = graph.consumers if forth else graph.operands
        for layer in graph.layers if forth else reversed(graph.layers):
            means = {
                v: sum(position[u] for u in neighbours[v]) / len(neighbours[v])
                for v in layer
                if neighbours[v]
            }
            layer.sort(key=lambda v, means=means: means.get(v, position[v]))  # type: ignore[misc]
            _number(layer, position)
        if len(position) <= _SMALL:
            _exchange(graph, position)
        crossings = _crossings(graph, position)
        if crossings < fewest:
            fewest = crossings
            best = [list(layer) for layer in graph.layers]
    graph.layers = best


def _number(layer: list[int], position: list[int]) -> None:
    for i, v in enumerate(layer):
        position[v] = i


def _crossings(graph: Layered, position: list[int]) -> int:
    """How many pairs of edges cross."""
    total = 0
    for layer in graph.layers:
        ends: list[int] = []
        for v in layer:
            here = sorted(position[u] for u in graph.consumers[v])
            total += sum(len(ends) - bisect_right(ends, p) for p in here)
            for p in here:
                insort(ends, p)
    return total


def _exchange(graph: Layered, position: list[int]) -> None:
    """Exchange neighbours in a layer where that removes crossings."""
    for layer in graph.layers:
        for _ in range(4):
            improved = False
            for i in range(len(layer) - 1):
                v, w = layer[i], layer[i + 1]
                before = after = 0
                for side in (graph.consumers, graph.operands):
                    a = [position[u] for u in side[v]]
                    b = [position[u] for u in side[w]]
                    before += sum(p > q for p in a for q in b)
                    after += sum(p < q for p in a for q in b)
                if after < before:
                    layer[i], layer[i + 1] = w, v
                    position[v], position[w] = i + 1, i
                    improved = True
            if not improved:
                break
