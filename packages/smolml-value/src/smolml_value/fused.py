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
from smolml_value._runtime.compat import mypyc_attr
from smolml_value.graph import CUT_OFF, Node, Pass
from smolml_value.op import Op
from smolml_value.recording import MODE, grad_enabled
from smolml_value.value import Value, recorded


@mypyc_attr(allow_interpreted_subclasses=True)
class FusedValue(Value):
    """A node with any number of operands and the partials to them, kept as numbers.

    `_args` has all arguments in order, constants included (for `dot` x_1, y_1, x_2, y_2, ...), and
    `_partials` one number for each.
    """

    __slots__ = ("_args", "_partials")
    _args: list[Any]
    _partials: list[float]

    def __init__(self, out: float, op: Op, args: list[Any], partials: list[float]) -> None:
        super().__init__(out)
        self._args = args
        self._partials = partials
        self._made_by = op
        if MODE.special:
            recorded(self)

    def _parents(self) -> Sequence[Node]:
        return [a for a in self._args if isinstance(a, Value)]

    def _operands(self) -> Sequence[Any]:
        return [a if isinstance(a, Value) else float(a) for a in self._args]

    def _edges(self) -> Sequence[tuple[Value, float]]:
        pairs = zip(self._args, self._partials)  # noqa: B905  # slow with `strict` when compiled
        return [(a, partial) for a, partial in pairs if isinstance(a, Value)]

    def _push_and_release(self, running: Pass) -> None:
        g = self._grad
        for a, partial in zip(self._args, self._partials):  # noqa: B905
            if isinstance(a, Value):
                running.hand_on(a, g, partial)


# Arguments are Any in here: compiled code would look at each of another type and refuse it in
# words of its own.


def _number(x: Any, who: str) -> float:
    if isinstance(x, Value):
        return x._data
    return x if isinstance(x, float) else as_float(x, who)


def _node(out: float, op: Op, args: list[Any], partials: list[float]) -> Value:
    """The node for a result, given the partial to each argument."""
    if grad_enabled() and any(isinstance(x, Value) for x in args):
        return FusedValue(out, op, args, partials)
    made = Value(out)  # nothing flows back from it
    made._dr = CUT_OFF
    if MODE.watched:
        MODE.watcher.computed(made, op, args)
    return made


def fsum(values: Iterable[Value | float]) -> Value:
    """$x_1 + ... + x_n$ as one node; rounded once, as `math.fsum` is (Shewchuk 1997).

    Raises:
        TypeError: something that is neither a Value nor a number.

    >>> xs = [Value(0.1) for _ in range(10)]
    >>> total = fsum(xs)
    >>> total.backward()
    >>> total.data, xs[0].grad
    (1.0, 1.0)
    """
    args: list[Any] = list(values)
    return _node(_exact_sum([_number(x, "fsum") for x in args]), FSUM, args, [1.0] * len(args))


def _exact_sum(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # partial sums too large, or inf - inf: as IEEE has it
        return float(sum(numbers))


def dot(xs: Iterable[Value | float], ys: Iterable[Value | float]) -> Value:
    """$x_1 y_1 + ... + x_n y_n$ as one node.

    Raises:
        ValueError: xs and ys differ in length.
        TypeError: something that is neither a Value nor a number.

    >>> x, w = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    >>> y = dot(x, w)
    >>> y.backward()
    >>> y.data, w[1].grad, x[0].grad
    (11.0, 2.0, 3.0)
    """
    left: list[Any] = xs if type(xs) is list else list(xs)
    right: list[Any] = ys if type(ys) is list else list(ys)
    if len(left) != len(right):
        raise ValueError(
            f"dot: expected two sequences of equal length, got {len(left)} and {len(right)}"
        )
    args: list[Any] = []
    partials: list[float] = []
    total = 0.0
    for x, y in zip(left, right):  # noqa: B905  # slow with `strict` when compiled
        a = x._data if isinstance(x, Value) else _number(x, "dot")
        b = y._data if isinstance(y, Value) else _number(y, "dot")
        args.append(x)
        args.append(y)
        partials.append(b)
        partials.append(a)
        total += a * b
    return _node(total, DOT, args, partials)


def mean(values: Iterable[Value | float]) -> Value:
    """$(x_1 + ... + x_n) / n$ as one node; of equal numbers that number.

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
    if not args:
        raise ValueError("mean: expected at least one value, got none")
    numbers = [_number(x, "mean") for x in args]
    out, first = _exact_sum(numbers) / count, numbers[0]
    if out != first and numbers.count(first) == count:
        out = first  # which the quotient missed by its rounding
    return _node(out, MEAN, args, [1.0 / count] * count)


def logsumexp(values: Iterable[Value | float]) -> Value:
    """$log(exp(x_1) + ... + exp(x_n))$ as one node, without overflow; its gradient is the softmax.

    The largest is taken out first: m + log(sum of exp(x_i - m)). An x_i of -inf counts for nothing;
    of nothing but -inf it is -inf, and the gradient is 0. Several inf share the gradient alike.

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
    if math.isinf(top):  # inf - inf would be nan: those at inf share alike, others get none
        ties = [1.0 if x == math.inf else 0.0 for x in numbers]
        return _node(top, LOGSUMEXP, args, [t / (sum(ties) or 1.0) for t in ties])
    powers = [scalar.exp(x - top) for x in numbers]
    total = _exact_sum(powers)
    return _node(top + scalar.log(total), LOGSUMEXP, args, [p / total for p in powers])


def softmax(values: Iterable[Value | float]) -> list[Value]:
    """$exp(x_i) / (exp(x_1) + ... + exp(x_n))$ for each i, without overflow.

    Of nothing but -inf it is 0 for each.

    Raises:
        ValueError: there are no values.
        TypeError: something that is neither a Value nor a number.

    >>> [round(p.data, 6) for p in softmax([Value(0.0), Value(math.log(3.0))])]
    [0.25, 0.75]
    """
    args: list[Any] = list(values)
    log_total = logsumexp(args)
    if log_total._data == -math.inf:  # -inf - -inf would be nan
        return [Value(0.0) for _ in args]
    return [(x - log_total).exp() for x in args]
