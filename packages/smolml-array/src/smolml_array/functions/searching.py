"""Searching: where in sorted numbers others would go."""

from __future__ import annotations

from typing import Literal

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array.array import MLArray
from smolml_array.functions.table import entry


@entry("x1, x2, /, *, side='left', sorter=None", numpy="a, v, side='left', sorter=None")
def searchsorted(
    x1: MLArray,
    x2: ArrayLike,
    side: Literal["left", "right"] = "left",
    sorter: ArrayLike | None = None,
) -> MLArray:
    """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""
    given = (x1, x2) if sorter is None else (x1, x2, sorter)
    xp, _, _, (raw, wanted, *order) = x1._operands("searchsorted", given)
    found = xp.searchsorted(raw, wanted, side=side, sorter=order[0] if order else None)
    return x1._constant(xp, found)
