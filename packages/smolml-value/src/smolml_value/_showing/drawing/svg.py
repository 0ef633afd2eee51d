"""The picture as SVG, made by ourselves: no program, no font file and no style sheet is needed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape
from typing import Final, Literal

from smolml_value._showing.drawing import colors
from smolml_value._showing.drawing.layout import Layout, Point, Route, arrange, least_extent
from smolml_value._showing.drawing.picture import STYLES, Box, Picture
from smolml_value._showing.numerals import count_text, numeral

Direction = Literal["right", "down"]
Placing = Callable[[Point], Point]  # from along and across to the page

_FONT: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_SIZE: Final = 12.0
_ADVANCE: Final = 0.605 * _SIZE  # the width of a character in the widest of these fonts
_LINE: Final = 16.0
_PAD: Final = 9.0
_MARGIN: Final = 14.0
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Text for XML: markup does nothing, characters that XML cannot hold are replaced.

    >>> escaped('<script>"&"')
    '&lt;script&gt;&quot;&amp;&quot;'
    """
    return escape(_FORBIDDEN.sub("\ufffd", text), quote=False).replace('"', "&quot;")


def width_of(text: str) -> float:
    """How wide a text is; East Asian characters take two places."""
    places = sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
    return places * _ADVANCE


def size_of(box: Box) -> tuple[float, float]:
    """Width and height of a box that holds its texts."""
    head = width_of(box.op) + (16.0 if box.op else 0.0) + width_of(box.title)
    head += 10.0 if box.op and box.title else 0.0
    lines = [(name, line) for name, text in box.rows for line in text.split("\n")]
    rows = [width_of(name) + width_of(line) + (12.0 if name else 0.0) for name, line in lines]
    if box.kind in ("constant", "function") and not box.rows:
        return max(width_of(box.op), width_of(box.title)) + 2 * _PAD, 24.0
    width = max([head, *rows, 34.0]) + 2 * _PAD
    has_head = bool(box.op or box.title)
    return width, _LINE * (len(rows) + has_head) + 12.0 + (3.0 if has_head else 0.0)


def laid_out(picture: Picture, direction: Direction) -> Layout:
    """Where everything stands, if the graph grows in this direction."""
    return arrange(*_shape(picture, direction))


def extent(picture: Picture, direction: Direction, layout: Layout | None = None) -> Point:
    """Width and height; without a layout those that it will have at least."""
    if layout is None:
        return _turned(least_extent(*_shape(picture, direction)), direction)
    return _turned((layout.depth, layout.breadth), direction)


def _shape(picture: Picture, direction: Direction) -> tuple[list[Point], list[tuple[int, int]]]:
    sizes = [_turned(size_of(box), direction) for box in picture.boxes]
    return sizes, [(e.source, e.target) for e in picture.edges]


def _turned(size: Point, direction: Direction) -> Point:
    return size if direction == "right" else (size[1], size[0])


def svg(picture: Picture, layout: Layout, direction: Direction) -> str:
    """The picture as the text of an SVG file."""
    sizes = [size_of(box) for box in picture.boxes]
    flips = direction == "down"
    width, height = extent(picture, direction, layout)
    top = _MARGIN + (26.0 if picture.title else 0.0)
    footer = _footer(picture)
    foot = 30.0 if footer else 0.0
    needed = max(width_of(picture.title), width_of(picture.note) + (190.0 if footer else 0.0))
    full_width = max(width, needed if picture.title or picture.note else 0.0) + 2 * _MARGIN
    full_height = height + top + _MARGIN + foot
    shift = (full_width - width) / 2

    def at(point: Point) -> Point:
        x, y = (point[1], point[0]) if flips else point
        return x + shift, y + top

    steps = f' data-steps="{escaped(picture.steps)}"' if picture.steps else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full_width:.0f}" '
        f'height="{full_height:.0f}" viewBox="0 0 {full_width:.0f} {full_height:.0f}" '
        f'class="smolml" role="img"{steps} font-family="{_FONT}" font-size="{_SIZE:g}">'
    )
    lines = [head, f"<title>{escaped(picture.title or picture.words['graph'])}</title>"]
    if picture.title:
        lines.append(
            _text(full_width / 2, _MARGIN + 11, picture.title, colors.LINE, "middle", "bold", 14)
        )
    lines += _edges(picture, layout, at, flips)
    for box, place, size in zip(picture.boxes, layout.places, sizes, strict=True):
        lines += _box(box, picture.fill(box), at(place), size)
    if footer:
        lines.append(f'<g transform="translate({_MARGIN:g},{full_height - 28:.1f})">')
        lines += [*footer, "</g>"]
    lines.insert(1, colors.dark_style("\n".join(lines)))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _text(
    x: float,
    y: float,
    text: str,
    color: str,
    anchor: str = "start",
    weight: str = "",
    size: float = 0,
) -> str:
    more = "" if anchor == "start" else f' text-anchor="{anchor}"'
    more += f' font-weight="{weight}"' if weight else ""
    more += f' font-size="{size:g}"' if size else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}"{more}>{escaped(text)}</text>'


def _rect(x: float, y: float, w: float, h: float, fill: str, stroke: str, more: str = "") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="6" '
        f'fill="{fill}" stroke="{stroke}"{more}/>'
    )


def _pill(x: float, y: float, w: float, h: int, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h}" rx="{h // 2}" fill="{fill}"/>'
    )


def _box(box: Box, fill: str, middle: Point, size: Point) -> list[str]:
    w, h = size
    x, y = middle[0] - w / 2, middle[1] - h / 2
    stroke = STYLES[box.kind].stroke
    outline, bold = (colors.ALARM, "2.4") if box.is_alarming else (stroke, "1.4")
    number = "" if box.node < 0 else f' data-node="{box.node}"'
    lines = [f'<g class="smolml-{box.kind}"{number}>']
    if box.more:
        lines.append(f"<title>{escaped(box.more)}</title>")
    if box.kind == "group":
        lines.append(_rect(x + 4, y + 4, w, h, fill, outline, ' stroke-opacity="0.6"'))
    dashes = ' stroke-dasharray="3 2"' if box.kind == "constant" else f' stroke-width="{bold}"'
    lines.append(_rect(x, y, w, h, fill, outline, dashes))
    if box.kind in ("constant", "function") and not box.rows:
        text = box.title or box.op
        lines += [_text(middle[0], middle[1] + 4, text, colors.INK, "middle"), "</g>"]
        return lines
    at = y + 6.0
    left, right = x + _PAD, x + w - _PAD
    if box.op or box.title:
        if box.op:
            pill = width_of(box.op) + 12.0
            place = left if box.title else middle[0] - pill / 2
            color = colors.NODE if box.kind == "constant" else stroke
            lines.append(_pill(place, at + 1, pill, 16, color))
            lines.append(_text(place + pill / 2, at + 13, box.op, "#ffffff", "middle", "bold"))
        if box.title:
            x_at, anchor = (right, "end") if box.op else (middle[0], "middle")
            lines.append(_text(x_at, at + 13, box.title, colors.INK, anchor, "bold"))
        at += _LINE + 3.0
    for name, text in box.rows:
        if name:
            lines.append(_text(left, at + 12, name, colors.FAINT))
        x_at, anchor = (right, "end") if name else (middle[0], "middle")
        for line in text.split("\n"):
            lines.append(_text(x_at, at + 12, line, colors.INK, anchor))
            at += _LINE
    lines.append("</g>")
    return lines


def _edges(picture: Picture, layout: Layout, at: Placing, flips: bool) -> list[str]:
    lines = [f'<g fill="none" stroke="{colors.LINE}" stroke-width="1.3">']
    heads = [f'<g fill="{colors.LINE}">']
    last = _last_ports(picture, layout)
    for k, (edge, route) in enumerate(zip(picture.edges, layout.routes, strict=True)):
        source = picture.boxes[edge.source].node
        key = f' data-edge="{edge.key}" data-from="{source}"' if edge.key else ""
        path = f'<path d="{_path(route, at, flips)}"{key}'
        if edge.count > 1:
            width = min(1.3 + 0.35 * edge.count**0.5, 4.0)
            title = f"<title>{count_text(edge.count, picture.words['edges'])}</title>"
            lines.append(f'{path} stroke-width="{width:.2f}">{title}</path>')
        else:
            lines.append(f"{path}/>")
        x, y = at(route[-1][1])
        tip = "l-3.5 -7h7z" if flips else "l-7 -3.5v7z"
        heads.append(f'<path d="M{x:.1f} {y:.1f}{tip}"/>')
        if edge.note:
            heads.append(_note(x, y, edge.note, k in last, flips))
    return [*lines, "</g>", *heads, "</g>"]


def _last_ports(picture: Picture, layout: Layout) -> set[int]:
    """The edges that arrive at a box below all others (right of them, where it grows down)."""
    last: dict[int, tuple[float, int]] = {}
    for k, (edge, route) in enumerate(zip(picture.edges, layout.routes, strict=True)):
        port = route[-1][1][1]
        if edge.target not in last or last[edge.target][0] < port:
            last[edge.target] = (port, k)
    return {k for _, k in last.values()}


def _note(x: float, y: float, note: str, is_last: bool, flips: bool) -> str:
    """Which operand it is, between the arrows (lines arrive from outside); a factor on its line."""
    if note.startswith("×"):
        width = 0.605 * 8.0 * len(note) + 6.0
        left, top = (x - width / 2, y - 19.0) if flips else (x - 9.0 - width, y - 5.5)
        pill = _pill(left, top, width, 11, colors.PLAIN)
        return pill + _text(left + width / 2, top + 8.5, note, colors.FAINT, "middle", size=8)
    if flips:
        dx, dy, anchor = (-4.5, -4.0, "end") if is_last else (4.5, -4.0, "start")
    else:
        dx, dy, anchor = (-8.5, -3.0 if is_last else 8.5, "end")
    return _text(x + dx, y + dy, note, colors.LINE, anchor, size=8)


def _path(route: Route, at: Placing, flips: bool) -> str:
    """Straight along a layer, and between layers a curve that leaves and arrives straight."""
    parts: list[str] = []
    before: Point | None = None
    for begin, end in route:
        here, there = at(begin), at(end)
        if before is None:
            parts.append(f"M{_pair(here)}")
        else:
            along = 1 if flips else 0
            middle = (before[along] + here[along]) / 2
            bends = [(x, middle) if flips else (middle, y) for x, y in (before, here)]
            parts.append("C" + " ".join(map(_pair, [*bends, here])))
        if there != here:
            parts.append(f"L{_pair(there)}")
        before = there
    return "".join(parts)


def _pair(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _footer(picture: Picture) -> list[str]:
    """What the colours mean, and how many nodes there are."""
    lines: list[str] = []
    x = 0.0
    if picture.largest > 0.0:
        lines.append(_text(0, 14, "|grad|", colors.LINE))
        x = width_of("|grad|") + 8
        for shade in (colors.NO_GRADIENT, *colors.SCALE):
            lines.append(
                f'<rect x="{x:.1f}" y="4" width="14" height="12" fill="{shade}" '
                f'stroke="{colors.LINE}" stroke-width="0.5"/>'
            )
            x += 14
        text = f"0 … {numeral(picture.largest, 3)}"
        lines.append(_text(x + 8, 14, text, colors.LINE))
        x += width_of(text) + 32
    if picture.note:
        lines.append(_text(x, 14, picture.note, colors.LINE))
    return lines
