"""Mode: what with blocks set for a thread or a task; no interrupt leaves one open.

Ctrl-C may come wherever a function of ours begins, also at the `__exit__` that was to put a mode
back. So nothing is put back: a block holds while its lock is held, and what the with statement
calls in the end is the lock's own method, in C. Blocks may end in any order, and be entered twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Block(Generic[T]):
    """One with statement: it holds while its lock is held."""

    __slots__ = ("by_hand", "entered", "lock", "outer", "setting", "thread")

    def __init__(self, setting: Setting[T], outer: Block[T] | None) -> None:
        self.setting = setting
        self.outer = outer
        self.entered = False
        self.by_hand = False  # entered by who calls `__enter__`, and will call `__exit__`
        self.lock = threading.Lock()
        self.thread = threading.get_ident()


class Mode(Generic[T]):
    """A setting that blocks make, in the context (contextvars) that they are opened in.

    Args:
        name: of the context variable.
        otherwise: what holds outside of all blocks.
    """

    def __init__(self, name: str, otherwise: T) -> None:
        self.otherwise: T = otherwise
        self.latest: ContextVar[Block[T] | None] = ContextVar(name, default=None)

    def innermost(self, of: Setting[T] | None = None) -> Block[T] | None:
        """The innermost block that is open here; of one setting, if it is given."""
        block = self.latest.get()
        while block is not None and not (block.lock.locked() and of in (None, block.setting)):
            block = block.outer
        return block

    def get(self) -> T:
        """What holds here."""
        block = self.innermost()
        return self.otherwise if block is None else block.setting.new


class _Exit:
    """The `__exit__` of a Setting: for a with statement the method of a lock."""

    @overload
    def __get__(self, setting: None, kind: Any) -> Callable[..., None]: ...
    @overload
    def __get__(self, setting: Setting[Any], kind: Any) -> Callable[[Any, Any, Any], None]: ...
    def __get__(self, setting: Any, kind: Any) -> Any:
        if setting is None:
            return kind.close
        block = setting.mode.innermost(setting)
        return (block if block is not None and block.by_hand else setting.prepared()).lock.__exit__


class Setting(ContextDecorator, Generic[T]):
    """What holds in a with block, or while a function runs that it decorates.

    Args:
        mode: of what.
        new: what holds.
        opened: told of each block that opens, before it counts.
    """

    __exit__ = _Exit()

    def __init__(
        self, mode: Mode[T], new: T, opened: Callable[[Block[T]], None] | None = None
    ) -> None:
        self.mode = mode
        self.new = new
        self.opened = opened

    def prepared(self) -> Block[T]:
        """A block that is about to be entered; a with statement looks for its exit before."""
        block = Block(self, self.mode.innermost())
        self.mode.latest.set(block)
        return block

    def __enter__(self) -> None:
        block = self.mode.latest.get()
        if block is None or block.setting is not self or block.entered:
            block = self.prepared()
            block.by_hand = True
        block.entered = True
        try:
            block.lock.acquire()
            if self.opened is not None:
                self.opened(block)
        except BaseException:
            if block.lock.locked():
                block.lock.release()
            raise

    def close(self, *exception: object) -> None:
        """End the innermost block, for who does not use the with statement: an ExitStack."""
        block = self.mode.innermost(self)
        if block is not None:
            block.lock.release()
