"""How an array is written: rows under rows, numbers in columns, large arrays abbreviated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from smolml_array._shapes.axes import Shape
from smolml_array.backends.signatures import Raw

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

_EDGE = 3  # items shown at each end of a long axis
_FIRST, _LAST = slice(_EDGE), slice(-_EDGE, None)
_LARGE = 1000  # elements from which on an array is abbreviated
LEFT_OUT: Final = -1


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


def edges(xp: Backend, raw: Raw) -> list[Any]:
    """The numbers that are shown of an array, in C order: of a large one the edges alone."""
    if raw.size > _LARGE:
        for axis, n in enumerate(raw.shape):
            if n > 2 * _EDGE:
                at = (slice(None),) * axis
                ends = [xp.index(raw, (*at, part)) for part in (_FIRST, _LAST)]
                raw = xp.concat(ends, axis=axis)
    return xp.to_flat(raw)


def shown(length: int, edge: int) -> Sequence[int]:
    """The places that are shown along an axis; LEFT_OUT stands for all between the edges."""
    if length <= 2 * edge:
        return range(length)
    return [*range(edge), LEFT_OUT, *range(length - edge, length)]


def _layout(axes: list[Sequence[int]], texts: Iterator[str], indent: int) -> str:
    """Nested lists as text, with these places along each axis."""
    if not axes:
        return next(texts)
    parts = ["..." if i < 0 else _layout(axes[1:], texts, indent + 1) for i in axes[0]]
    between = ", " if len(axes) == 1 else "," + "\n" * (len(axes) - 1) + " " * (indent + 1)
    return "[" + between.join(parts) + "]"


def array_repr(numbers: list[Any], shape: Shape, notes: str) -> str:
    """The text for an array of this shape, given what `edges` are.

    >>> print(array_repr([1.0, 2.5, -3.0, 4.0], (2, 2), ""))
    MLArray([[ 1.0,  2.5],
             [-3.0,  4.0]])
    """
    size = math.prod(shape)
    if size == 0:
        return f"MLArray([], shape={shape}{notes})"
    large = size > _LARGE
    axes = [shown(n, _EDGE if large else n) for n in shape]
    body = _layout(axes, iter(_formatter(numbers)), len("MLArray("))
    return f"MLArray({body}{f', shape={shape}' if large else ''}{notes})"
