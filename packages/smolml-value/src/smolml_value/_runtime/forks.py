"""What a child process must set right: other threads were not copied, but what they held was."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

L = TypeVar("L")

_locks: WeakSet[Any] = WeakSet()


def after_fork(f: Callable[[], None]) -> None:
    """Call f in every child, before anything else runs there."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=f)


def fork_safe(lock: L) -> L:
    """The lock; in a child it is free, unless the thread that is there holds it."""
    _locks.add(lock)
    return lock


def free(lock: Any) -> bool:
    """In a child: free a lock that a thread held which is not there; whether there was one."""
    if lock.acquire(blocking=False):
        lock.release()
        return False
    lock._at_fork_reinit()  # as the locks of `threading` and `logging` are
    return True


@after_fork
def _free_all() -> None:
    for lock in _locks:
        free(lock)
