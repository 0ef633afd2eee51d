"""How transforms see Values: cotangents and tangents from the same partials as backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from smolml_value import table
from smolml_value._derivatives import derive
from smolml_value._derivatives.function_node import Hub
from smolml_value.errors import GraphError
from smolml_value.fused import FusedValue
from smolml_value.node import Node, product
from smolml_value.op import Op, elementwise
from smolml_value.recording import MODE
from smolml_value.traced import TRACED
from smolml_value.value import NaryValue, Value, make_node

# With numbers: the partials that were stored.


@derive.push_numbers.register(Value)
def _(v: Value, tangents: Sequence[float | None]) -> float:
    pairs = zip(tangents, v._edges(), strict=True)
    return sum((product(t, partial) for t, (_, partial) in pairs if t is not None), 0.0)


# With operands: the partials run on the operands, so that they have derivatives themselves ------


def pinned(x: Any, number: float) -> Any:
    """x with the number it had: a Value's data may have been set since."""
    if not isinstance(x, Value):
        return number  # a constant, as it was understood
    if x._data == number or math.isnan(x._data):
        return x
    return make_node(table.positive, float(number), x, None, 1.0, 0.0)


def _operands(v: Value) -> tuple[Value, tuple[Any, ...]]:
    """v, and what its op was applied to, constants included."""
    if isinstance(v, NaryValue):
        *numbers, out = v._numbers
        args = tuple(pinned(a, x) for a, x in zip(v._args, numbers, strict=True))
        return pinned(v, out), args
    op = v._made_by
    assert isinstance(op, Op)
    left: object = v._lhs if v._lhs is not None else v._dl
    right: object = v._rhs if v._rhs is not None else v._dr
    return v, (left,) if op.arity == 1 else (left, right)


def _partial(op: Op, v: Value, i: int, out: Value, args: tuple[Any, ...]) -> Any:
    """The partial to operand i as an operand or a number."""
    assert op.partials is not None
    rule = op.partials[i]
    if not callable(rule):
        return rule
    try:
        p = rule(TRACED, out, *args)
    except ArithmeticError:  # Python's own 1 / c of a constant; a Value's is inf
        p = rule(TRACED, out, *(a if isinstance(a, Value) else Value(a) for a in args))
    if not isinstance(v, NaryValue):
        _check_unchanged(op, float(p), v._dr if i else v._dl)
    return p


def _check_unchanged(op: Op, now: float, stored: float) -> None:
    """Raise where the numbers have been changed since the partial was stored.

    A Value of two operands keeps its partials, not the numbers they came from, so derivatives of
    higher order at those are out of reach.
    """
    same = now == stored or abs(now - stored) <= 1e-9 * abs(stored) or math.isnan(stored)
    if not same:
        raise GraphError(
            f"{op.name}: the data of an operand was set after the op was recorded (its partial "
            f"was {stored:g}, now it is {now:g}); differentiate before setting data, or record "
            f"anew"
        )


def _is_zero(p: Any) -> bool:
    """Whether p is a constant zero: nothing flows, and nothing that could be differentiated."""
    return isinstance(p, float | int) and p == 0


def _product(g: Any, p: Any) -> Any:
    """cotangent x partial, where a cotangent of zero gives zero whatever the partial is."""
    if isinstance(p, float | int):
        if p == 1:
            return g
        if p == -1:
            return -g
    if float(g) == 0.0 and not math.isfinite(p):
        return Value(0.0)
    return g * p


def _tangent_product(t: Any, p: Any) -> Any:
    """partial x tangent, where a zero of either gives zero whatever the other is.

    The partial of the branch that where() does not take is zero: here it comes after the inf of
    that branch, in reverse mode before it.
    """
    if float(p) == 0.0 and not math.isfinite(t):
        return Value(0.0)
    return _product(t, p)


@derive.pull_operands.register(Value)
def _(v: Value, g: Value, needs: Sequence[bool]) -> Sequence[Any]:
    op = v._made_by
    assert isinstance(op, Op)
    out, args = _operands(v)
    places = [i for i, arg in enumerate(args) if isinstance(arg, Value)]
    if op.vjp is not None:
        parts = op.vjp(TRACED, g, out, *args)
        given = [parts[i] for i in places]
        return [Value(c) if isinstance(c, float | int) else c for c in given]
    assert op.partials is not None
    found: list[Any] = []
    for i, needed in zip(places, needs, strict=True):
        p = _partial(op, v, i, out, args) if needed else None
        found.append(None if p is None or _is_zero(p) else _product(g, p))
    return found


@derive.push_operands.register(Value)
def _(v: Value, tangents: Sequence[Any]) -> Any:
    op = v._made_by
    assert isinstance(op, Op)
    out, args = _operands(v)
    places = [i for i, arg in enumerate(args) if isinstance(arg, Value)]
    parts = None if op.vjp is None else op.vjp(TRACED, Value(1.0), out, *args)
    total: Any = None
    for i, t in zip(places, tangents, strict=True):
        if t is None:
            continue
        p = _partial(op, v, i, out, args) if parts is None else parts[i]
        if p is not None and not _is_zero(p):
            term = _tangent_product(t, p)
            total = term if total is None else total + term
    return total


def _fused_parts(v: FusedValue, g: Value) -> list[Any]:
    """The cotangents of the operands of v, in their order."""
    op, args = v._made_by, v._operands()
    assert isinstance(op, Op)
    assert op.vjp is not None
    numbers = [float(a) for a in args]
    now = op.scalar_vjp(1.0, op.on_floats(numbers), numbers)
    places = [i for i, a in enumerate(args) if isinstance(a, Value)]
    for i, (_, partial) in zip(places, v._edges(), strict=True):
        _check_unchanged(op, now[i], partial)
    parts = op.vjp(TRACED, g, v, *args)
    return [parts[i] for i in places]


@derive.pull_operands.register(FusedValue)
def _(v: FusedValue, g: Value, needs: Sequence[bool]) -> Sequence[Any]:
    return _fused_parts(v, g)


@derive.push_operands.register(FusedValue)
def _(v: FusedValue, tangents: Sequence[Any]) -> Any:
    total: Any = None
    for t, p in zip(tangents, _fused_parts(v, Value(1.0)), strict=True):
        if t is not None:
            term = _tangent_product(t, p)
            total = term if total is None else total + term
    return total


@derive.receive.register(Value)
def _(node: Value, c: Any) -> None:
    node._grad += float(c)


@derive.operand.register(Value)
def _(node: Value, number: float) -> Value:
    return Value(number)


# Results of hubs -------------------------------------------------------------------------------


class PartValue(Value):
    """A Value that is one result of a hub."""

    __slots__ = ("_hub", "_index")

    def __init__(self, data: float, hub: Hub, index: int, op: Op) -> None:
        super().__init__(data)
        self._made_by = op
        self._hub = hub
        self._index = index
        if MODE.watched:
            MODE.watcher.made(self)

    def _parents(self) -> Sequence[Node]:
        return () if self._made_by is None else (self._hub,)

    def _operands(self) -> Sequence[Any]:
        return self._parents()

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [{self._index: Value(g)}]

    def _backward(self) -> None:
        """Nothing to do: what it was made of gets its gradient from the hub."""

    def _push(self) -> None:
        self._hub.collect(*self._cotangents(self._grad))

    def __reduce__(self) -> tuple[Any, ...]:
        return Value, (self._data, self.label)  # a copy is a leaf


@derive.pull_operands.register(PartValue)
def _(v: PartValue, g: Value, needs: Sequence[bool]) -> Sequence[Any]:
    return [{v._index: g}]


@derive.push_numbers.register(PartValue)
def _(v: PartValue, tangents: Sequence[Any]) -> float | None:
    t = tangents[0][v._index]
    return None if t is None else float(t)


@derive.push_operands.register(PartValue)
def _(v: PartValue, tangents: Sequence[Any]) -> Any:
    return tangents[0][v._index]


@derive.part_of.register(Value)
def _(x: Value, hub: Hub, index: int, op: str) -> Value:
    return PartValue(x._data, hub, index, _shown_as(op))


def _shown_as(name: str) -> Op:
    """An Op that only bears a name, for drawings."""
    if name not in _NAMES:
        _NAMES[name] = elementwise(name, lambda xp, x: x)
    return _NAMES[name]


_NAMES: dict[str, Op] = {}


# Operands --------------------------------------------------------------------------------------


@derive.fresh.register(Value)
def _(x: Value) -> Value:
    return make_node(table.positive, x._data, x, None, 1.0, 0.0)


@derive.leaf.register(Value)
@derive.leaf.register(float)
@derive.fresh.register(float)
def _(x: Value | float) -> Value:
    return Value(float(x))


@derive.constant.register(Value)
def _(x: Value) -> Value:
    return Value(x._data, x.label)


@derive.full_like.register(Value)
@derive.full_like.register(float)
def _(x: Value | float, number: float) -> Value:
    return Value(number)


@derive.basis.register(Value)
def _(x: Value) -> list[Value]:
    return [Value(1.0)]


@derive.from_floats.register(Value)
def _(like: Value, numbers: list[float]) -> Value:
    return Value(numbers[0])


@derive.from_floats.register(float)
def _(like: float, numbers: list[float]) -> float:
    return numbers[0]
