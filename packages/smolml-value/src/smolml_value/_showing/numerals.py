"""Numbers, shapes, names and counts as short texts."""

from __future__ import annotations

import math
from collections.abc import Sequence


def numeral(x: float, digits: int = 4) -> str:
    """A number in at most so many digits, with a true minus sign.

    >>> numeral(-0.333333), numeral(2.0), numeral(1e-9), numeral(float("inf"))
    ('−0.3333', '2', '1e−09', '∞')
    """
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.{digits}g}".replace("-", "−")


def shape_text(shape: Sequence[int]) -> str:
    """A shape as Python writes it, with one axis as (3,)."""
    return str(tuple(shape))


def count_text(n: int, forms: str) -> str:
    """So many things, in the form for one or in that for several.

    >>> count_text(1, "1 node|{n} nodes"), count_text(1500, "1 node|{n} nodes")
    ('1 node', '1,500 nodes')
    """
    one, several = forms.split("|")
    return one if n == 1 else several.format(n=f"{n:,}")


def bracketed(text: str) -> str:
    """A text in brackets if it begins with a minus sign."""
    return f"({text})" if text.startswith("−") else text


def shortened(text: str, most: int) -> str:
    """The text on one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
