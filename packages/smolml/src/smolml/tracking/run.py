"""Run: a loop with its progress, history, log and picture; track() starts one."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Generic, Self, SupportsIndex, TypeVar, overload

from smolml.tracking.display import Display
from smolml.tracking.history import History, as_number
from smolml.tracking.log import KEYS, Log
from smolml.tracking.showing import choose_display
from smolml.writing import either, try_writing

T = TypeVar("T")


class Run(Generic[T]):
    """A loop over `steps` that is watched; `track` makes it, `for` runs it, once.

    When the loop ends, be it by `break`, an exception or Ctrl-C, the bar is closed, the log is
    written to the disk and the picture is drawn. (Python tells an iterator at once that its loop
    is over if it counts references, as CPython does. Elsewhere, and if the iterator is kept,
    write `with track(...) as run: for step in run: ...`.)

    Attributes:
        history: for each name that was reported the list of its numbers.
        steps: for each name the steps in which they were reported, from 1.
        step: the step that is running, or ran last; 0 before the first.
    """

    def __init__(
        self, steps: Iterable[T], display: Display, log: Log | None, plot: Path | None, title: str
    ) -> None:
        self._iterable = steps
        self._display = display
        self._log = log
        self._plot = plot
        self._title = title
        self._reported = History()
        self._begun: float | None = None
        self._is_open = False
        self.step: int = 0

    @property
    def history(self) -> dict[str, list[float]]:
        return self._reported.numbers

    @property
    def steps(self) -> dict[str, list[int]]:
        return self._reported.steps

    def report(self, **numbers: Any) -> None:
        """Add numbers of this step to history, display and log.

        Args:
            **numbers: floats, Values, arrays of shape (), and whatever else float() takes.

        Raises:
            TypeError: something that is not one number.
            ValueError: no number at all, or a name that the log needs itself (run, step, seconds).
        """
        if not numbers:
            raise ValueError("report: expected numbers by name, as in report(loss=0.5); got none")
        for name in KEYS:
            if name in numbers:
                raise ValueError(
                    f"report: the log has a {name!r} of its own; choose another name than {name}="
                )
        given = {name: as_number(name, number) for name, number in numbers.items()}
        if self._log is not None:  # first: what cannot be written is not half reported
            begun = time.monotonic() if self._begun is None else self._begun
            self._log.write(self.step, time.monotonic() - begun, given)
        self._reported.add(self.step, given)
        if self._is_open:
            self._display.show(self._reported)

    def __iter__(self) -> Generator[T, None, None]:
        if self._begun is not None:
            raise RuntimeError("track: a run is watched once; call track(...) again for another")
        self._begun = time.monotonic()
        return self._watched()

    def _watched(self) -> Generator[T, None, None]:
        finished = False
        self._is_open = True
        atexit.register(self.close)  # should nobody tell us that the loop is over
        try:
            self._display.start()
            for item in self._iterable:
                self.step += 1
                yield item
                self._display.advance(self.step, self._reported)
            finished = True
        finally:
            self._end(finished)

    def close(self) -> None:
        """End it now: close the bar and the log, draw the picture. Does nothing the second time."""
        self._end(finished=False)

    def _end(self, finished: bool) -> None:
        if not self._is_open:
            return
        self._is_open = False
        atexit.unregister(self.close)
        try:
            self._display.stop(self._reported, finished)
        finally:
            if self._log is not None:
                self._log.close()
            if self._plot is not None:
                self._draw(self._plot, finished)

    def _draw(self, path: Path, finished: bool) -> None:
        from smolml.tracking.picture import save

        if not self.history:
            sys.stderr.write(f"track: nothing was reported, so {path} was not drawn\n")
            return
        try:
            save(path, self._reported, self._title)
        except OSError as error:
            if finished:
                raise
            # another exception may be on its way, and nobody would catch this one
            sys.stderr.write(f"track: cannot write {path}: {error.strerror or error}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@overload
def track(
    steps: SupportsIndex,
    *,
    total: int | None = None,
    description: str = "",
    log: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    live: bool | None = None,
    every: int | None = None,
) -> Run[int]: ...
@overload
def track(
    steps: Iterable[T],
    *,
    total: int | None = None,
    description: str = "",
    log: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    live: bool | None = None,
    every: int | None = None,
) -> Run[T]: ...
def track(
    steps: Any,
    *,
    total: int | None = None,
    description: str = "",
    log: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    live: bool | None = None,
    every: int | None = None,
) -> Run[Any]:
    """Watch a training loop: progress, history of the loss, live plot, picture and log.

    On a terminal a bar shows the numbers last reported and the time left; in a notebook a plot of
    them grows (with matplotlib); elsewhere, or without rich, a plain line is printed now and
    then. Progress goes to the standard output.

    Args:
        steps: what to iterate over; a whole number n stands for range(n).
        total: how many steps there are, if `len(steps)` does not tell.
        description: a word for the bar, the lines and the picture.
        log: a file for one JSON object a report, with the start of the `run` (UTC), the `step`
            (from 1), the `seconds` since the start, and the numbers. The lines of earlier runs
            stay: new ones are appended. JSON has no nan and no infinities, so these are the
            strings "NaN", "Infinity" and "-Infinity", which Python's float() reads.
        plot: a .png, .svg or .pdf file for a picture of the history, drawn at the end; one of
            that name is replaced. Needs matplotlib: pip install "smolml[plot]".
        live: False for plain lines wherever it runs; True insists on a bar or a live plot.
        every: how many steps lie between two plain lines; by default about ten lines are printed
            in all.

    Returns:
        The Run: iterate over it, once, and call its `report(loss=...)` in the loop; its `history`
        holds a list of floats for each name.

    Raises:
        TypeError: steps cannot be iterated over.
        ValueError: a total or every that makes no sense, another kind of picture, a log that is
            no JSON lines file, or live=True where nothing live can be shown.
        ImportError: plot is given and matplotlib is not installed.
        OSError: log or plot cannot be written.

    >>> for step in (run := track(4, description="halving", every=2)):
    ...     run.report(loss=0.5**step)
    halving 1/4  loss 1
    halving 2/4  loss 0.5
    halving 4/4  loss 0.125
    >>> run.history
    {'loss': [1.0, 0.5, 0.25, 0.125]}
    """
    iterable, count = _counted(steps, total)
    if every is not None and every < 1:
        raise ValueError(f"track: every is a number of steps, at least 1; got {every}")
    where = None if plot is None else _checked_plot(Path(plot))
    display = choose_display(description, count, every, live)
    return Run(iterable, display, None if log is None else Log(Path(log)), where, description)


def _counted(steps: Any, total: int | None) -> tuple[Iterable[Any], int | None]:
    """What to iterate over, and how long it is, if that is known."""
    if isinstance(steps, SupportsIndex) and not isinstance(steps, bool):
        steps = range(steps.__index__())
        if total not in (None, len(steps)):
            raise ValueError(f"track: {len(steps)} steps, but total={total}; leave total out")
    if not isinstance(steps, Iterable):
        raise TypeError(
            f"track: expected something to iterate over or a number of steps, "
            f"got a {type(steps).__name__}"
        )
    if total is None:
        try:
            total = len(steps)  # type: ignore[arg-type]  # not every iterable has a length
        except TypeError:
            return steps, None
    if total < 0:
        raise ValueError(f"track: total is a number of steps, at least 0; got {total}")
    return steps, total


def _checked_plot(path: Path) -> Path:
    """Make sure, before hours of training, that the picture can be drawn."""
    try:
        from smolml.tracking.picture import ENDINGS
    except ImportError as error:
        raise ImportError(
            f'track: plot={str(path)!r} needs matplotlib ({error}); pip install "smolml[plot]", '
            f"or leave plot out"
        ) from error
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"track: plot must end in {either(ENDINGS)}, got {str(path)!r}")
    try_writing(path)
    return path
