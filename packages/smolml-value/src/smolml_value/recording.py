"""Whether ops record the graph: no_grad(), per thread and per task. And who watches them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from smolml_value._runtime.compat import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Watcher:
    """Who is told what is computed while `MODE.watched` is not 0; this one lets it pass.

    Blocks may be open in other threads only: whether to look, the watcher says itself.
    """

    __slots__ = ()

    def made(self, node: Any) -> None:
        """An op has made this node."""

    def computed(self, out: Any, op: Any, args: Any) -> None:
        """An op has computed the Value `out` from these arguments; nothing was recorded."""

    def passed(self, root: Any) -> None:
        """The cotangents of a backward pass are complete, and nothing is committed yet."""

    def vjp(self) -> Any:
        """What a walk with cotangents uses in place of the rules; None: the rules."""
        return None

    def jvp(self) -> Any:
        """What a walk with tangents uses in place of the rules; None: the rules."""
        return None


class _Mode:
    """`special` counts the no_grad and detect_anomaly blocks open anywhere, `watched` the latter.

    While `special` is 0, which is nearly always, one look is enough.
    """

    __slots__ = ("special", "watched", "watcher")

    def __init__(self) -> None:
        self.special: int = 0
        self.watched: int = 0
        self.watcher: Watcher = Watcher()

    def open_watch(self, watcher: Watcher) -> None:
        """A detect_anomaly block begins."""
        with _lock:
            self.watcher = watcher
            self.watched += 1
            self.special += 1

    def close_watch(self) -> None:
        """A detect_anomaly block ends."""
        with _lock:
            self.watched -= 1
            self.special -= 1


MODE: Final = _Mode()
_lock: Final = threading.Lock()
_enabled: Final[ContextVar[bool]] = ContextVar("smolml_grad_enabled", default=True)


def grad_enabled() -> bool:
    """Whether operations are recorded here and now."""
    return MODE.special == 0 or _enabled.get()


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
        MODE.special += 1
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
        with _lock:
            MODE.special -= 1


def record_here() -> None:
    """As `recording`, for the rest of a context (contextvars) of which the caller has a copy."""
    if MODE.special:
        _enabled.set(True)


@contextmanager
def recording() -> Iterator[None]:
    """Record whatever no_grad blocks are open: transforms need the graph of their function."""
    token = _enabled.set(True)
    try:
        yield
    finally:
        _enabled.reset(token)
