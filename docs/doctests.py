"""What docstrings need to be pages: their doctests as code, their formulas as they stand."""

from __future__ import annotations

import re
from typing import Any

import griffe

_CODE = re.compile(r"(`[^`\n]*`)")


class Doctests(griffe.Extension):
    """Fences the examples of docstrings, and keeps `x**2 y**2` from becoming bold."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """The docstring with every paragraph that begins with `>>>` as a fenced block."""
    out: list[str] = []
    inside = False
    for line in docstring.splitlines():
        stripped = line.lstrip()
        margin = line[: len(line) - len(stripped)]
        if not inside and stripped.startswith(">>>"):
            inside, opened = True, margin
            out.append(f"{margin}```pycon")
        elif inside and not stripped:
            inside = False
            out.append(f"{opened}```")
        out.append(line if inside else _escaped(line))
    if inside:
        out.append(f"{opened}```")
    return "\n".join(out)


def _escaped(line: str) -> str:
    if re.match(r"\s*\*\*\w+:", line):  # an argument, as in `**params: ...`
        return line
    parts = _CODE.split(line)
    return "".join(p if p.startswith("`") else p.replace("**", r"\*\*") for p in parts)
