"""Node and OperandBase: what the graph is made of, how it is walked, what ops can be applied to."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, ClassVar, Final

from smolml_value._runtime.compat import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Node:
    """What the graph is made of. A node has parents and can push its cotangent to them.

    The backward pass calls the underscored methods in this order: `_begin` (first reached),
    `_seed` (the root only), `_push` (its cotangent is complete, and it has parents: each of them
    does `_receive` its part), then `_commit`, or `_abort` if the pass failed.
    """

    __slots__ = ()

    def _parents(self) -> Sequence[Node]:
        """The nodes that get a part of this node's cotangent, one entry per edge."""
        return ()

    def _operands(self) -> Sequence[Any]:
        """What it was made from, in order: its parents, and between them numbers for constants."""
        return self._parents()

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        """What each parent gets of a cotangent g, as numbers; None: nothing, or nobody needs it."""
        raise TypeError(
            f"{type(self).__name__}: this kind of node cannot be differentiated; it must say what "
            f"its `_cotangents` are"
        )

    def _sends(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        """The same, as a walk adds it up: in what forms the parents' kind takes it."""
        return self._cotangents(g, needs)

    def _add_to_grad(self, c: Any) -> None:
        """Add numbers to the gradient that the user sees, as `Value._backward` does by hand."""
        raise TypeError(f"{type(self).__name__}: this kind of node has no gradient")

    def _begin(self) -> None:
        """A pass reached this node: start from a zero cotangent, remember what must come back."""

    def _seed(self) -> None:
        """This node is the root: its cotangent is one."""

    def _receive(self, c: Any) -> None:
        """Add a number of its kind to its cotangent, in the middle of a pass."""
        raise TypeError(f"{type(self).__name__}: this kind of node receives no cotangents")

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
    _takes_arrays: ClassVar[bool] = False  # those of other libraries, too

    @classmethod
    def _apply(cls, op: Any, args: Sequence[object]) -> Any:
        """The result of the Op on `args`, of which at least one is a `cls`."""
        raise NotImplementedError


BUILT_IN: Final[dict[str, Any]] = {}
"""The built-in ops by name. `table` fills it, before there are operands to apply them to: what
nodes are and how they are walked does not depend on which ops there are."""


def product(g: float, partial: float) -> float:
    """cotangent x partial; zero if either is, even where the other is inf or nan."""
    return g * partial if g != 0.0 and partial != 0.0 else 0.0


def topological(
    roots: Sequence[Node],
    stop: Container[int] = (),
    before: Callable[[Any], Iterable[Any]] | None = None,
) -> list[Node]:
    """All nodes that the roots depend on, each once, parents first.

    Those whose ids are in `stop` are left out, with what is reached through them alone. `before`
    says what comes before a node, if it is not its parents; the last of these goes first.
    """
    order: list[Node] = []
    settled: dict[int, bool] = {}  # id of a node -> whether its parents have their place
    stack = list(roots)
    while stack:
        node = stack.pop()
        key = id(node)
        if key not in settled:
            if key not in stop:
                settled[key] = False
                stack.append(node)  # once more: it is met again when its parents are done
                stack.extend(node._parents() if before is None else before(node))
        elif not settled[key]:
            settled[key] = True
            order.append(node)
    return order
