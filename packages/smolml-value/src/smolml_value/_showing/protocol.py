"""What drawings and explanations ask of nodes; each kind of node registers its own answers.

Every question is dispatched on the type of its first argument, by functools. `values` answers
for Values, smolml-array for arrays, so that neither needs to be known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any, NamedTuple

from smolml_value._showing.numerals import numeral
from smolml_value.node import Node

Shape = tuple[int, ...]


class Look(NamedTuple):
    """What is shown of a node.

    Attributes:
        op: the symbol of what made it; "" for a leaf.
        label: the name that the user gave it, or "".
        data: its numbers as a short text, in lines; words in braces ("{all} 0"; see
            `translations`).
        grad: its gradient as a short text.
        size: the largest |gradient|.
        shape: the shape of an array; None for a number.
        more: lines with all that a tooltip can hold.
        title: what stands in place of a label where there is none ("x[0, 1]", say).
        is_function: whether it is no number but a function's rule (see FunctionNode).
        ordered: whether the order of its operands matters.
    """

    op: str
    label: str
    data: str
    grad: str
    size: float
    shape: Shape | None = None
    more: str = ""
    title: str = ""
    is_function: bool = False
    ordered: bool = True


class Constant(NamedTuple):
    """An operand that is no node: a plain number, or an array that nothing flows to.

    Attributes:
        text: its numbers as a short text.
        key: what tells the same constant array used twice; None: each use is shown alone.
        shape: the shape of an array; None for a number.
        number: the number, if it is one.
    """

    text: str
    key: int | None = None
    shape: Shape | None = None
    number: float | None = None


class Part(NamedTuple):
    """How a cotangent gets from a node to one of its parents.

    Attributes:
        formula: the local partial, in terms of the operands, or what is done to the cotangent.
        is_partial: whether `formula` is the partial, with which the cotangent is multiplied.
        partial: the partial as a number or array; None where it is none or is not known.
        note: what else happens on the way ("summed", "each", ...; see `words`), or "".
        details: what the note speaks of: a shape, a position.
    """

    formula: str
    is_partial: bool
    partial: Any = None
    note: str = ""
    details: str = ""


class Anatomy(NamedTuple):
    """How a Value was made, down to single numbers.

    Attributes:
        made_by: the op or rule; None for a leaf.
        operands: the Values, and between them numbers for constants.
        partials: one for each operand; that of a constant does not count.
    """

    made_by: Any
    operands: Sequence[Any] = ()
    partials: Sequence[float] = ()


Namer = Callable[[Node | Constant], str]


@singledispatch
def look(node: Node) -> Look:
    """What is shown of a node."""
    return Look(type(node).__name__, "", "", "", 0.0)


@singledispatch
def tag(node: Node) -> tuple[str, str]:
    """The symbol of what made a node and its label, for the many nodes that are only counted."""
    return type(node).__name__, ""


def operands(node: Node) -> Sequence[Node | Constant]:
    """What a node was made from, in order; its parents among them in the order of `_parents`."""
    return [x if isinstance(x, Node) else constant(node, x) for x in node._operands()]


@singledispatch
def constant(node: Node, x: Any) -> Constant:
    """An operand of the node that is none itself."""
    return Constant(numeral(x), number=x)


@singledispatch
def expression(node: Node, args: Sequence[str]) -> str:
    """How the node was computed, in terms of the names of its operands."""
    return f"{look(node).op}({', '.join(args)})"


@singledispatch
def parts(node: Node, namer: Namer) -> Sequence[Part | None]:
    """How a cotangent gets to each of the parents, in their order; None: not at all."""
    return [Part("", False)] * len(node._parents())


@singledispatch
def filled(node: Node, number: float) -> Any:
    """A cotangent of the node that is this number all over."""
    return number


@singledispatch
def held(node: Node) -> Any:
    """The gradient that the node has now, as its cotangents are shown."""
    return float(getattr(node, "grad", 0.0))


@singledispatch
def shown(node: Node, number: Any) -> Any:
    """A cotangent of a node, or a partial, as the user gets it: a float, or an array."""
    return number


@singledispatch
def short(number: Any) -> str:
    """What `shown` gave as a short text."""
    return numeral(number, 6) if isinstance(number, float | int) else str(number)


@singledispatch
def handles(x: Any) -> Sequence[Any]:
    """What x is known by in a graph: its node, or the numbers of a constant."""
    return (x,) if isinstance(x, Node) else ()


def named(names: Mapping[str, Any] | None) -> dict[int, str]:
    """By identity the names that a user gives, as in names=locals()."""
    found: dict[int, str] = {}
    for name, x in (names or {}).items():
        if not name.startswith("_"):
            for handle in handles(x):
                found.setdefault(id(handle), name)
    return found


@singledispatch
def anatomy(v: Any) -> Anatomy:
    """How a Value was made, as if every Value had been computed by itself."""
    return Anatomy(None)


@singledispatch
def called(v: Any, names: Mapping[int, str]) -> str:
    """What a Value is called: its label, or the name given to it or to what it is part of."""
    return v.label or names.get(id(v), "")


@singledispatch
def is_nonzero(number: Any) -> bool:
    """Whether what `shown` gave is anything but zero."""
    return bool(number != 0.0)
