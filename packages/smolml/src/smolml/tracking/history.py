"""History: the numbers that a loop reported, by name, and in which steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class History:
    """What was reported.

    Attributes:
        numbers: per name all its numbers, in order.
        steps: per name the steps in which they were reported.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, list[float]] = {}
        self.steps: dict[str, list[int]] = {}

    def add(self, step: int, given: Mapping[str, float]) -> None:
        for name, number in given.items():
            self.numbers.setdefault(name, []).append(number)
            self.steps.setdefault(name, []).append(step)

    def latest(self) -> str:
        """The last number of each name in one line.

        >>> reported = History()
        >>> reported.add(1, {"loss": 0.25, "accuracy": 2 / 3})
        >>> reported.latest()
        'loss 0.25  accuracy 0.6667'
        """
        return "  ".join(f"{name} {numbers[-1]:.4g}" for name, numbers in self.numbers.items())


def as_number(name: str, given: Any) -> float:
    """A float from a number, a Value or an array of shape ().

    Raises:
        TypeError: it is not one number.

    >>> from smolml import Value
    >>> as_number("loss", Value(0.5))
    0.5
    """
    shape = getattr(given, "shape", ())
    if shape != ():
        raise TypeError(
            f"report: {name} must be one number, got an array of shape {shape}; "
            f"report its mean() or one of its elements"
        )
    if isinstance(given, str | bytes | bytearray):
        raise TypeError(f"report: {name} must be a number, got {given!r:.60}")
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        raise TypeError(f"report: {name} must be a number, got {given!r:.60}") from error
