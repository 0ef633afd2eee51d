"""Which lines of the user's program are being run, and which have made a node."""

from __future__ import annotations

import linecache
import sys
from types import FrameType
from typing import Final, NamedTuple

from smolml_value._runtime.identity_map import WeakIdentityDict

MOST: Final = 3  # places that are kept for a node
DEEP: Final = 200  # frames that are looked at

# Frames of these packages are not the user's. The two of the standard library stand between our
# own functions; packages that build on this one add themselves.
_inside: Final = {"contextlib", "functools", "smolml_value"}


class Place(NamedTuple):
    """A line of a source file, in the function of that name."""

    file: str
    line: int
    function: str

    @property
    def code(self) -> str:
        """The text of the line, "" if it is not to be had."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        code = self.code
        return f"{self.file}:{self.line}, in {self.function}" + (f": {code}" if code else "")


_lines: Final[WeakIdentityDict[tuple[Place, ...]]] = WeakIdentityDict()


def inside(package: str) -> None:
    """Count the frames of a package among ours."""
    _inside.add(package)


def is_outside(frame: FrameType) -> bool:
    """Whether a frame is the user's, or of a library that is not ours."""
    name = frame.f_globals.get("__name__")
    return name is None or name.partition(".")[0] not in _inside


def user_places() -> tuple[Place, ...]:
    """The innermost line outside of our packages, then the lines that called us on the way to it.

    There is more than one if we call the user: the formula of a composite op is one place, the
    line where the op is applied the next; so are a function given to grad() and the call of grad.
    """
    found: list[Place] = []
    frame: FrameType | None = sys._getframe(1)
    was_outside = False
    for _ in range(DEEP):
        if frame is None or len(found) == MOST:
            break
        outside = is_outside(frame)
        if outside and not was_outside:
            code = frame.f_code
            found.append(Place(code.co_filename, frame.f_lineno, code.co_name))
        was_outside = outside
        frame = frame.f_back
    return tuple(found)


def keep_lines(node: object) -> None:
    """Remember that a node is being made here."""
    _lines.set(node, user_places())


def lines_of(node: object) -> tuple[Place, ...]:
    """Where a node was made, the innermost line first; empty if that was outside of a block."""
    return _lines.get(node) or ()
