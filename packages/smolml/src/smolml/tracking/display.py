"""Display: what shows how a loop is going, whatever it looks like."""

from __future__ import annotations

from smolml.tracking.history import History


class Display:
    """What shows how a loop of `total` steps, if that is known, is going."""

    def __init__(self, description: str, total: int | None) -> None:
        self._description = description
        self._total = total
        self._step = 0

    def start(self) -> None:
        """The loop begins."""

    def show(self, reported: History) -> None:
        """Something was reported."""

    def advance(self, step: int, reported: History) -> None:
        """Step number `step`, from 1, is done."""
        self._step = step
        self.show(reported)

    def stop(self, reported: History, finished: bool) -> None:
        """The loop is over; `finished` if it went to its end."""

    def _count(self) -> str:
        if self._total is None:
            return f"step {self._step}"
        return f"{self._step:{len(str(self._total))}}/{self._total}"
