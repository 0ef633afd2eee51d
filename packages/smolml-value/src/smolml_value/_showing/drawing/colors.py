"""Colours: how large a gradient is, in shades that every eye can tell apart, light and dark.

Two sequential scales, from pale yellow to orange (after ColorBrewer's OrRd, C. Brewer 2002) for
dark text all along, and from brown to orange for light text. What is nan or infinite is red.
"""

from __future__ import annotations

import math
import re
from typing import Final

NO_GRADIENT: Final = "#eef1f5"
PLAIN: Final = "#f8fafc"
INK: Final = "#111821"
FAINT: Final = "#333d49"  # for names in boxes
LINE: Final = "#8592a3"  # for what stands on the page itself, light or dark
LEAF: Final = "#0f766e"
NODE: Final = "#475569"
GROUP: Final = "#6d4c9f"
RED: Final = "#ffa8a8"
ALARM: Final = "#c92a2a"  # around what is red

_SCALES: Final = (
    ((255, 250, 235), (254, 227, 179), (253, 187, 132), (247, 139, 94)),
    ((48, 42, 36), (74, 52, 33), (100, 55, 27), (124, 58, 18)),
)
_SHADES: Final = 21  # between two colours of a scale
_POWER: Final = 0.4  # below 1: small gradients differ visibly, too


def rgb(color: tuple[int, ...]) -> str:
    """The color as HTML writes it.

    >>> rgb((255, 250, 235))
    '#fffaeb'
    """
    return "#" + "".join(f"{c:02x}" for c in color)


def _shades(scale: tuple[tuple[int, ...], ...]) -> list[str]:
    """The scale itself and the shades between its colours."""
    found = []
    for k in range((len(scale) - 1) * _SHADES + 1):
        i = min(k // _SHADES, len(scale) - 2)
        part = k / _SHADES - i
        pairs = zip(scale[i], scale[i + 1], strict=True)
        found.append(rgb(tuple(round(a + (b - a) * part) for a, b in pairs)))
    return found


_LIGHT, _DARK = map(_shades, _SCALES)
SCALE: Final = _LIGHT[::_SHADES]
"""The scale itself, pale first, for a legend."""

DARK: Final = {
    "fill": dict(zip(_LIGHT, _DARK, strict=True))
    | {NO_GRADIENT: "#262d38", PLAIN: "#1b212b", INK: "#eef2f7", FAINT: "#c3cddb", RED: "#7f1d1d"},
    "stroke": {LEAF: "#2dd4bf", NODE: "#94a3b8", GROUP: "#b79ce8", ALARM: "#f87171"},
}
"""Per attribute of SVG what colours become where it is dark; the others stay."""


def shade(size: float | None, largest: float) -> str:
    """The colour of a gradient of this size among others, the largest of which is given."""
    if size is None:
        return PLAIN
    if not math.isfinite(size):
        return RED
    if size == 0.0 or largest <= 0.0:
        return NO_GRADIENT
    return _LIGHT[round(min(math.pow(size / largest, _POWER), 1.0) * (len(_LIGHT) - 1))]


def dark_style(svg: str) -> str:
    """A style sheet by which the colours in this text follow the page, or the reader's wish.

    Programs that do not know it leave it alone, and show the picture as it is where it is light.
    """
    used = {*re.findall(r' (fill|stroke)="(#\w{6})"', svg)}
    used |= {("fill", color) for color in (NO_GRADIENT, *SCALE)}  # for animations
    rules = [
        f'svg.smolml [{kind}="{color}"]{{{kind}:light-dark({color},{DARK[kind][color]})}}'
        for kind, color in sorted(used)
        if color in DARK[kind]
    ]
    sheet = "".join(["svg.smolml:root{color-scheme:light dark}", *rules])
    return f"<style>@supports (color:light-dark(red,red)){{{sheet}}}</style>"
