"""The plot that grows below a notebook's cell."""

from __future__ import annotations

import time
from typing import Any, Final

from IPython.display import Image, display

from smolml.tracking.display import Display
from smolml.tracking.history import History
from smolml.tracking.picture import drawn

PAUSE: Final = 0.5  # seconds between two drawings, at least; they take some 0.1 s


class LivePlot(Display):
    """A picture of the history, drawn anew now and then, with the progress above it."""

    def __init__(self, description: str, total: int | None) -> None:
        super().__init__(description, total)
        self._begun = 0.0
        self._next = 0.0
        self._handle: Any = None

    def start(self) -> None:
        self._begun = time.monotonic()

    def show(self, reported: History) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._draw(reported, self._time_left(now))
            self._next = time.monotonic() + max(PAUSE, 5 * (time.monotonic() - now))

    def stop(self, reported: History, finished: bool) -> None:
        self._draw(reported, "" if finished else "stopped")

    def _time_left(self, now: float) -> str:
        if self._total is None or not 0 < self._step < self._total:
            return ""
        left = (now - self._begun) / self._step * (self._total - self._step)
        return f"{int(left) // 60}:{int(left) % 60:02} left"

    def _draw(self, reported: History, note: str) -> None:
        if not reported.numbers:
            return
        of = "" if self._total is None else f"/{self._total}"
        words = (self._description, f"step {self._step}{of}", note)
        image = Image(data=drawn(reported, "   ".join(w for w in words if w)), format="png")
        if self._handle is None:
            self._handle = display(image, display_id=True)
        else:
            self._handle.update(image)
