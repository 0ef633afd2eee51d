"""Colours: how large a gradient is, in shades that every eye can tell apart.

One sequential scale from pale yellow to orange (after ColorBrewer's OrRd, C. Brewer 2002), light
enough for dark text all along, so that boxes read the same on light and on dark pages.
"""

from __future__ import annotations

import math
from typing import Final

NO_GRADIENT: Final = "#eef1f5"
PLAIN: Final = "#f8fafc"
INK: Final = "#111821"
FAINT: Final = "#333d49"  # for names in boxes
LINE: Final = "#8592a3"  # for what stands on the page itself, light or dark
LEAF: Final = "#0f766e"
NODE: Final = "#475569"
GROUP: Final = "#6d4c9f"

_SCALE: Final = ((255, 250, 235), (254, 227, 179), (253, 187, 132), (247, 139, 94))
_POWER: Final = 0.4  # below 1: small gradients differ visibly, too


def shade(size: float | None, largest: float) -> str:
    """The colour of a gradient of this size among others, the largest of which is given."""
    if size is None:
        return PLAIN
    if math.isnan(size) or (math.isinf(size) and size > 0):
        return rgb(_SCALE[-1])
    if size == 0.0 or largest <= 0.0:
        return NO_GRADIENT
    at = min((size / largest) ** _POWER, 1.0) * (len(_SCALE) - 1)
    i = min(int(at), len(_SCALE) - 2)
    part = at - i
    low, high = _SCALE[i], _SCALE[i + 1]
    return rgb(tuple(round(a + (b - a) * part) for a, b in zip(low, high, strict=True)))


def rgb(color: tuple[int, ...]) -> str:
    """The color as HTML writes it.

    >>> rgb((255, 250, 235))
    '#fffaeb'
    """
    return "#" + "".join(f"{c:02x}" for c in color)


SCALE: Final = [rgb(color) for color in _SCALE]
"""The scale itself, pale first, for a legend."""
