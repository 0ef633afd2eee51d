"""Limits of single numbers: objects that lie, numbers too large; containers without an end.

Those of arrays are in tests/array/test_limits.py and test_endless.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from smolml_value import Value, elementwise, fused, grad, hessian, jvp, ops, vjp


class Mine(Exception):  # noqa: N818  # as any exception of a user's
    pass


class AsFloat:
    """Answers float(x) with anything, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __float__(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


USES: dict[str, Callable[[Any, Value], Any]] = {
    "Value": lambda o, v: Value(o),
    "add": lambda o, v: v + o,
    "on the left": lambda o, v: o * v,
    "pow": lambda o, v: v**o,
    "an op": lambda o, v: ops.maximum(v, o),
    "data": lambda o, v: setattr(v, "data", o),
    "grad": lambda o, v: setattr(v, "grad", o),
    "set_grad": lambda o, v: v.set_grad(o),
    "a transform": lambda o, v: grad(lambda x: x * x)(o),
    "a cotangent": lambda o, v: vjp(lambda x: x * x, 1.0)[1](o),
    "a tangent": lambda o, v: jvp(lambda x: x * x, (1.0,), (o,)),
    "a sum": lambda o, v: fused.fsum([v, o]),
}
REFUSED: dict[str, Callable[[], Any]] = {
    "a text": lambda: AsFloat("1.0"),
    "an int": lambda: AsFloat(1),
    "nothing": lambda: AsFloat(None),
    "an error": lambda: AsFloat(Mine()),
    "too large": lambda: 10**400,
    "a fraction too large": lambda: Fraction(10**400, 3),
    "complex": lambda: 1j,
    "a text itself": lambda: "1.0",
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_no_number(use: Any, make: Callable[[], Any]) -> None:
    v = Value(2.0)
    with pytest.raises((TypeError, ValueError, OverflowError, Mine)):
        use(make(), v)
    assert (v.data, v.grad) == (2.0, 0.0)
    (v * v).backward()
    assert v.grad == 4.0


def test_one_that_changes_its_mind_is_asked_once_for_each_use() -> None:
    class Moody:
        answers = iter(range(100))

        def __float__(self) -> float:
            return float(next(self.answers))

    v, moody = Value(1.0), Moody()
    other: Any = moody
    y = v + other
    y.backward()
    assert (y.data, v.grad) == (v.data + y.data - 1.0, 1.0)
    assert y.data == float(int(y.data))


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_numbers(answer: float) -> None:
    other: Any = AsFloat(answer)
    for found in (Value(other).data, (Value(0.0) + other).data):
        assert found == answer or (found != found and answer != answer)


def test_a_rule_that_lies() -> None:
    """A partial that is no number is an error of its op, and leaves all gradients alone."""
    for lie in ("1.0", None, [1.0], 1j):
        op = elementwise("liar", lambda xp, x: x * 1.0, [lambda xp, out, x, lie=lie: lie])
        v = Value(2.0)
        with pytest.raises(TypeError, match=r"liar: its partial 0 must give a number"):
            (op(v) * v).backward()
        assert v.grad == 0.0


def test_many_nodes_in_a_row() -> None:
    v = Value(1.0)
    y = v
    for _ in range(10**5):
        y = y * 1.0
    y.backward()
    assert v.grad == 1.0
    deep = y
    del y, deep  # a recursion here would end the process
    assert hessian(lambda x: x * x)(1.0) == 2.0
