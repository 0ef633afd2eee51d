"""Node and OperandBase: what the graph is made of, and what ops can be applied to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from smolml_value._runtime.compat import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Node:
    """What the graph is made of. A node has parents and can push its cotangent to them.

    The backward pass calls the underscored methods in this order: `_begin` (first reached),
    `_seed` (the root only), `_push` (its cotangent is complete, and it has parents), then
    `_commit`, or `_abort` if the pass failed.
    """

    __slots__ = ()

    def _parents(self) -> Sequence[Node]:
        """The nodes that get a part of this node's cotangent, one entry per edge."""
        return ()

    def _backward_alone(self) -> bool:
        """The whole pass, if all it would reach is of this node's kind; else False, and nothing."""
        return False

    def _begin(self) -> None:
        """A pass reached this node: start from a zero cotangent, remember what must come back."""

    def _seed(self) -> None:
        """This node is the root: its cotangent is one."""

    def _push(self) -> None:
        """Add cotangent x partial to the cotangent of each parent."""

    def _commit(self) -> None:
        """The pass succeeded: add its cotangent to a leaf's gradient."""

    def _abort(self) -> None:
        """The pass failed: everything is as it was before `_begin`."""


@mypyc_attr(allow_interpreted_subclasses=True)
class OperandBase(Node):
    """What an op can be applied to besides plain numbers; `Value` is one.

    When operands of several kinds meet, the one of the highest `_rank` applies the op.
    """

    __slots__ = ()
    _rank: ClassVar[int] = 0

    @classmethod
    def _apply(cls, op: Any, args: Sequence[object]) -> Any:
        """The result of the Op on `args`, of which at least one is a `cls`."""
        raise NotImplementedError
