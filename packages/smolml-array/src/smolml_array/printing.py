"""How an array is written: rows under rows, numbers in columns, large arrays abbreviated."""

from __future__ import annotations

import math
from typing import Any

from smolml_array._shapes.axes import Shape

_EDGE = 3  # items shown at each end of a long axis
_LARGE = 1000  # elements from which on an array is abbreviated


def _formatter(numbers: list[Any]) -> list[str]:
    """The numbers as texts of one width."""
    if not numbers or isinstance(numbers[0], bool | int):
        texts = [str(x) for x in numbers]
    else:
        finite = [abs(x) for x in numbers if math.isfinite(x) and x != 0.0]
        if finite and (max(finite) >= 1e8 or min(finite) < 1e-4 or max(finite) / min(finite) > 1e6):
            texts = [f"{x:.4e}" for x in numbers]
        else:
            texts = [f"{x:.4f}".rstrip("0") for x in numbers]
            places = max((len(t.partition(".")[2]) for t in texts if "." in t), default=0)
            texts = [f"{x:.{places}f}" if math.isfinite(x) else str(x) for x in numbers]
            if places == 0:
                texts = [t + "." if t[-1].isdigit() else t for t in texts]
    width = max(map(len, texts), default=0)
    return [t.rjust(width) for t in texts]


def _abbreviated(nested: Any, depth: int) -> Any:
    """Nested lists with only the edges of long axes; None stands for what is left out."""
    if depth == 0:
        return nested
    items = nested
    if len(items) > 2 * _EDGE:
        items = [*items[:_EDGE], None, *items[-_EDGE:]]
    return [item if item is None else _abbreviated(item, depth - 1) for item in items]


def _leaves(nested: Any, depth: int) -> list[Any]:
    if nested is None:
        return []
    if depth == 0:
        return [nested]
    return [leaf for item in nested for leaf in _leaves(item, depth - 1)]


def _layout(nested: Any, depth: int, texts: list[str], indent: int) -> str:
    """The nested lists as text; takes its numbers from the front of `texts`."""
    if nested is None:
        return "..."
    if depth == 0:
        return texts.pop(0)
    parts = [_layout(item, depth - 1, texts, indent + 1) for item in nested]
    between = ", " if depth == 1 else "," + "\n" * (depth - 1) + " " * (indent + 1)
    return "[" + between.join(parts) + "]"


def array_repr(nested: Any, shape: Shape, notes: str) -> str:
    """The text for an array given as nested lists of numbers.

    >>> print(array_repr([[1.0, 2.5], [-3.0, 4.0]], (2, 2), ""))
    MLArray([[ 1.0,  2.5],
             [-3.0,  4.0]])
    """
    size = math.prod(shape)
    if size == 0:
        return f"MLArray([], shape={shape}{notes})"
    large = size > _LARGE
    shown = _abbreviated(nested, len(shape)) if large else nested
    texts = _formatter(_leaves(shown, len(shape)))
    body = _layout(shown, len(shape), texts, len("MLArray("))
    return f"MLArray({body}{f', shape={shape}' if large else ''}{notes})"
