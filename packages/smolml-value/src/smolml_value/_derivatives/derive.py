"""What transforms ask of nodes and operands; each kind of them registers its own answers.

Every question is dispatched on the type of its first argument. `_derivatives` answers for Values,
smolml-array for arrays. Cotangents and tangents come as numbers (floats for Values, raw arrays
for arrays) or as operands: results of ops on operands, which can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

from smolml_value.graph import ScalarNode
from smolml_value.node import Node, OperandBase

Cotangent = Any  # a number or an operand of the kind of the node it belongs to
Parts = Sequence[Cotangent | None]  # one for each parent, in the order of `_parents`


# Of nodes --------------------------------------------------------------------------------------


@singledispatch
def pull_operands(node: Node, g: Cotangent, needs: Sequence[bool]) -> Parts:
    """The cotangents of the parents that need one, given that of `node`, as operands."""
    raise _no_answer(node)


@singledispatch
def push_numbers(node: Node, tangents: Parts) -> Cotangent | None:
    """The tangent of `node`, given those of its parents, as a number; None stands for zero."""
    raise _no_answer(node)


@singledispatch
def push_operands(node: Node, tangents: Parts) -> Cotangent | None:
    """The tangent of `node`, given those of its parents, as an operand; None stands for zero."""
    raise _no_answer(node)


def _no_answer(node: Node) -> TypeError:
    return TypeError(
        f"{type(node).__name__}: this kind of node cannot be differentiated; it must register "
        f"answers with smolml_value._derivatives.derive"
    )


@singledispatch
def plus(node: Node, a: Cotangent, b: Cotangent) -> Cotangent:
    """The sum of two cotangents or tangents of `node`."""
    return a + b


@singledispatch
def gathered(node: Node, g: Cotangent) -> Cotangent:
    """A cotangent that `plus` put together, in its final form."""
    return g


@singledispatch
def receive(node: Node, c: Cotangent) -> None:
    """Add an operand's numbers to a node's cotangent in the middle of a backward pass."""
    raise _no_answer(node)


@singledispatch
def operand(node: Node, number: Any) -> Any:
    """A constant of the kind of `node` from a cotangent or tangent that is a number."""
    raise _no_answer(node)


# Of operands -----------------------------------------------------------------------------------


@singledispatch
def _node_of(x: Any) -> Node:
    raise _not_an_operand(x)


def node_of(x: Any) -> Node:
    """The node of the graph that an operand stands for; a Value is its own."""
    return x if isinstance(x, ScalarNode) else _node_of(x)


@singledispatch
def is_tracked(x: Any) -> bool:
    """Whether gradients flow to x."""
    return isinstance(x, OperandBase)


@singledispatch
def fresh(x: Any) -> Any:
    """A new node with the same numbers, still connected to x where x is in a graph."""
    raise _not_an_operand(x)


@singledispatch
def leaf(x: Any) -> Any:
    """A new leaf with the same numbers."""
    raise _not_an_operand(x)


@singledispatch
def constant(x: Any) -> Any:
    """The same numbers without a graph."""
    return x


@singledispatch
def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand, () for a number."""
    return ()


@singledispatch
def number_of(x: Any) -> Any:
    """The numbers of an operand as cotangents and tangents have them."""
    return float(x)


@singledispatch
def full_like(x: Any, number: float) -> Any:
    """A constant with the shape of x."""
    raise _not_an_operand(x)


@singledispatch
def basis(x: Any) -> list[Any]:
    """The unit vectors of the space of x, in C order."""
    raise _not_an_operand(x)


@singledispatch
def inner(x: Any, y: Any) -> Any:
    """The sum of the products of the elements."""
    return x * y


@singledispatch
def assembled(like: Any, rows: list[Any], axis_first: bool, other: Any) -> Any:
    """Rows, one for each element of `like`, as one array if that is what `like` is.

    With axis_first the axes of `like` come first, then those of `other`; else the other way.
    """
    return rows[0]


@singledispatch
def part_of(x: Any, hub: Node, index: int, op: str) -> Any:
    """x's numbers as result `index` of a hub; `op` is what a drawing shows as its op."""
    raise _not_an_operand(x)


@singledispatch
def sources(x: Any) -> tuple[list[Node], Callable[[list[Any]], Any]]:
    """The nodes that hold the gradient of x, and how to get it from theirs (None: zero).

    A window onto an array, for one, shows the gradient of that array.
    """
    return [node_of(x)], lambda cotangents: cotangents[0]


@singledispatch
def to_floats(x: Any) -> list[float]:
    """The numbers of an operand in C order."""
    return [float(x)]


@singledispatch
def from_floats(like: Any, numbers: list[float]) -> Any:
    """A leaf like `like` with other numbers."""
    raise _not_an_operand(like)


@singledispatch
def is_close(x: Any, y: Any) -> bool:
    """Whether two operands have the same numbers, up to rounding."""
    a, b = float(x), float(y)
    return a == b or abs(a - b) <= 1e-10 * abs(b) or (a != a and b != b)


@singledispatch
def epsilon(x: Any) -> float:
    """The distance from 1 to the next larger number of the type that x computes with."""
    return 2.0**-52


def _not_an_operand(x: object) -> TypeError:
    return TypeError(f"expected a float, Value or MLArray, got a {type(x).__name__}")
