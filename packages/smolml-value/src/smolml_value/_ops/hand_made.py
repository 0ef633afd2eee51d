"""HandMade: how a node was made that somebody made by hand, with a `_backward` of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from smolml_value._runtime.labels import set_label
from smolml_value.errors import GraphError
from smolml_value.graph import LOCK, ScalarNode
from smolml_value.node import Node

Backward = Callable[[], None]


class HandMade:
    """What stands in a Value in place of an op: the children, a symbol, and one step back.

    Attributes:
        symbol: what `_op` and drawings show.
        children: the Values that it was made from, each once.
        backward: adds what each child gets to its `grad`; None until somebody sets it.
    """

    __slots__ = ("backward", "children", "symbol")

    def __init__(self, children: Iterable[Any], symbol: str) -> None:
        self.children: Final = tuple(dict.fromkeys(children))
        self.symbol: Final = symbol
        self.backward: Backward | None = None

    def step(self) -> None:
        """Add to the children's gradients, as its author says.

        Raises:
            GraphError: nobody has said how.
        """
        if self.backward is None:
            raise GraphError(
                f"backward: a Value was made by hand ({self.symbol or 'no op'}), and nobody says "
                f"what its children get; set out._backward to a function that adds to their grad"
            )
        self.backward()


def added(v: Any, children: Sequence[Any], step: Backward) -> list[float]:
    """What a step adds to the grad of each child of `v` if v's own is one; all stays as it is."""
    with LOCK:  # a pass of another thread may be at the same children
        own, before = v.grad, [child.grad for child in children]
        try:
            v.grad = 1.0
            for child in children:
                child.grad = 0.0
            step()
            return [child.grad for child in children]
        finally:
            v.grad = own
            for child, grad in zip(children, before, strict=True):
                child.grad = grad


def given(v: Node, children: object, op: object, label: object) -> HandMade | None:
    """How a Value was made that was given these; None for a leaf. A label is set.

    Raises:
        TypeError: children that are no Values, an op or a label that is no str.
        ValueError: an op without children, or two labels.
    """
    if isinstance(children, str):
        if children and label != "":
            raise ValueError(f"Value: two labels, {children!r} and {label!r}")
        label, children = label or children, ()
    if label != "":
        set_label(v, label)
    if not isinstance(op, str):
        raise TypeError(f"Value: the op must be a str, such as 'tanh', got {type(op).__name__}")
    if not isinstance(children, tuple | list | set | frozenset):
        kind = type(children).__name__
        raise TypeError(f"Value: label must be a str, got {kind}; one child is written (x,)")
    for child in children:
        if not isinstance(child, ScalarNode):
            kind = type(child).__name__
            raise TypeError(f"Value: a child must be a Value (of an array x.data[0]), got {kind}")
    if op and not children:
        raise ValueError(f"Value: the op {op!r} needs children: Value(data, (x, y), {op!r})")
    return HandMade(children, op) if children else None
