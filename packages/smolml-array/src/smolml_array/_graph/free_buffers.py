"""What a backward pass lets go of: large buffers that no rule reads and nobody can see.

Of `(x @ w + b).relu()` only the end has a handle. The nodes between are held by the one node that
used them, so their cotangents are of no use once they have been sent on, and their numbers only if
a rule reads them; that of relu reads its own result. CPython says who holds a node; elsewhere
everything is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OUT, Rule, is_own
from smolml_array.backends.signatures import references
from smolml_value import Op, scalar

LARGE = 2**15
"""Elements from which looking for what can go is worth its time."""


def _held_once(operands: Sequence[Any]) -> int:
    """What `references` says of a node that nobody but these operands holds."""
    for node in operands:
        return references(node)
    return 0


_ONCE = _held_once([object()])


def release(root: ArrayNode) -> set[ArrayNode]:
    """Let go of the numbers that will not be read, in all that led to `root`.

    Returns:
        The nodes that only one other node holds: nobody can see them.
    """
    kind = root.__class__
    hidden: set[ArrayNode] = set()
    reached = {root}
    nodes = [root]
    for node in nodes:  # which grows
        i = -1
        for parent in node.operands:  # and not enumerate, which would hold it too
            i += 1
            if parent.__class__ is not kind or parent.rule is None or parent in reached:
                continue
            if parent.raw.size >= LARGE and references(parent) == _ONCE:
                hidden.add(parent)
                parent.hide()
                if not reads(node.rule, i) and not reads(parent.rule, OUT):
                    stand_in = node.backend.placeholder(parent.raw)
                    node.primals = [stand_in if j == i else p for j, p in enumerate(node.primals)]
                    parent.raw = parent.out = stand_in
            reached.add(parent)
            nodes.append(parent)
    return hidden


class Absent:
    """Stands for something that must not be read: whatever is done with it raises."""

    __slots__ = ("said",)

    def __init__(self, said: str) -> None:
        self.said: str = said

    def _refuse(self, *args: object) -> Any:
        raise TypeError(self.said)

    __bool__ = __eq__ = __ne__ = __lt__ = __gt__ = __float__ = __iter__ = _refuse
    __hash__ = __reduce_ex__ = _refuse  # the others are not there

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(self.said)

    def __repr__(self) -> str:
        return "<not asked for>"


def reads(rule: Op | Rule | None, i: int) -> bool:
    """Whether the rules of `rule` read more of operand i (or OUT: the result) than its shape."""
    if not isinstance(rule, Op):
        return rule is None or i not in rule.not_saved
    known: bool | None = rule._derived.get(("reads", i))
    if known is None:
        known = rule._derived["reads", i] = _reads(rule, i)
    return known


def _reads(rule: Op, i: int) -> bool:
    if rule.partials is None or not is_own(rule):
        return True
    numbers: list[Any] = [0.5] * (rule.arity + 1)  # the result and the operands
    numbers[i + 1] = Absent("absent")
    try:
        for partial in rule.partials:
            if callable(partial) and isinstance(partial(scalar, *numbers), Absent):
                return True
    except Exception:
        return True
    return False
