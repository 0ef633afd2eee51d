"""Whether ops record the graph: no_grad(), per thread and per task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class _Mode:
    """`off` counts the no_grad blocks open anywhere: while it is 0, one look is enough."""

    __slots__ = ("off",)

    def __init__(self) -> None:
        self.off = 0


MODE: Final = _Mode()
_lock: Final = threading.Lock()
_enabled: Final[ContextVar[bool]] = ContextVar("smolml_grad_enabled", default=True)


def grad_enabled() -> bool:
    """Whether operations are recorded here and now."""
    return MODE.off == 0 or _enabled.get()


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: results are constants (leaves without parents).

    It holds for the current thread or task only, and nests.

    >>> from smolml_value import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y._prev
    (9.0, set())
    """
    with _lock:
        MODE.off += 1
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
        with _lock:
            MODE.off -= 1


@contextmanager
def recording() -> Iterator[None]:
    """Record whatever no_grad blocks are open: transforms need the graph of their function."""
    token = _enabled.set(True)
    try:
        yield
    finally:
        _enabled.reset(token)
