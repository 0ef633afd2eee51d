"""What transforms ask of nodes and of operands: each kind of them has a class of answers.

smolml-value answers for numbers and Values, smolml-array for arrays. Cotangents and tangents come
as numbers (floats for Values, raw arrays for arrays) or, where a graph of them is asked for, as
operands: results of ops on operands, which can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_value.graph import ScalarNode
from smolml_value.node import Node, OperandBase

Cotangent = Any  # a number or an operand of the kind of the node it belongs to
Parts = Sequence[Cotangent | None]  # one for each parent, in the order of `_parents`


class NodeRules:
    """What is asked of the nodes of one kind; these answers do for many of them."""

    def vjp(self, node: Any, g: Cotangent, needs: Sequence[bool]) -> Parts:
        """The cotangents of the parents that need one, given that of `node`, as operands."""
        raise _no_answer(node)

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Cotangent | None:
        """The tangent of `node`, given those of its parents; None stands for zero."""
        raise _no_answer(node)

    def values(self, node: Any) -> Sequence[Any]:
        """The Values that a node stands for, to whoever walks from Value to Value."""
        raise _no_answer(node)

    def plus(self, node: Any, a: Cotangent, b: Cotangent) -> Cotangent:
        """The sum of two cotangents or tangents of `node`."""
        return a + b

    def finalize(self, node: Any, g: Cotangent) -> Cotangent:
        """A cotangent that `plus` put together, in its final form."""
        return g

    def accumulate(self, node: Any, c: Cotangent) -> None:
        """Add numbers to a node's cotangent in the middle of a backward pass."""
        node._receive(c)

    def lift(self, node: Any, number: Any) -> Any:
        """A cotangent or tangent of `node` that is a number, as an operand: a constant."""
        raise _no_answer(node)


class OperandRules:
    """What is asked of the operands of one kind; these answers are those for numbers.

    Attributes:
        is_plain: whether they are numbers without a graph, for which numbers are given back.
    """

    is_plain = False

    def node_of(self, x: Any) -> Node:
        """The node of the graph that an operand stands for; a Value is its own."""
        raise _not_an_operand(x)

    def is_tracked(self, x: Any) -> bool:
        """Whether gradients flow to x."""
        return False

    def alias(self, x: Any) -> Any:
        """A new node with the same numbers, still connected to x where x is in a graph."""
        raise _not_an_operand(x)

    def new_leaf(self, x: Any) -> Any:
        """A new leaf with the same numbers."""
        raise _not_an_operand(x)

    def detach(self, x: Any) -> Any:
        """The same numbers without a graph."""
        return x

    def plain(self, x: Any, y: Any) -> Any:
        """The operand y in the form of x, which is plain; x is None where y is a whole result."""
        raise _not_an_operand(x)

    def shape_of(self, x: Any) -> tuple[int, ...]:
        """The shape of an operand, () for a number."""
        return ()

    def number_of(self, x: Any) -> Any:
        """The numbers of an operand as cotangents and tangents have them."""
        return float(x)

    def full_like(self, x: Any, number: float) -> Any:
        """A constant with the shape of x."""
        raise _not_an_operand(x)

    def inner(self, x: Any, y: Any) -> Any:
        """The sum of the products of the elements."""
        return x * y

    def rows(self, like: Any, walk: Any, ends: list[Any], axis_first: bool) -> list[Any]:
        """What walk(unit) brings to each of the ends from all unit vectors of the space of `like`.

        The axes of `like` come first with axis_first, else those of the end. walk(unit, True) goes
        by way of operands, whatever these are.
        """
        return walk(self.full_like(like, 1.0))  # type: ignore[no-any-return]

    def make_output(self, x: Any, function: Node, index: int, op: str) -> Any:
        """x's numbers as result `index` of a FunctionNode; `op` is what drawings show as its op."""
        raise _not_an_operand(x)

    def sources(self, x: Any) -> tuple[list[Node], Callable[[list[Any]], Any]]:
        """The nodes that hold the gradient of x, and how to get it from theirs (None: zero).

        A window onto an array, for one, shows the gradient of that array.
        """
        return [self.node_of(x)], lambda cotangents: cotangents[0]

    def to_floats(self, x: Any) -> list[float]:
        """The numbers of an operand in C order."""
        return [float(x)]

    def from_floats(self, like: Any, numbers: list[float]) -> Any:
        """A leaf like `like` with other numbers."""
        raise _not_an_operand(like)

    def is_close(self, x: Any, y: Any) -> bool:
        """Whether two operands have the same numbers, up to rounding."""
        a, b = float(x), float(y)
        return a == b or abs(a - b) < 1e-10 * abs(b) or (a != a and b != b)  # inf is near none

    def epsilon(self, x: Any) -> float:
        """The distance from 1 to the next larger number of the type that x computes with."""
        return 2.0**-52


class _Unknown(OperandRules, NodeRules):
    """The answers for numbers that are no floats, and refusals."""


_UNKNOWN: Final = _Unknown()
_rules: dict[type | str, Any] = {}


def register(kind: type | str, rules: NodeRules | OperandRules) -> None:
    """Have `rules` answer for this kind, and for what is derived from it.

    One that need not be installed is given by its name, "numpy.ndarray".
    """
    _rules[kind] = rules


def of(x: Any) -> Any:
    """The answers for a node (NodeRules) or an operand or number (OperandRules)."""
    for kind in type(x).__mro__:
        rules = _rules.get(kind) or _rules.get(f"{kind.__module__}.{kind.__name__}")
        if rules is not None:
            return rules
    return _UNKNOWN


def vjp(node: Node, g: Cotangent, needs: Sequence[bool], create_graph: bool) -> Parts:
    """The cotangents of the parents that need one: operands, or numbers as the node itself says."""
    return of(node).vjp(node, g, needs) if create_graph else node._sends(g, needs)


def jvp(node: Node, tangents: Parts, create_graph: bool) -> Cotangent | None:
    """The tangent of a node, given those of its parents; None stands for zero."""
    return of(node).jvp(node, tangents, create_graph)


def node_of(x: Any) -> Node:
    """The node of the graph that an operand stands for; a Value is its own."""
    return x if isinstance(x, ScalarNode) else of(x).node_of(x)


def nodes_of(outputs: Sequence[Any]) -> list[Node]:
    """Their nodes; of what is no operand one that depends on nothing."""
    return [node_of(y) if isinstance(y, OperandBase) else Node() for y in outputs]


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand, () for a number."""
    return of(x).shape_of(x)  # type: ignore[no-any-return]


def or_zeros(found: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    """What a walk found for operands `like` these, with zeros in place of None."""
    pairs = zip(like, found, strict=True)
    return [of(x).full_like(x, 0.0) if c is None else c for x, c in pairs]


def _no_answer(node: object) -> TypeError:
    return TypeError(
        f"{type(node).__name__}: this kind of node cannot be differentiated; its rules must be "
        f"registered with smolml_value.extending.derivatives"
    )


def _not_an_operand(x: object) -> TypeError:
    return TypeError(f"expected a float, Value or MLArray, got a {type(x).__name__}")
