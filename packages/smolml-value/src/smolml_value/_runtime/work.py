"""How much this process has computed, for what pays off only where much is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_FOR_EVER: Final = 2**62


class _Work:
    """Counts down; below zero, `over` calls what was to follow, once.

    The unit is the work of one node of a graph of Values. Threads may lose a step of each other.
    """

    __slots__ = ("_then", "left")

    def __init__(self) -> None:
        self.left = _FOR_EVER
        self._then: Callable[[], None] | None = None

    def after(self, amount: int, then: Callable[[], None]) -> None:
        """Have `then` called after so much more work, in place of what was to be called before."""
        self._then = then
        self.left = amount

    def over(self) -> None:
        """Call what was to follow. If it fails, it has not happened, and nobody hears of it."""
        self.left = _FOR_EVER
        then, self._then = self._then, None
        if then is not None:
            try:
                then()
            except Exception:  # whoever asked for a gradient has got it
                return


WORK: Final = _Work()
