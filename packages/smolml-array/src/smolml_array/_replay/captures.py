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
from typing import TYPE_CHECKING, Any, Final

from smolml_array.backends.protocol import Raw
from smolml_value import GraphError

if TYPE_CHECKING:
    from smolml_array._graph.handle import Handle

Noticed = dict[int, tuple["weakref.ref[Handle]", Raw]]  # by the id of the array

_noticed: Final[ContextVar[Noticed | None]] = ContextVar("smolml_noticed", default=None)


class _Recordings:
    """How many are running, in whatever thread: while it is 0, one look is enough."""

    __slots__ = ("running",)

    def __init__(self) -> None:
        self.running = 0


RECORDINGS: Final = _Recordings()
_lock: Final = threading.Lock()


@contextmanager
def noticing() -> Iterator[Noticed]:
    """Collect what is read here, in this thread, with the numbers that it had then."""
    found: Noticed = {}
    token = _noticed.set(found)
    with _lock:
        RECORDINGS.running += 1
    try:
        yield found
    finally:
        with _lock:
            RECORDINGS.running -= 1
        _noticed.reset(token)


def notice(x: Any) -> None:
    """The numbers of an array are read. To be called where `RECORDINGS.running`."""
    found = _noticed.get()
    if found is None or x._node.backend.adopts is not None:
        return
    known = found.get(id(x))
    if known is None or known[0]() is not x:  # the id may be that of another that is gone
        found[id(x)] = weakref.ref(x), x._node.raw


def refuse_gradients() -> None:
    """A gradient is read: raise if a function that is recorded does it.

    Raises:
        GraphError: it would be the same in every step.
    """
    if _noticed.get() is not None:
        raise GraphError(
            "replay: the function uses gradients, which will be others the next time; pass "
            "x.grad() to it as an argument, or do that outside of it"
        )


class Sources:
    """Those of the noticed arrays that outlive the function: what a recording depends on."""

    def __init__(self, noticed: Noticed) -> None:
        self._all = [(ref, raw) for ref, raw in noticed.values() if ref() is not None]

    def are_current(self) -> bool:
        """Whether all are still there, with the same numbers."""
        for ref, raw in self._all:
            x = ref()
            if x is None or x._fetch().raw is not raw:
                return False
        return True
