"""How transforms see numbers and Values: the same partials as backward, as numbers or operands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from smolml_value import table
from smolml_value._derivatives import rules
from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.rules import NodeRules, OperandRules, Parts, of
from smolml_value._ops.fused_rules import PARTIALS
from smolml_value.errors import GraphError, NoDerivativeError
from smolml_value.fused import FusedValue
from smolml_value.graph import CUT_OFF
from smolml_value.node import Node, product
from smolml_value.op import Op, elementwise
from smolml_value.recording import MODE
from smolml_value.traced import TRACED
from smolml_value.value import NaryValue, Value, make_node


class NumberRules(OperandRules):
    """The answers for floats."""

    is_plain = True

    def plain(self, x: float | None, y: Any) -> Any:
        return float(y) if rules.shape_of(y) == () else of(y).detach(y)

    def alias(self, x: float) -> Value:
        return Value(x)

    def new_leaf(self, x: float) -> Value:
        return Value(float(x))

    def full_like(self, x: float, number: float) -> Value:
        return Value(number)

    def from_floats(self, like: float, numbers: list[float]) -> Any:
        return numbers[0]


class ValueRules(NumberRules, NodeRules):
    """The answers for Values, as nodes and as operands."""

    is_plain = False

    def node_of(self, x: Value) -> Node:
        return x

    def is_tracked(self, x: Value) -> bool:
        return True

    def alias(self, x: Any) -> Value:
        return make_node(table.positive, x._data, x, None, 1.0, 0.0)

    def detach(self, x: Value) -> Value:
        made = Value(x._data, x.label)
        made._dr = CUT_OFF
        return made

    def from_floats(self, like: Any, numbers: list[float]) -> Value:
        return Value(numbers[0])

    def make_output(self, x: Value, function: Any, index: int, op: str) -> Value:
        return FunctionOutput(x._data, function, index, _shown_as(op))

    def lift(self, node: Value, number: float) -> Value:
        return Value(number)

    def values(self, node: Value) -> Sequence[Value]:
        return (node,)

    def vjp(self, node: Value, g: Value, needs: Sequence[bool]) -> Parts:
        op = _op_of(node)
        if op.vjp is not None and not isinstance(node, FusedValue):
            out, args = _traced(node)
            parts = op.vjp(TRACED, g, out, *args)
            return [
                Value(c) if isinstance(c, float | int) else c
                for c, a in zip(parts, args, strict=True)
                if isinstance(a, Value)
            ]
        return [None if p is None else _product(g, p) for p in _partials(node, op, needs)]

    def jvp(self, node: Value, tangents: Parts, create_graph: bool) -> Any:
        needs = [t is not None for t in tangents]
        partials: Sequence[Any] = (
            _partials(node, _op_of(node), needs) if create_graph else [p for _, p in node._edges()]
        )
        times: Any = _product if create_graph else product
        total: Any = None
        for t, p in zip(tangents, partials, strict=True):
            if t is not None and p is not None:
                term = times(t, p)
                total = term if total is None else total + term
        return total


def _op_of(node: Value) -> Op:
    """The op that made a Value, whose partials can be differentiated.

    Raises:
        NoDerivativeError: it was made by hand.
    """
    if isinstance(node._made_by, Op):
        return node._made_by
    raise NoDerivativeError(
        f"a Value was made by hand ({node._op or 'no op'}), and its _backward gives numbers: there "
        f"is no second derivative through it; make it by an op of smolml_value.elementwise"
    )


def pinned(x: Any, number: float) -> Any:
    """x with the number it had: a Value's data may have been set since."""
    if not isinstance(x, Value):
        return number  # a constant, as it was understood
    if x._data == number or (math.isnan(x._data) and math.isnan(number)):
        return x
    return make_node(table.positive, float(number), x, None, 1.0, 0.0)


def _traced(v: Value) -> tuple[Value, Sequence[Any]]:
    """v and its operands, to run rules on: at the numbers it was made with, if these are kept."""
    if not isinstance(v, NaryValue):
        return v, v._operands()
    *numbers, out = v._numbers
    return pinned(v, out), [pinned(a, x) for a, x in zip(v._args, numbers, strict=True)]


def _partials(v: Value, op: Op, needs: Sequence[bool]) -> list[Any]:
    """The partials to the parents of v, as operands or numbers; None for zero and if not needed."""
    out, args = _traced(v)
    every: Sequence[Any] = op.partials or ()
    if isinstance(v, FusedValue):
        every = PARTIALS[op](TRACED, out, *args)
    elif op.vjp is not None:
        every = op.vjp(TRACED, Value(1.0), out, *args)
    found: list[Any] = []
    edges: Sequence[tuple[Any, float]] = ()
    for i, a in enumerate(args):
        if not isinstance(a, Value):
            continue
        k = len(found)
        p = every[i] if needs[k] else None
        if callable(p):
            p = _applied(p, out, args)
        elif isinstance(p, float | int) and not isinstance(v, FusedValue):
            found.append(p or None)
            continue
        if p is not None and not isinstance(v, NaryValue):
            edges = edges or v._edges()
            _check_unchanged(op, float(p), edges[k][1])
        # nothing flows through a zero that is a number, and nothing that could be differentiated
        found.append(None if isinstance(p, float | int) and p == 0 else p)
    return found


def _applied(rule: Any, out: Value, args: Sequence[Any]) -> Any:
    try:
        return rule(TRACED, out, *args)
    except ArithmeticError:  # Python's own 1 / c of a constant; a Value's is inf
        return rule(TRACED, out, *(a if isinstance(a, Value) else Value(a) for a in args))


def _check_unchanged(op: Op, now: float, stored: float) -> None:
    """Raise where the numbers have been changed since the partial was stored.

    A Value of two operands keeps its partials, not the numbers they came from, so derivatives of
    higher order at those are out of reach.
    """
    same = now == stored or abs(now - stored) < 1e-9 * abs(stored) or math.isnan(stored)
    if not same:
        raise GraphError(
            f"{op.name}: the data of an operand was set after the op was recorded (its partial "
            f"was {stored:g}, now it is {now:g}); differentiate before setting data, or record "
            f"anew"
        )


def _product(g: Any, p: Any) -> Any:
    """`product` of operands: a zero of either gives zero, be the other inf or nan.

    Cotangents meet the zero of a branch that where() does not take before the inf of that branch,
    tangents after it.
    """
    if isinstance(p, float | int):
        if p == 1:
            return g
        if p == -1:
            return -g
    c = g * p
    if c._data != c._data and product(float(g), float(p)) == 0.0:
        return Value(0.0)
    return c


# Results of functions --------------------------------------------------------------------------


class FunctionOutput(Value):
    """A Value that is one result of a FunctionNode."""

    __slots__ = ("_function", "_index")

    def __init__(self, data: float, function: FunctionNode, index: int, op: Op) -> None:
        super().__init__(data)
        self._made_by = op
        self._function = function
        self._index = index
        if MODE.watched:
            MODE.watcher.made(self)

    def _parents(self) -> Sequence[Node]:
        return () if self._made_by is None else (self._function,)

    def _operands(self) -> Sequence[Any]:
        return self._parents()

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [{self._index: Value(g)}]

    @property
    def _children(self) -> tuple[Value, ...]:  # type: ignore[override]  # of any kind
        return tuple(v for node in self._parents() for v in of(node).values(node))

    def _step(self) -> None:
        for part in self._cotangents(self._grad):
            self._function._add_to_grad(part)

    def _push(self) -> None:
        self._function._receive(*self._cotangents(self._grad))

    def __reduce__(self) -> tuple[Any, ...]:
        restore, (_, *numbers), state = super().__reduce__()
        return restore, (Value, *numbers), state  # a copy is a leaf


class OutputRules(ValueRules):
    """The answers for results of functions, whose cotangents a FunctionNode collects."""

    def vjp(self, node: Any, g: Any, needs: Sequence[bool]) -> Parts:
        return [{node._index: g}]

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Any:
        t = tangents[0][node._index]  # type: ignore[index]  # those of all results
        return t if t is None or create_graph else float(t)


@cache
def _shown_as(name: str) -> Op:
    """An Op that only bears a name, for drawings."""
    return elementwise(name, lambda xp, x: x)


rules.register(float, NumberRules())
rules.register(Value, ValueRules())
rules.register(FunctionOutput, OutputRules())
