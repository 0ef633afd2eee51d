"""Hooks: what guests of the graph, which it knows nothing of, may set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smolml_value.extending import TracedNamespace


class _Hooks:
    """Each is None until a guest sets it.

    Attributes:
        on_read: called with every array whose numbers are read; says which node has them.
        on_move: called before an array moves on to a node; says whether it is not to.
        on_foreign: called with whatever else numbers are read from.
        on_gradient: called before a gradient is read or set, and before a pass; it may raise.
        traced: from the name of a backend to the namespace of its arrays, for rules that are to
            be differentiated.
    """

    __slots__ = ("on_foreign", "on_gradient", "on_move", "on_read", "traced")

    def __init__(self) -> None:
        self.on_read: Callable[[Any], Any] | None = None
        self.on_move: Callable[[Any, Any], bool] | None = None
        self.on_foreign: Callable[[Any], None] | None = None
        self.on_gradient: Callable[[], None] | None = None
        self.traced: Callable[[str], TracedNamespace] | None = None

    # another thread may unset a hook at any time: each is looked up once

    def moved(self, x: Any, node: Any) -> bool:
        on_move = self.on_move
        return on_move is not None and on_move(x, node)

    def foreign_read(self, x: Any) -> None:
        on_foreign = self.on_foreign
        if on_foreign is not None:
            on_foreign(x)

    def gradients_used(self) -> None:
        on_gradient = self.on_gradient
        if on_gradient is not None:
            on_gradient()


HOOKS: Final = _Hooks()
