"""Whether detect_anomaly looks at what is computed here: per thread and per task."""

from __future__ import annotations

from typing import Final, NamedTuple

from smolml_value._runtime.modes import Mode, Setting
from smolml_value.recording import MODE


class Looks(NamedTuple):
    """Whether a block is open, so that lines are kept, and whether what runs in it is trusted."""

    is_open: bool
    trusts: bool


_HERE: Final = Mode("smolml_anomaly", Looks(False, False))
OPEN: Final = Setting(_HERE, Looks(True, False), MODE.opened)
"""A block, in which all is looked at, be it inside of what is trusted."""


def is_open() -> bool:
    """Whether a block is open here: lines are kept."""
    return _HERE.get().is_open


def checking() -> bool:
    """Whether the results of ops are to be looked at here."""
    if MODE.watched == 0:
        return False
    here = _HERE.get()
    if not here.is_open:
        MODE.look_again()
    return here.is_open and not here.trusts


def unchecked() -> Setting[Looks]:
    """Let rules compute what they like: an inf may well meet a zero that it counts nothing with."""
    return Setting(_HERE, Looks(is_open(), True))
