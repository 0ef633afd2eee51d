"""The picture as Mermaid, which Markdown pages show."""

from __future__ import annotations

import json
import re

from smolml_value._showing.drawing import colors
from smolml_value._showing.drawing.dot import box_text
from smolml_value._showing.drawing.picture import STYLES, Picture
from smolml_value._showing.drawing.svg import Direction


def mermaid(picture: Picture, direction: Direction) -> str:
    """The picture as the text of a Mermaid flowchart."""
    lines = [f"flowchart {'LR' if direction == 'right' else 'TB'}"]
    caption = " ".join(t for t in (picture.title, picture.note) if t)
    if caption:
        lines = ["---", f"title: {_as_yaml(caption)}", "---", *lines]
    for i, box in enumerate(picture.boxes):
        left, right = STYLES[box.kind].brackets
        lines.append(f"  n{i}{left}{_quoted(box_text(box))}{right}")
    for edge in picture.edges:
        note = f"×{edge.count}" if edge.count > 1 else edge.note
        arrow = f'-- "{note}" -->' if note else "-->"
        lines.append(f"  n{edge.source} {arrow} n{edge.target}")
    for i, box in enumerate(picture.boxes):
        look = f"fill:{picture.fill(box)},color:{colors.INK},stroke:{colors.NODE}"
        lines.append(f"  style n{i} {look}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A string in quotes: what has a meaning in Mermaid, Markdown or HTML is written as a code."""
    kept = re.sub(r"[^\w\s.,:()×…−+=|/·-]|[\x00-\x09\x0b-\x1f]", _code, text)
    return '"' + kept.replace("\n", "<br/>") + '"'


def _as_yaml(text: str) -> str:
    """A string in YAML; what YAML cannot hold is left out, and so are angle brackets."""
    kept = "".join(c if c.isprintable() and c not in "<>" else " " for c in text)
    return json.dumps(" ".join(kept.split()), ensure_ascii=False)


def _code(found: re.Match[str]) -> str:
    return f"#{ord(found.group())};"
