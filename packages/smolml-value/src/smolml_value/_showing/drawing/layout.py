"""Coordinates: boxes in columns, edges between them that are short, smooth and cross no box.

Along the flow a layer is as deep as its deepest box. Across it the boxes of a layer keep their
order and their distance, and stand where the sum of squared lengths of all edges is least: layer
after layer that is isotonic regression, solved exactly by pooling (Barlow et al. 1972).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from smolml_value._showing.drawing.ordering import Layered, layered, longest_paths

_GAP: Final = 46.0  # between layers
_APART: Final = 16.0  # between boxes of a layer
_POINT_APART: Final = 9.0  # next to an edge that passes by
_ROUNDS: Final = 30

Point = tuple[float, float]


# An edge: its straight pieces, joined by curves that lie between two layers.
Route = list[tuple[Point, Point]]


@dataclass
class Layout:
    """The middle of each box, the route of each edge, and the size of it all.

    The first coordinate is that along the flow, the second that across it.
    """

    places: list[Point]
    routes: list[Route]
    depth: float
    breadth: float


def arrange(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay out boxes of these sizes (along, across) with edges (source, target)."""
    graph = layered(len(sizes), edges)
    breadths = [across for _, across in sizes] + [0.0] * (len(graph.layer_of) - len(sizes))
    across = _across(graph, breadths)
    low = min((across[v] - breadths[v] / 2 for v in range(len(breadths))), default=0.0)
    across = [y - low for y in across]
    begins, ends, depth = _columns(graph, sizes)
    along = [(begins[layer] + ends[layer]) / 2 for layer in graph.layer_of]
    places = [(along[v], across[v]) for v in range(len(sizes))]
    ports = _ports(graph, sizes, edges, across)
    routes = []
    for k, (source, target) in enumerate(edges):
        x, y = places[source]
        pieces = [((x + sizes[source][0] / 2, y), (ends[graph.layer_of[source]], y))]
        for point in graph.paths[k]:
            layer = graph.layer_of[point]
            pieces.append(((begins[layer], across[point]), (ends[layer], across[point])))
        x, y = places[target]
        y += ports[k]
        pieces.append(((begins[graph.layer_of[target]], y), (x - sizes[target][0] / 2, y)))
        routes.append(pieces)
    breadth = max((across[v] + breadths[v] / 2 for v in range(len(breadths))), default=0.0)
    return Layout(places, routes, depth, breadth)


def least_extent(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Point:
    """What `arrange` needs at least along the flow and across it, found much faster."""
    layers: dict[int, list[Point]] = {}
    for size, layer in zip(sizes, longest_paths(len(sizes), edges), strict=True):
        layers.setdefault(layer, []).append(size)
    along = sum(max(x for x, _ in layer) + _GAP for layer in layers.values()) - _GAP
    return along, max(sum(y + _APART for _, y in layer) - _APART for layer in layers.values())


def _columns(graph: Layered, sizes: Sequence[Point]) -> tuple[list[float], list[float], float]:
    """Where each layer begins and ends; the last layer comes first."""
    begins = [0.0] * len(graph.layers)
    ends = [0.0] * len(graph.layers)
    at = 0.0
    for layer in range(len(graph.layers) - 1, -1, -1):
        begins[layer] = at
        at += max((sizes[v][0] for v in graph.layers[layer] if v < graph.count), default=0.0)
        ends[layer] = at
        between = sum(len(graph.consumers[v]) for v in graph.layers[layer])
        at += _GAP + min(2.0 * between, 60.0)  # many edges need room to bend
    return begins, ends, ends[0] if ends else 0.0


def _ports(
    graph: Layered,
    sizes: Sequence[Point],
    edges: Sequence[tuple[int, int]],
    across: Sequence[float],
) -> list[float]:
    """Where each edge enters its target, from the middle: in the order in which they arrive."""
    arriving: dict[int, list[int]] = {}
    for k, (_, target) in enumerate(edges):
        arriving.setdefault(target, []).append(k)
    ports = [0.0] * len(edges)
    for target, ks in arriving.items():
        ks.sort(key=lambda k: (across[graph.paths[k][-1] if graph.paths[k] else edges[k][0]], k))
        room = sizes[target][1] * 0.7
        step = min(room / max(len(ks) - 1, 1), sizes[target][1] * 0.38, 40.0)
        for i, k in enumerate(ks):
            ports[k] = (i - (len(ks) - 1) / 2) * step
    return ports


def _across(graph: Layered, breadths: Sequence[float]) -> list[float]:
    """The place of each vertex across the flow."""
    place = [0.0] * len(breadths)
    distances = []
    for layer in graph.layers:
        at, row = 0.0, [0.0]
        for v, w in pairwise(layer):
            apart = _APART if max(v, w) < graph.count else _POINT_APART
            at += (breadths[v] + breadths[w]) / 2 + apart
            row.append(at)
        distances.append(row)
        for v, y in zip(layer, row, strict=True):
            place[v] = y - at / 2
    weights = _weights(graph)
    for i in range(_ROUNDS):
        forth = i % 2 == 0
        for k in range(len(graph.layers)) if forth else range(len(graph.layers) - 1, -1, -1):
            layer = graph.layers[k]
            wanted, strength = [], []
            for v in layer:
                pull, total = 0.0, 0.0
                for u, weight in weights[v]:
                    if i < 4 and (graph.layer_of[u] < k) != forth:
                        continue  # at first look at one side only, to get going
                    pull += weight * place[u]
                    total += weight
                wanted.append(pull / total if total else place[v])
                strength.append(total or 0.01)
            for v, y in zip(layer, _nearest(wanted, strength, distances[k]), strict=True):
                place[v] = y
    return place


def _weights(graph: Layered) -> list[list[tuple[int, float]]]:
    """Per vertex its neighbours and how strongly they pull.

    Long edges should be straight, and so should chains of results: what joins them gives way.
    """
    found: list[list[tuple[int, float]]] = [[] for _ in graph.layer_of]
    from_leaf: list[bool] = []  # whether a leaf is there, or a line from one
    for v, consumers in enumerate(graph.consumers):
        behind = graph.operands[v]
        from_leaf.append(not behind or (v >= graph.count and from_leaf[behind[0]]))
        for u in consumers:
            points = (v >= graph.count) + (u >= graph.count)
            weight = 0.02 if from_leaf[v] and points < 2 else (1.0, 2.0, 8.0)[points]
            found[v].append((u, weight))
            found[u].append((v, weight))
    return found


def _nearest(
    wanted: Sequence[float], strength: Sequence[float], distance: Sequence[float]
) -> list[float]:
    """The places nearest to those wanted that keep the order and the distances.

    Minimises sum of strength (y - wanted)**2 with y[i+1] - y[i] >= distance[i+1] - distance[i],
    by pooling adjacent violators.
    """
    blocks: list[tuple[float, float, int]] = []  # sum of strength x place, strength, how many
    for want, s, d in zip(wanted, strength, distance, strict=True):
        total, weight, size = s * (want - d), s, 1
        while blocks and blocks[-1][0] * weight >= total * blocks[-1][1]:
            before = blocks.pop()
            total += before[0]
            weight += before[1]
            size += before[2]
        blocks.append((total, weight, size))
    places: list[float] = []
    for total, weight, size in blocks:
        places += [total / weight + d for d in distance[len(places) : len(places) + size]]
    return places
