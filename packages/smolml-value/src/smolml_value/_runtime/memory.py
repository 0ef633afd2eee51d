"""Pausing the garbage collector while a large graph grows."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Pauses:
    """How many blocks are open, in all threads, and whether the collector was on before them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0
        self.was_enabled = False


_pauses = _Pauses()


@contextmanager
def paused_gc() -> Iterator[None]:
    """Build a graph without the garbage collector looking through it again and again.

    Graphs have no reference cycles and are freed at once when dropped, so the collector finds
    nothing in them; but it visits every node each time it runs, which can double the time that a
    large graph takes to grow. The collector is as it was when the last open block ends, whatever
    happens inside; blocks may nest and be open in several threads.

    >>> import gc
    >>> from smolml_value import Value, paused_gc
    >>> with paused_gc():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    with _pauses.lock:
        if _pauses.open == 0:
            _pauses.was_enabled = gc.isenabled()
            gc.disable()
        _pauses.open += 1
    try:
        yield
    finally:
        with _pauses.lock:
            _pauses.open -= 1
            if _pauses.open == 0 and _pauses.was_enabled:
                gc.enable()
