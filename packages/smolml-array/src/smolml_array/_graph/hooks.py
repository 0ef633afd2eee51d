"""Hooks: what guests of the graph, which it knows nothing of, may set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smolml_value.extending import TracedNamespace


class _Hooks:
    """Each is None until a guest sets it.

    Attributes:
        on_read: called with every array whose numbers are read, while somebody wants to know.
        on_gradient: called before a gradient is read; it may raise.
        traced: from the name of a backend to the namespace of its arrays, for rules that are to
            be differentiated.
        html: what a notebook shows of an array.
    """

    __slots__ = ("html", "on_gradient", "on_read", "traced")

    def __init__(self) -> None:
        self.on_read: Callable[[Any], None] | None = None
        self.on_gradient: Callable[[], None] | None = None
        self.traced: Callable[[str], TracedNamespace] | None = None
        self.html: Callable[[Any], str] | None = None


HOOKS: Final = _Hooks()
