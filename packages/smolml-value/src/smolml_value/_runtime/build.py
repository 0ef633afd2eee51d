"""Which build this is: the same source runs interpreted, and compiled to C."""

from __future__ import annotations

from types import BuiltinFunctionType
from typing import Final


def _of_this_build() -> None:
    """Compiled with the others, it is a built-in function."""


COMPILED: Final = isinstance(_of_this_build, BuiltinFunctionType)
"""Whether the hot modules, this one among them, run as compiled code."""
