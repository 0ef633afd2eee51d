"""Reads an SVG that `draw` made: its boxes, its edges, its texts, and where they touch."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from dataclasses import dataclass
from xml.etree import ElementTree

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_SAMPLES = 16


@dataclass
class Box:
    """One box: its place and size, its kind, and its texts in order."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    texts: list[str]
    spans: list[tuple[float, float]]  # where each text begins and ends, across the page

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        return (
            self.x - margin < x < self.x + self.width + margin
            and self.y - margin < y < self.y + self.height + margin
        )

    def overlaps(self, other: Box) -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass
class Picture:
    """A parsed drawing; an edge is the list of points along it."""

    width: float
    height: float
    boxes: list[Box]
    edges: list[list[tuple[float, float]]]
    texts: list[str]


def read(svg: str) -> Picture:
    """Parse a drawing; raises where it is no well-formed XML."""
    root = ElementTree.fromstring(svg)
    boxes, edges = [], []
    for group in root.iter(f"{_NAMESPACE}g"):
        kind = group.get("class", "")
        if kind.startswith("smolml-"):
            boxes.append(_box(group, kind.removeprefix("smolml-")))
        elif group.get("stroke"):
            edges += [points(path.get("d", "")) for path in group.iter(f"{_NAMESPACE}path")]
    texts = [text.text or "" for text in root.iter(f"{_NAMESPACE}text")]
    return Picture(float(root.get("width", 0)), float(root.get("height", 0)), boxes, edges, texts)


def _box(group: ElementTree.Element, kind: str) -> Box:
    rects = [r for r in group.iter(f"{_NAMESPACE}rect") if r.get("rx") == "6"]
    x, y, width, height = (float(rects[-1].get(n, 0)) for n in ("x", "y", "width", "height"))
    texts = list(group.iter(f"{_NAMESPACE}text"))
    return Box(kind, x, y, width, height, [t.text or "" for t in texts], [_span(t) for t in texts])


def _span(text: ElementTree.Element) -> tuple[float, float]:
    """Where a text begins and ends in a monospaced font whose characters are 0.6 em wide."""
    x = float(text.get("x", 0))
    shown = unicodedata.normalize("NFC", text.text or "")
    places = sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in shown)
    width = 0.6 * float(text.get("font-size", 12)) * places
    begin = {"middle": x - width / 2, "end": x - width}.get(text.get("text-anchor", ""), x)
    return begin, begin + width


def points(path: str) -> list[tuple[float, float]]:
    """Points along a path of M, L and C commands."""
    found: list[tuple[float, float]] = []
    for command, body in re.findall(r"([MLC])([^MLC]*)", path):
        numbers = [float(n) for n in body.split()]
        pairs = list(zip(numbers[0::2], numbers[1::2], strict=True))
        if command == "C":
            (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (found[-1], *pairs)
            for i in range(1, _SAMPLES + 1):
                t = i / _SAMPLES
                s = 1 - t
                found.append(
                    (
                        s**3 * x0 + 3 * s * s * t * x1 + 3 * s * t * t * x2 + t**3 * x3,
                        s**3 * y0 + 3 * s * s * t * y1 + 3 * s * t * t * y2 + t**3 * y3,
                    )
                )
        elif command == "L":
            (x0, y0), (x1, y1) = found[-1], pairs[0]
            for i in range(1, _SAMPLES + 1):
                t = i / _SAMPLES
                found.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
        else:
            found += pairs
    return found


def faults(picture: Picture) -> list[str]:
    """What is wrong to the eye: boxes that overlap, texts that stick out, edges through boxes."""
    found = []
    for i, box in enumerate(picture.boxes):
        if min(box.x, box.y) < 0 or box.x + box.width > picture.width:
            found.append(f"{box} sticks out")
        if box.y + box.height > picture.height:
            found.append(f"{box} sticks out below")
        found += [f"{box} overlaps {other}" for other in picture.boxes[:i] if box.overlaps(other)]
        for begin, end in box.spans:
            if begin < box.x + 2 or end > box.x + box.width - 2:
                found.append(f"a text sticks out of {box}")
    for edge in picture.edges:
        ends = (edge[0], edge[-1])
        along = sorted(edge)
        for box in picture.boxes:
            if any(box.holds(*end, margin=0.2) for end in ends):
                continue  # where it begins or ends
            first, last = bisect(along, (box.x,)), bisect(along, (box.x + box.width,))
            if any(box.holds(*point, margin=-0.2) for point in along[first:last]):
                found.append(f"an edge from {ends[0]} to {ends[1]} crosses {box}")
    return found
