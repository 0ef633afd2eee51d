"""Functions of the user's that live in a file of their own: for the tests of detect_anomaly."""

from __future__ import annotations

from typing import Any


def length(x: Any) -> Any:
    """|x| in a way that has no derivative at 0."""
    square = x * x
    return square.sqrt()  # here
