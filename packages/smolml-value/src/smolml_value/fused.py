"""Sums and products of many Values as one node each: fsum, dot, mean, logsumexp, softmax.

A loop that adds up n products makes 2 n nodes; `dot` makes one, and costs a small fraction of
it. Operands may be numbers too. The partials are kept as they were: Values may be changed between
the forward and the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from smolml_value import scalar
from smolml_value._ops.fused_rules import DOT, FSUM, LOGSUMEXP, MEAN
from smolml_value._ops.number import as_float
from smolml_value._runtime.compat import i32, mypyc_attr
from smolml_value.graph import Node, _Pass
from smolml_value.op import Op
from smolml_value.recording import MODE, grad_enabled
from smolml_value.value import Value


class Four:
    """Up to four operands with the partials to them, and the next four.

    Compiled, these are plain fields: a list would keep each partial as an object of its own.
    """

    __slots__ = ("a", "b", "c", "d", "da", "db", "dc", "dd", "next")
    next: Four | None

    def __init__(self, a: Value, da: float) -> None:
        self.a = a
        self.da = da
        self.b: Value | None = None
        self.db = 0.0
        self.c: Value | None = None
        self.dc = 0.0
        self.d: Value | None = None
        self.dd = 0.0
        self.next = None


@mypyc_attr(allow_interpreted_subclasses=True)
class FusedValue(Value):
    """A node with any number of operands and the partials to them, kept as numbers.

    `_arguments` are all arguments in order, constants included; None where they are just the
    operands.
    """

    __slots__ = ("_arguments", "_count", "_first", "_last")
    _arguments: list[Any] | None
    _count: i32
    _first: Four | None
    _last: Four | None

    def __init__(self, op: Op) -> None:
        self._arguments = None
        self._count = 0
        self._first = self._last = None
        super().__init__(0.0, "", None, None, 0.0, 0.0, op, 0.0)

    def add(self, operand: Value, partial: float) -> None:
        """One more operand; before the node is used."""
        place = self._count & 3
        self._count += 1
        last = self._last
        if last is None:
            self._first = self._last = Four(operand, partial)
        elif place == 0:
            last.next = self._last = Four(operand, partial)
        elif place == 1:
            last.b = operand
            last.db = partial
        elif place == 2:
            last.c = operand
            last.dc = partial
        else:
            last.d = operand
            last.dd = partial

    def add_two(self, x: Value, dx: float, y: Value, dy: float) -> None:
        """`add` twice, in one go where both have their place in one Four."""
        last = self._last
        place = self._count & 3
        if last is None or place == 0:
            made = Four(x, dx)
            made.b = y
            made.db = dy
            if last is None:
                self._first = made
            else:
                last.next = made
            self._last = made
            self._count += 2
        elif place == 2:
            last.c = x
            last.dc = dx
            last.d = y
            last.dd = dy
            self._count += 2
        else:
            self.add(x, dx)
            self.add(y, dy)

    def finish(self, out: float, arguments: list[Any]) -> FusedValue:
        """The node itself, with its result."""
        self._data = out
        if self._count < len(arguments):
            self._arguments = arguments
        if MODE.watched:
            MODE.watcher.made(self)
        return self

    def _operands(self) -> Sequence[Any]:
        args = [a if isinstance(a, Value) else float(a) for a in arguments_of(self)]
        if self._made_by is not DOT:
            return args
        half = len(args) // 2  # its parents come in pairs, its arguments in halves
        return [x for pair in zip(args[:half], args[half:]) for x in pair]  # noqa: B905

    def _edges(self) -> Sequence[tuple[Value, float]]:
        found = []
        four = self._first
        while four is not None:
            places = ((four.a, four.da), (four.b, four.db), (four.c, four.dc), (four.d, four.dd))
            found += [(v, p) for v, p in places if v is not None]
            four = four.next
        return found

    def _parents(self) -> Sequence[Node]:
        return [operand for operand, _ in self._edges()]

    def _reach_parents(self, running: _Pass) -> None:
        running.widen(self)
        four = self._first
        while four is not None:
            running.reach_scalar(four.a)
            b, c, d = four.b, four.c, four.d
            if b is not None:
                running.reach_scalar(b)
            if c is not None:
                running.reach_scalar(c)
            if d is not None:
                running.reach_scalar(d)
            four = four.next

    def _push_and_release(self, running: _Pass) -> None:
        g = self._grad
        four = self._first
        while four is not None:
            running.hand_on(four.a, g, four.da)
            b, c, d = four.b, four.c, four.d
            if b is not None:
                running.hand_on(b, g, four.db)
            if c is not None:
                running.hand_on(c, g, four.dc)
            if d is not None:
                running.hand_on(d, g, four.dd)
            four = four.next

    def _settle_parents(self, running: _Pass) -> None:
        four = self._first
        while four is not None:
            running.settle_scalar(four.a)
            b, c, d = four.b, four.c, four.d
            if b is not None:
                running.settle_scalar(b)
            if c is not None:
                running.settle_scalar(c)
            if d is not None:
                running.settle_scalar(d)
            four = four.next


def arguments_of(v: FusedValue) -> tuple[Value | float, ...]:
    """What v was made of, in order: for `dot` all of the left side, then all of the right."""
    if v._arguments is not None:
        return tuple(v._arguments)
    operands = [operand for operand, _ in v._edges()]
    if v._made_by is DOT:
        return (*operands[0::2], *operands[1::2])
    return tuple(operands)


def partials_of(v: FusedValue) -> list[float]:
    """The partials to the operands of v, in the order of its parents."""
    return [partial for _, partial in v._edges()]


def _recorded() -> bool:
    return MODE.off == 0 or grad_enabled()


# Arguments are Any in here: compiled code would look at each of another type and refuse it in
# words of its own.


def _number(x: Any, who: str) -> float:
    if isinstance(x, Value):
        return x._data
    return x if isinstance(x, float) else as_float(x, who)


def _constant(out: float, op: Op, args: list[Any]) -> Value:
    """A result that nothing flows back from."""
    made = Value(out)
    if MODE.watched:
        MODE.watcher.computed(made, op, args)
    return made


def _node(
    out: float,
    op: Op,
    args: list[Any],
    partials: list[float] | None,
    scale: float = 1.0,
) -> Value:
    """The node for a result, given the partial to each argument; without them, all are `scale`."""
    if not _recorded():
        return _constant(out, op, args)
    node = FusedValue(op)
    for i in range(len(args)):  # enumerate() is slow when compiled
        x = args[i]
        if isinstance(x, Value):
            node.add(x, scale if partials is None else partials[i])
    return node.finish(out, args) if node._count != 0 else _constant(out, op, args)


def fsum(values: Iterable[Value | float]) -> Value:
    """x_1 + ... + x_n as one node; rounded once, as `math.fsum` is (Shewchuk 1997).

    Raises:
        TypeError: something that is neither a Value nor a number.

    >>> xs = [Value(0.1) for _ in range(10)]
    >>> total = fsum(xs)
    >>> total.backward()
    >>> total.data, xs[0].grad
    (1.0, 1.0)
    """
    args: list[Any] = list(values)
    return _node(_exact_sum([_number(x, "fsum") for x in args]), FSUM, args, None)


def _exact_sum(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # partial sums too large, or inf - inf: as IEEE has it
        return float(sum(numbers))


def dot(xs: Iterable[Value | float], ys: Iterable[Value | float]) -> Value:
    """x_1 y_1 + ... + x_n y_n as one node.

    Raises:
        ValueError: xs and ys differ in length.
        TypeError: something that is neither a Value nor a number.

    >>> x, w = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    >>> y = dot(x, w)
    >>> y.backward()
    >>> y.data, w[1].grad, x[0].grad
    (11.0, 2.0, 3.0)
    """
    left: list[Any] = xs if isinstance(xs, list) else list(xs)
    right: list[Any] = ys if isinstance(ys, list) else list(ys)
    if len(left) != len(right):
        raise ValueError(
            f"dot: expected two sequences of equal length, got {len(left)} and {len(right)}"
        )
    node = FusedValue(DOT)
    total = 0.0
    for x, y in zip(left, right):  # noqa: B905  # slow with `strict` when compiled
        if isinstance(x, Value) and isinstance(y, Value):
            a = x._data
            b = y._data
            node.add_two(x, b, y, a)
        else:
            a = _number(x, "dot")
            b = _number(y, "dot")
            if isinstance(x, Value):
                node.add(x, b)
            if isinstance(y, Value):
                node.add(y, a)
        total += a * b
    if node._count == 0 or not _recorded():
        return _constant(total, DOT, left + right)
    if node._count == 2 * len(left) and not MODE.watched:
        node._data = total
        return node
    return node.finish(total, left + right)


def mean(values: Iterable[Value | float]) -> Value:
    """(x_1 + ... + x_n) / n as one node.

    Raises:
        ValueError: there are no values.
        TypeError: something that is neither a Value nor a number.

    >>> xs = [Value(1.0), Value(2.0)]
    >>> m = mean(xs)
    >>> m.backward()
    >>> m.data, xs[0].grad
    (1.5, 0.5)
    """
    args: list[Any] = list(values)
    count = len(args)
    if count == 0:
        raise ValueError("mean: expected at least one value, got none")
    total = _exact_sum([_number(x, "mean") for x in args])
    return _node(total / count, MEAN, args, None, 1.0 / count)


def logsumexp(values: Iterable[Value | float]) -> Value:
    """log(exp(x_1) + ... + exp(x_n)) as one node, without overflow; its gradient is the softmax.

    The largest is taken out first: m + log(sum of exp(x_i - m)).

    Raises:
        ValueError: there are no values.
        TypeError: something that is neither a Value nor a number.

    >>> logsumexp([Value(1000.0), Value(1000.0)]).data == 1000.0 + math.log(2.0)
    True
    """
    args: list[Any] = list(values)
    numbers = [_number(x, "logsumexp") for x in args]
    if not numbers:
        raise ValueError("logsumexp: expected at least one value, got none")
    top = numbers[0]
    for x in numbers:
        top = scalar.maximum(top, x)
    if math.isinf(top):  # inf - inf would be nan: those at the top share alike, others get none
        ties = [1.0 if x == top else 0.0 for x in numbers]
        return _node(top, LOGSUMEXP, args, [t / sum(ties) for t in ties])
    powers = [scalar.exp(x - top) for x in numbers]
    total = _exact_sum(powers)
    return _node(top + scalar.log(total), LOGSUMEXP, args, [p / total for p in powers])


def softmax(values: Iterable[Value | float]) -> list[Value]:
    """exp(x_i) / sum of exp(x_j) for each i, without overflow.

    Raises:
        ValueError: there are no values.
        TypeError: something that is neither a Value nor a number.

    >>> [round(p.data, 6) for p in softmax([Value(0.0), Value(math.log(3.0))])]
    [0.25, 0.75]
    """
    args: list[Any] = list(values)
    log_total = logsumexp(args)
    return [(x - log_total).exp() for x in args]
