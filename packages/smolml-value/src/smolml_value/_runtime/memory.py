"""Pausing the garbage collector while a large graph grows."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smolml_value._runtime.forks import after_fork, fork_safe

_lock = fork_safe(threading.Lock())
# for each open block its thread, and whether the collector was on before all of them
_open: dict[object, tuple[int, bool]] = {}


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
    block = object()
    try:
        with _lock:
            first = next(iter(_open.values()), (0, gc.isenabled()))
            _open[block] = (threading.get_ident(), first[1])
            gc.disable()
        yield
    finally:
        try:
            _end(block)
        except BaseException:  # an interrupt
            _end(block)
            raise


def _end(*blocks: object) -> None:
    with _lock:
        before = [_open[block][1] for block in blocks if block in _open]
        if True in before and len(before) == len(_open):
            gc.enable()
        for block in blocks:
            _open.pop(block, None)


@after_fork
def _in_child() -> None:
    here = threading.get_ident()
    _end(*[block for block, (thread, _) in _open.items() if thread != here])
