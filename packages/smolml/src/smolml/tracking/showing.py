"""How a run is shown while it goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from smolml.tracking.display import Display
from smolml.tracking.history import History

if TYPE_CHECKING:
    from rich.console import Console

LINES: Final = 10  # about so many lines are printed where there is no bar
PAUSE: Final = 0.05  # seconds between two updates of a bar


class Lines(Display):
    """A line every few steps.

    Without `every` there are about ten in all; if their number is not known they become rarer:
    steps 1, 2, 5, 10, 20, 50, ...
    """

    def __init__(self, description: str, total: int | None, every: int | None) -> None:
        super().__init__(description, total)
        if every is None and total is not None:
            every = max(1, total // LINES)
        self._every = every
        self._shown = 0

    def advance(self, step: int, reported: History) -> None:
        super().advance(step, reported)
        if self._is_due(step):
            self._print(reported)

    def stop(self, reported: History, finished: bool) -> None:
        if not finished:
            self._print(reported, "  (stopped)")
        elif self._step != self._shown:
            self._print(reported)

    def _is_due(self, step: int) -> bool:
        if step in (1, self._total):
            return True
        if self._every is not None:
            return step % self._every == 0
        digits = str(step)
        return digits[0] in "125" and not digits[1:].strip("0")

    def _print(self, reported: History, end: str = "") -> None:
        self._shown = self._step
        place = f"{self._description} {self._count()}" if self._description else self._count()
        numbers = reported.latest()
        sys.stdout.write(f"{place}  {numbers}{end}\n" if numbers else f"{place}{end}\n")
        sys.stdout.flush()


class Bar(Display):
    """A bar with the numbers last reported and the time left."""

    def __init__(self, console: Console, description: str, total: int | None) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(description, total)
        self._next = 0.0
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            TextColumn("{task.fields[numbers]}", style="bold", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console,
        )
        self._task = self._progress.add_task(
            description, total=total, count=self._count(), numbers=""
        )

    def start(self) -> None:
        self._progress.start()

    def show(self, reported: History) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PAUSE
            self._update(reported)

    def stop(self, reported: History, finished: bool) -> None:
        try:
            if finished and self._total is None:
                self._total = self._step
            self._update(reported)
        finally:
            self._progress.stop()

    def _update(self, reported: History) -> None:
        self._progress.update(
            self._task,
            total=self._total,
            completed=self._step,
            count=self._count(),
            numbers=reported.latest(),
        )


def choose_display(
    description: str, total: int | None, every: int | None, live: bool | None
) -> Display:
    """What this place can show: a plot in a notebook, a bar on a terminal, else lines.

    Raises:
        ValueError: live=True, and the place can show nothing live.
    """
    display = None if live is False else _live_display(description, total)
    if display is None and live:
        raise ValueError(
            "track: live=True, but the output is neither a terminal (with rich installed) nor a "
            "notebook (with matplotlib installed); leave live out for what the place can show"
        )
    return Lines(description, total, every) if display is None else display


def _live_display(description: str, total: int | None) -> Display | None:
    if _in_notebook():
        try:
            from smolml.tracking.notebook import LivePlot
        except ImportError:  # no matplotlib
            return None
        return LivePlot(description, total)
    try:
        from rich.console import Console
    except ImportError:
        return None
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        return Bar(console, description, total)
    return None


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this; IPython is imported then, and need not be otherwise."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
