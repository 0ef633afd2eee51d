"""A minimal Value of slots and tuples: operands and partials in two tuples, a recursive backward.

This is how small a Value can be written; it is what gpt.py is timed against.
"""

from __future__ import annotations

import math
from typing import Any


class Value:
    """A number, its gradient, its operands and the partials to them."""

    __slots__ = ("data", "grad", "operands", "partials")

    def __init__(
        self, data: float, operands: tuple[Value, ...] = (), partials: tuple[float, ...] = ()
    ) -> None:
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.partials = partials

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, c: float) -> Value:
        return Value(self.data**c, (self,), (c * self.data ** (c - 1),))

    def exp(self) -> Value:
        e = math.exp(self.data)
        return Value(e, (self,), (e,))

    def log(self) -> Value:
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> Value:
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    def __neg__(self) -> Any:
        return self * -1.0

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        return self * other**-1

    def __rtruediv__(self, other: Any) -> Any:
        return self**-1 * other

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self) -> None:
        """Add the gradient to every node that self depends on; once for a graph."""
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(v: Value) -> None:
            if v not in seen:
                seen.add(v)
                for operand in v.operands:
                    visit(operand)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            for operand, partial in zip(v.operands, v.partials):
                operand.grad += partial * v.grad
