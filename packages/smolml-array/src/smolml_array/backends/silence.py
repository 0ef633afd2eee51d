"""Silence: how a backend is kept from warning while it computes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any


class Silence:
    """A context (contextvars) in which a backend does not warn.

    Every call runs in a copy of its own, which costs 70 ns, and so at any time, in any thread.

    Args:
        context: the variables that silence the backend, set; empty for one that never warns.
        plain: the backend's functions for use where it is silent. They are quicker: between 0-d
            arrays they may give scalars of another type that operators take, and shapes that do
            not broadcast may raise in others' words.

    Attributes:
        as_array: turns the scalars that `plain` may give for 0-d arrays into raw arrays.
        context: see above.
        enter: makes the context silent in which it is called, a copy of one.
        new: `new().run(f, *args)` is `run(f, *args)` for who counts nanoseconds.
        plain: see above.
    """

    __slots__ = ("as_array", "context", "enter", "new", "plain")

    def __init__(
        self, context: Context, plain: Any, as_array: Callable[[Any], Any] | None = None
    ) -> None:
        self.context: Context = context
        self.new: Callable[[], Context] = context.copy
        settings = [partial(variable.set, value) for variable, value in context.items()]
        # NumPy has one: then nothing of ours is called
        self.enter: Callable[[], Any] = (
            settings[0] if len(settings) == 1 else lambda: [s() for s in settings]
        )
        self.plain: Any = plain
        self.as_array: Callable[[Any], Any] = as_array or _unchanged

    def run(self, f: Callable[..., Any], /, *args: Any) -> Any:
        """f(*args) in silence. f must not read context variables."""
        return self.new().run(f, *args)

    def run_apart(self, f: Callable[..., Any], /, *args: Any) -> Any:
        """f(*args) in silence, in a copy of the caller's context: what it sets is undone."""
        here = copy_context()
        here.run(self.enter)
        return here.run(f, *args)


def _unchanged(x: Any) -> Any:
    return x
