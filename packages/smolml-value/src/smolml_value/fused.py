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
from smolml_value._anomaly import watch_many
from smolml_value._compat import mypyc_attr
from smolml_value._fused_ops import DOT, FSUM, LOGSUMEXP, MEAN
from smolml_value._graph import Node, _Pass
from smolml_value._mode import MODE, grad_enabled
from smolml_value._number import as_float
from smolml_value._op import Op
from smolml_value.value import NO_DATA, Value


@mypyc_attr(allow_interpreted_subclasses=True)
class FusedValue(Value):
    """A node with any number of operands and the partials to them, kept as numbers.

    `_coefficients` is None where all partials are `_scale`. `_args` are all arguments in order,
    constants included; None where they are just the operands.
    """

    __slots__ = ("_args", "_coefficients", "_operands", "_scale")
    _operands: list[Value]
    _coefficients: list[float] | None
    _scale: float
    _args: list[Value | float] | None

    def __init__(
        self,
        out: float,
        op: Op,
        operands: list[Value],
        coefficients: list[float] | None,
        scale: float,
        args: list[Value | float] | None,
    ) -> None:
        super().__init__(NO_DATA, "", None, None, 0.0, 0.0, op, out)
        self._operands = operands
        self._coefficients = coefficients
        self._scale = scale
        self._args = args
        if MODE.watched:
            watch_many(self, op, out, arguments_of(self))

    def _parents(self) -> Sequence[Node]:
        return self._operands

    def _backward(self) -> None:
        g = self.grad
        if g != 0.0:
            operand: Any  # `grad` may be a property of a subclass
            for i, operand in enumerate(self._operands):
                c = self._scale if self._coefficients is None else self._coefficients[i]
                operand.grad += g * c

    def _reach_parents(self, running: _Pass) -> None:
        for operand in self._operands:
            running.reach_scalar(operand)

    def _push_and_release(self, running: _Pass) -> None:
        g = self._grad
        ready = running.ready
        coefficients = self._coefficients
        c = self._scale * g
        for i, operand in enumerate(self._operands):
            if g != 0.0:
                if coefficients is not None:
                    c = coefficients[i] * g if coefficients[i] != 0.0 else 0.0
                operand._grad += c
            operand._pending -= 1
            if operand._pending == 0 and operand._made_by is not None:
                ready.append(operand)


def arguments_of(v: FusedValue) -> tuple[Value | float, ...]:
    """What v was made of, in order: for `dot` all of the left side, then all of the right."""
    if v._args is not None:
        return tuple(v._args)
    if v._made_by is DOT:
        return (*v._operands[0::2], *v._operands[1::2])
    return tuple(v._operands)


def _recorded() -> bool:
    return MODE.off == 0 or grad_enabled()


def _number(x: Value | float, who: str) -> float:
    if isinstance(x, Value):
        return x._data
    return x if isinstance(x, float) else as_float(x, who)


def _constant(out: float, op: Op, args: list[Value | float]) -> Value:
    """A result that nothing flows back from."""
    if MODE.watched:
        watch_many(None, op, out, args)
    return Value(out)


def _node(
    out: float,
    op: Op,
    args: list[Value | float],
    coefficients: list[float] | None,
    scale: float = 1.0,
) -> Value:
    """The node for a result, given the partial to each argument."""
    if not _recorded():
        return _constant(out, op, args)
    operands: list[Value] = []
    kept: list[float] = []
    for i, x in enumerate(args):
        if isinstance(x, Value):
            operands.append(x)
            if coefficients is not None:
                kept.append(coefficients[i])
    if not operands:
        return _constant(out, op, args)
    partials = None if coefficients is None else kept
    return FusedValue(
        out, op, operands, partials, scale, None if len(operands) == len(args) else args
    )


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
    args = list(values)
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
    left, right = list(xs), list(ys)
    if len(left) != len(right):
        raise ValueError(
            f"dot: expected two sequences of equal length, got {len(left)} and {len(right)}"
        )
    total = 0.0
    operands: list[Value] = []
    coefficients: list[float] = []
    for i, x in enumerate(left):
        y = right[i]
        a = _number(x, "dot")
        b = _number(y, "dot")
        total += a * b
        if isinstance(x, Value):
            operands.append(x)
            coefficients.append(b)
        if isinstance(y, Value):
            operands.append(y)
            coefficients.append(a)
    if not operands or not _recorded():
        return _constant(total, DOT, left + right)
    args = None if len(operands) == 2 * len(left) else left + right
    return FusedValue(total, DOT, operands, coefficients, 1.0, args)


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
    args = list(values)
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
    args = list(values)
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
    args = list(values)
    log_total = logsumexp(args)
    return [(x - log_total).exp() for x in args]
