"""Whether ops record the graph: no_grad(), per thread and per task. And who watches them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from smolml_value._runtime.compat import mypyc_attr
from smolml_value._runtime.forks import after_fork, fork_safe
from smolml_value._runtime.modes import Mode, Setting


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

    While `special` is 0, which is nearly always, one look is enough. Both may be too large for a
    while: blocks end without a word, and who finds none here has them counted anew.
    """

    __slots__ = ("blocks", "special", "watched", "watcher")

    def __init__(self) -> None:
        self.special: int = 0
        self.watched: int = 0
        self.watcher: Watcher = Watcher()
        self.blocks: list[Any] = []

    def opened(self, block: Any) -> None:
        """A block is open from now on."""
        with _lock:
            self.blocks = [*(b for b in self.blocks if b.lock.locked()), block]
            self._count()

    def look_again(self) -> None:
        """No block is open here: is there any?"""
        blocks = self.blocks
        if not (blocks and blocks[len(blocks) - 1].lock.locked()):
            with _lock:
                self.blocks = [block for block in self.blocks if block.lock.locked()]
                self._count()

    def after_fork(self) -> None:
        """In a child process: other threads are not there, nor will they close their blocks."""
        here = threading.get_ident()
        self.blocks = [block for block in self.blocks if block.thread == here]
        self._count()

    def _count(self) -> None:
        self.special = len(self.blocks)
        self.watched = len([b for b in self.blocks if b.setting.mode is not _ENABLED])


MODE: Final = _Mode()
_lock: Final = fork_safe(threading.Lock())
_ENABLED: Final[Mode[bool]] = Mode("smolml_grad_enabled", True)
after_fork(MODE.after_fork)

Leaving = Callable[[Any], None]
LEAVING: Final[Mode[Leaving | None]] = Mode("smolml_leaving", None)
"""Who is told of Values and arrays that are taken for plain numbers; for `leave`."""


def grad_enabled() -> bool:
    """Whether operations are recorded here and now."""
    return not MODE.special or _enabled_here()


def _enabled_here() -> bool:
    block = _ENABLED.innermost()
    if block is None:
        MODE.look_again()
        return True
    return block.setting.new


def no_grad() -> Setting[bool]:
    """Compute without recording: results are constants (leaves without parents).

    It holds for the current thread or task only, and nests; what it returns may be entered as
    often as one likes, and decorates functions. A task that was started inside is in the block
    until the block ends.

    >>> from smolml_value import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y._prev
    (9.0, set())
    """
    return Setting(_ENABLED, False, MODE.opened)


def leave(x: Any) -> None:
    """The numbers of a Value or an array are taken to where no derivative follows them."""
    told = LEAVING.get()
    if told is not None:
        told(x)


def record_here() -> None:
    """As `recording`, for the rest of a context (contextvars) of which the caller has a copy."""
    if MODE.special:
        recording().__enter__()


def recording() -> Setting[bool]:
    """Record whatever no_grad blocks are open: transforms need the graph of their function."""
    return Setting(_ENABLED, True)
