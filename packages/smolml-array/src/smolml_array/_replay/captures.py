"""Which arrays a function reads while it is recorded, and whether they are still the same.

Arrays of the recording itself are no concern here. The numbers of all others become constants of
what is recorded, however they got there: `y * (2 * c)` never meets c itself.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from smolml_array._graph.array_base import ArrayBase
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode
from smolml_array.backends.signatures import Raw
from smolml_value import GraphError

Noticed = dict[int, tuple["weakref.ref[ArrayBase]", Raw]]  # by the id of the array

_noticed: Final[ContextVar[Noticed | None]] = ContextVar("smolml_noticed", default=None)
_lock: Final = threading.Lock()
_running = 0  # in whatever thread; while there are some, the graph tells us what is read


@contextmanager
def noticing() -> Iterator[Noticed]:
    """Collect what is read here, in this thread, with the numbers that it had then."""
    global _running
    found: Noticed = {}
    token = _noticed.set(found)
    with _lock:
        _running += 1
        HOOKS.on_read, HOOKS.on_gradient = _notice, _refuse_gradients
    try:
        yield found
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                HOOKS.on_read = HOOKS.on_gradient = None
        _noticed.reset(token)


def _notice(x: ArrayBase) -> None:
    """The numbers of an array are read."""
    found = _noticed.get()
    if found is None or x._node.backend.adopts is not None:
        return
    known = found.get(id(x))
    if known is None or known[0]() is not x:  # the id may be that of another that is gone
        found[id(x)] = weakref.ref(x), x._node.raw


def _refuse_gradients() -> None:
    """A gradient is read: raise if a function that is recorded does it.

    Raises:
        GraphError: it would be the same in every step.
    """
    if _noticed.get() is not None:
        raise GraphError(
            "replay: the function uses gradients, which will be others the next time; pass "
            "x.grad() to it as an argument, or do that outside of it"
        )


def put_back(noticed: Noticed) -> bool:
    """Give arrays that outlive the function the numbers that it read first; were there others?"""
    changed = False
    for ref, raw in noticed.values():
        x = ref()
        if x is not None and x._node.raw is not raw:
            changed = True
            if x._node.backend.adopts is None:
                x._set_numbers(raw)
            else:  # it took numbers of the recording, and went there
                x._become(ArrayNode(x._node.backend.adopts, raw, False))
    return changed


class Sources:
    """Those of the noticed arrays that outlive the function: what a recording depends on."""

    def __init__(self, noticed: Noticed) -> None:
        self._all = [(ref, raw) for ref, raw in noticed.values() if ref() is not None]

    def are_current(self) -> bool:
        """Whether all are still there, with the same numbers."""
        for ref, raw in self._all:
            x = ref()
            if x is None or x._current_node().raw is not raw:
                return False
        return True
