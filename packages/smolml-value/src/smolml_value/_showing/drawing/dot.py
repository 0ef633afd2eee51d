"""The picture as DOT, the language of Graphviz."""

from __future__ import annotations

from smolml_value._showing.drawing import colors
from smolml_value._showing.drawing.picture import STYLES, Box, Picture
from smolml_value._showing.drawing.svg import Direction


def dot(picture: Picture, direction: Direction) -> str:
    """The picture as the text of a DOT file."""
    lines = [
        "digraph {",
        f"  rankdir={'LR' if direction == 'right' else 'TB'}",
        '  node [style="filled,rounded", fontname="monospace", fontsize=11]',
        f'  edge [color="{colors.LINE}", fontname="monospace", fontsize=9]',
    ]
    caption = "\n".join(t for t in (picture.title, picture.note) if t)
    if caption:
        lines.append(f"  label={quoted(caption)}")
    for i, box in enumerate(picture.boxes):
        look = f'shape={STYLES[box.kind].shape}, fillcolor="{picture.fill(box)}"'
        lines.append(f"  n{i} [label={quoted(box_text(box))}, {look}]")
    for edge in picture.edges:
        notes = []
        if edge.note:
            notes.append(f'headlabel="{edge.note}"')
        if edge.count > 1:
            notes.append(f'label="×{edge.count}"')
        more = f" [{', '.join(notes)}]" if notes else ""
        lines.append(f"  n{edge.source} -> n{edge.target}{more}")
    return "\n".join([*lines, "}"]) + "\n"


def box_text(box: Box) -> str:
    """The texts of a box, line by line."""
    head = "  ".join(t for t in (box.op, box.title) if t)
    return "\n".join([*([head] if head else []), *(f"{n} {t}".strip() for n, t in box.rows)])


def quoted(text: str) -> str:
    r"""A DOT string.

    >>> print(quoted('a "b" \\ c'))
    "a \"b\" \\ c"
    """
    kept = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\0", " ")
    return f'"{kept}"'
