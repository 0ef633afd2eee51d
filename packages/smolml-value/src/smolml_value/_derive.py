"""What transforms ask of nodes and operands; other kinds of node register their own answers.

The functions below dispatch on the type of their first argument. The answers here are those of
Values; smolml-array registers its own for arrays. Cotangents and tangents are operands of the
graph themselves (results of ops on operands), so all that is computed with them can be
differentiated again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

from smolml_value import table
from smolml_value._graph import Node
from smolml_value._op import Op, OperandBase, elementwise
from smolml_value.traced import TRACED
from smolml_value.value import NaryValue, Value

Cotangent = Any  # an operand of the kind of the node it belongs to, or a plain number
Pullback = Callable[[Any], Sequence[Any]]


# Of nodes --------------------------------------------------------------------------------------


@singledispatch
def pull(node: Node, g: Cotangent) -> Sequence[Cotangent | None]:
    """The cotangents of the parents of `node` (in the order of `_parents`), given its own."""
    raise TypeError(f"{type(node).__name__} registers no derivative")


@singledispatch
def push_tangent(node: Node, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    """The tangent of `node`, given those of its parents; None stands for zero."""
    raise TypeError(f"{type(node).__name__} registers no derivative")


# Of operands -----------------------------------------------------------------------------------


@singledispatch
def node_of(x: OperandBase) -> Node:
    """The node of the graph that an operand stands for."""
    return x


@singledispatch
def fresh(x: Any) -> Any:
    """A new node with the same numbers, still connected to x where x is in a graph."""
    raise TypeError(f"cannot differentiate with respect to {type(x).__name__}")


@singledispatch
def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand, () for a scalar."""
    return ()


@singledispatch
def full_like(x: Any, number: float) -> Any:
    """A constant with the shape of x."""
    return Value(number)


@singledispatch
def constant(x: Any) -> Any:
    """The same numbers without a graph."""
    return x


@singledispatch
def basis(x: Any) -> list[Any]:
    """The unit vectors of the space of x, in C order."""
    return [Value(1.0)]


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
def with_pullback(x: Any, parents: Sequence[Any], pullback: Pullback) -> Any:
    """x's numbers as a node whose parents and derivative are given."""
    raise TypeError(f"cannot give {type(x).__name__} a derivative")


@singledispatch
def to_numbers(x: Any) -> list[float]:
    """The numbers of an operand in C order."""
    return [float(x)]


@singledispatch
def from_numbers(like: Any, numbers: list[float]) -> Any:
    """An operand like `like` with other numbers."""
    return numbers[0]


# Values ----------------------------------------------------------------------------------------


def operands_of(v: Value) -> tuple[object, ...]:
    """What the op of v was applied to, constants included."""
    if isinstance(v, NaryValue):
        return v._args
    op = v._made_by
    if not isinstance(op, Op):
        return ()
    left: object = v._lhs if v._lhs is not None else v._dl
    right: object = v._rhs if v._rhs is not None else v._dr
    return (left,) if op.arity == 1 else (left, right)


def product(g: Any, p: Any) -> Any:
    """cotangent x partial, where a cotangent of zero gives zero whatever the partial is."""
    if isinstance(p, float | int) and p == 1:
        return g
    if isinstance(p, float | int) and p == -1:
        return -g
    if float(g) == 0.0 and not math.isfinite(p):
        return Value(0.0)
    return g * p


def _partials(v: Value, g: Any) -> list[tuple[object, Any]]:
    """Each operand of v with its part of the cotangent g."""
    op = v._made_by
    assert isinstance(op, Op)
    args = operands_of(v)
    if op.vjp is not None:
        return list(zip(args, op.vjp(TRACED, g, v, *args), strict=True))
    assert op.partials is not None
    parts: list[tuple[object, Any]] = []
    for arg, rule in zip(args, op.partials, strict=True):
        if rule is None or not isinstance(arg, Value):
            parts.append((arg, None))
        else:
            parts.append((arg, product(g, rule(TRACED, v, *args) if callable(rule) else rule)))
    return parts


@pull.register
def _(v: Value, g: Cotangent) -> Sequence[Cotangent | None]:
    if v._made_by is None:
        return ()
    return [c for arg, c in _partials(v, g) if isinstance(arg, Value)]


@push_tangent.register
def _(v: Value, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    known = iter(tangents)
    total: Any = None
    for arg, partial in _partials(v, Value(1.0)):
        if not isinstance(arg, Value):
            continue
        t = next(known)
        if t is not None and partial is not None:
            term = product(t, partial)
            total = term if total is None else total + term
    return total


@fresh.register
def _(x: Value) -> Value:
    return table.positive(x)


@fresh.register
def _(x: float) -> Value:
    return Value(x)


@constant.register
def _(x: Value) -> Value:
    return Value(x.data, x.label)


@to_numbers.register
def _(x: Value) -> list[float]:
    return [x.data]


@from_numbers.register
def _(like: Value, numbers: list[float]) -> Value:
    return Value(numbers[0])


class CustomValue(Value):
    """A Value whose parents and derivative were given (custom_vjp, checkpoint)."""

    __slots__ = ("_inputs", "_pullback")

    def __init__(self, data: float, inputs: Sequence[Any], pullback: Pullback) -> None:
        super().__init__(data)
        self._inputs = tuple(inputs)
        self._pullback = pullback
        self._made_by = _CUSTOM

    def _parents(self) -> Sequence[Node]:
        return [node_of(x) for x in self._inputs]

    def _push(self) -> None:
        for x, c in zip(self._inputs, self._pullback(Value(self._grad)), strict=True):
            if c is not None:
                receive(node_of(x), c)


_CUSTOM = elementwise("custom", lambda xp, *xs: xs[0])  # shown as what made a CustomValue


@with_pullback.register
def _(x: Value, parents: Sequence[Any], pullback: Pullback) -> Value:
    return CustomValue(x.data, parents, pullback)


@pull.register
def _(v: CustomValue, g: Cotangent) -> Sequence[Cotangent | None]:
    return v._pullback(g)


@push_tangent.register
def _(v: CustomValue, tangents: Sequence[Cotangent | None]) -> Cotangent | None:
    return transposed(Value(0.0), v._pullback, tangents)


@singledispatch
def receive(node: Node, c: Cotangent) -> None:
    """Add a cotangent to a node in the middle of a backward pass."""
    raise TypeError(f"{type(node).__name__} takes no cotangent")


@receive.register
def _(node: Value, c: Cotangent) -> None:
    node._grad += float(c)


def transposed(g: Any, pullback: Pullback, tangents: Sequence[Cotangent | None]) -> Any:
    """J t from the pullback g -> J' g alone: it is linear in g, and its transpose is J.

    `g` is any point of the space of cotangents (Griewank & Walther 2008, section 3.3).
    """
    from smolml_value.transforms import gradients  # it is made of the functions above

    seed = fresh(g)
    total: Any = None
    for c, t in zip(pullback(seed), tangents, strict=True):
        if c is not None and t is not None:
            term = inner(c, t)
            total = term if total is None else total + term
    return None if total is None else gradients(total, [seed])[0]
