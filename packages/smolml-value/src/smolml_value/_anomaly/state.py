"""Whether detect_anomaly looks at what is computed here: per thread and per task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from smolml_value.recording import MODE

_open: Final[ContextVar[bool]] = ContextVar("smolml_anomaly_open", default=False)
_trusts: Final[ContextVar[bool]] = ContextVar("smolml_anomaly_trusts", default=False)


def is_open() -> bool:
    """Whether a block is open here: lines are kept."""
    return _open.get()


def checking() -> bool:
    """Whether the results of ops are to be looked at here."""
    return MODE.watched != 0 and _open.get() and not _trusts.get()


@contextmanager
def unchecked(trusts: bool = True) -> Iterator[None]:
    """Let rules compute what they like: an inf may well meet a zero that it counts nothing with."""
    token = _trusts.set(trusts)
    try:
        yield
    finally:
        _trusts.reset(token)


@contextmanager
def opened() -> Iterator[None]:
    """A block, in which all is looked at, be it inside of what is trusted."""
    token = _open.set(True)
    try:
        with unchecked(False):
            yield
    finally:
        _open.reset(token)
