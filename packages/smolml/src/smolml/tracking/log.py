"""Log: a file of JSON lines, one object for each report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

KEYS: Final = ("run", "step", "seconds")
"""What each line holds beside the numbers that were reported."""


class Log:
    """Appends to a file of JSON lines, so that what is there stays.

    Raises:
        ValueError: the file exists and holds something else.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._file: TextIO | None = self._opened()

    def _opened(self) -> TextIO:
        _check(self._path)
        file = self._path.open("a+", encoding="utf-8", newline="\n")
        if file.tell() > 0 and not _ends_in_newline(self._path):
            file.write("\n")  # the last line was cut off
        return file

    def write(self, step: int, seconds: float, numbers: Mapping[str, float]) -> None:
        """One line, at once on its way to the disk."""
        if self._file is None:  # reported after the loop
            self._file = self._opened()
            try:
                self.write(step, seconds, numbers)
            finally:
                self.close()
            return
        entry: dict[str, object] = {"run": self._run, "step": step, "seconds": round(seconds, 6)}
        entry |= {name: _in_json(number) for name, number in numbers.items()}
        self._file.write(json.dumps(entry, allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _in_json(number: float) -> float | str:
    """JSON has no nan and no infinities: strings that float() reads, and JavaScript's Number().

    >>> [_in_json(x) for x in (0.5, math.inf, -math.inf, math.nan)]
    [0.5, 'Infinity', '-Infinity', 'NaN']
    """
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _check(path: Path) -> None:
    """Refuse a file that is there and is no log: appending would spoil it."""
    if not path.exists():
        return
    with path.open("rb") as file:
        first = file.readline(2**20)
    try:
        good = not first.strip() or isinstance(json.loads(first), dict)
    except ValueError:
        good = False
    if not good:
        raise ValueError(
            f"track: log={str(path)!r} exists and does not begin with a JSON object; logs are "
            f"appended to, so choose another name or move that file away"
        )


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"
