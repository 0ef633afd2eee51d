"""How many elements fit: asked before they are made, or one by one they would fill all memory."""

from __future__ import annotations

import math
import mmap
from typing import Any, Final

NUMBER: Final = 8  # bytes of an element in a buffer
OBJECT: Final = 32  # of a Python number with its place in a list
_LARGE: Final = 2**27  # bytes that nobody asks about
_MOST: Final = 2**42  # bytes that no machine has, though a system may promise them


def check_count(count: float, who: str, each: int = OBJECT) -> None:
    """Raise unless so many elements fit in memory: the system is asked for it, and gets it back.

    Raises:
        MemoryError: they do not fit; says how many bytes they take.

    >>> try:
    ...     check_count(10**12, "zeros")
    ... except MemoryError as error:
    ...     print(str(error).partition(";")[0])
    zeros: 1e+12 elements do not fit in memory: they take 3.2e+13 bytes
    """
    size = count * each
    try:
        fits = size < _LARGE or (size < _MOST and not mmap.mmap(-1, int(size)).closed)
    except OSError:
        fits = False
    if not fits:
        raise in_words(who, f"{count:g} elements do not fit in memory: they take {size:g} bytes")


def check_lengths(shape: tuple[int, ...], who: str) -> None:
    """Raise for a shape that no array can have, even as a view, or with another length of 0.

    Raises:
        MemoryError: its bytes could not be counted in 64 bits.
    """
    count = math.prod(shape) or math.prod([n or 1 for n in shape])
    if count * NUMBER >= 2**63:
        raise in_words(who, f"{count:g} elements do not fit in memory: they have shape {shape}")


def check_range(start: Any, stop: Any, step: Any, each: int = OBJECT) -> None:
    """Raise for an arange that has no end, or no length.

    Raises:
        MemoryError: its numbers do not fit in memory.
        ValueError: a step of 0, or nan.
    """
    if step == 0:
        raise ValueError("arange: the step is 0: expected another number")
    count = float(stop - start) / float(step)
    if math.isnan(count):
        raise ValueError(f"arange: from {start} to {stop} by {step}: expected numbers, got a nan")
    check_count(count, "arange", each)


def in_words(who: str, found: object) -> MemoryError:
    """The error for what does not fit; of NumPy's, which tells shape and bytes, as well."""
    return MemoryError(f"{who}: {found}; make the array smaller, or compute it part by part")
