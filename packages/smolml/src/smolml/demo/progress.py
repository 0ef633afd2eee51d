"""How training is going: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

LINES = 10  # about so many lines are printed where there is no bar


class Report(Protocol):
    """What a training run tells, step by step and epoch by epoch."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def step(self, loss: float) -> None:
        """One batch is done."""
        ...

    def epoch(self, epoch: int, accuracy: float) -> None:
        """One pass over the training set is done."""
        ...


class Lines:
    """A line every few epochs; it says the mean loss of the epoch."""

    def __init__(self, console: Console, epochs: int, steps: int) -> None:
        self._console = console
        self._epochs = epochs
        self._every = max(1, epochs // LINES)
        self._recent: deque[float] = deque(maxlen=steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def step(self, loss: float) -> None:
        self._recent.append(loss)

    def epoch(self, epoch: int, accuracy: float) -> None:
        if epoch % self._every == 0 or epoch in {1, self._epochs}:
            width = len(str(self._epochs))
            loss = sum(self._recent) / len(self._recent)
            say(
                self._console,
                f"epoch {epoch:{width}}/{self._epochs}  loss {loss:.4f}  "
                f"test accuracy {accuracy:6.2%}",
            )


class Bar:
    """A bar with the epoch, the loss (mean of the last epoch's steps) and the time left."""

    def __init__(self, console: Console, epochs: int, steps: int) -> None:
        self._epochs = epochs
        self._recent: deque[float] = deque(maxlen=steps)
        self._progress = Progress(
            TextColumn("epoch [bold]{task.fields[epoch]}[/bold]"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("loss [bold]{task.fields[loss]}[/bold]"),
            TextColumn("test [bold]{task.fields[accuracy]}[/bold]"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console,
        )
        self._task = self._progress.add_task(
            "", total=epochs * steps, epoch=f"1/{epochs}", loss="-", accuracy="-"
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, loss: float) -> None:
        self._recent.append(loss)
        mean = sum(self._recent) / len(self._recent)
        self._progress.update(self._task, advance=1, loss=f"{mean:.4f}")

    def epoch(self, epoch: int, accuracy: float) -> None:
        now = f"{min(epoch + 1, self._epochs)}/{self._epochs}"
        self._progress.update(self._task, epoch=now, accuracy=f"{accuracy:.1%}")


def say(console: Console, line: str) -> None:
    """Print a line as it is: not wrapped, not coloured."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def report(console: Console, epochs: int, steps: int) -> Report:
    """A bar on a terminal, else plain lines.

    >>> import io
    >>> with report(Console(file=io.StringIO()), epochs=1, steps=1) as lines:
    ...     lines.step(0.5)
    >>> type(lines).__name__
    'Lines'
    """
    bar = console.is_terminal and not console.is_dumb_terminal
    return Bar(console, epochs, steps) if bar else Lines(console, epochs, steps)
