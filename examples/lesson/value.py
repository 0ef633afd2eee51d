"""A number that remembers how it was made: automatic differentiation, to learn by heart.

The guide "Build it yourself" writes this file step by step. Nothing is imported but Python itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable


class Value:
    """A number, its gradient, and what it was made of."""

    def __init__(self, data: float, children: tuple[Value, ...] = (), op: str = "") -> None:
        self.data = float(data)
        self.grad = 0.0
        self._prev = set(children)
        self._op = op
        self._backward: Callable[[], None] = lambda: None  # a leaf has nobody to tell

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    # Two operations with a rule of their own ---------------------------------------------------

    def __add__(self, other: Value | float) -> Value:
        other = as_value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other: Value | float) -> Value:
        other = as_value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    # The backward pass -------------------------------------------------------------------------

    def backward(self) -> None:
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(node: Value) -> None:  # operands first: the order of calculation
            if node not in seen:
                seen.add(node)
                for operand in node._prev:
                    visit(operand)
                order.append(node)

        visit(self)
        for node in order:
            if node._prev:
                node.grad = 0.0  # of an earlier pass; those of the leaves add up
        self.grad += 1.0
        for node in reversed(order):
            node._backward()

    # Functions of one number: the result, and the slope there ----------------------------------

    def _function(self, data: float, slope: float, op: str) -> Value:
        out = Value(data, (self,), op)

        def _backward() -> None:
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def exp(self) -> Value:
        e = math.exp(self.data)
        return self._function(e, e, "exp")

    def log(self) -> Value:
        return self._function(math.log(self.data), 1.0 / self.data, "log")

    def tanh(self) -> Value:
        t = math.tanh(self.data)
        return self._function(t, 1.0 - t * t, "tanh")

    def relu(self) -> Value:
        positive = self.data > 0.0
        return self._function(self.data * positive, 1.0 * positive, "relu")

    def __abs__(self) -> Value:
        return self._function(abs(self.data), (self.data > 0.0) - (self.data < 0.0), "abs")

    def __pow__(self, n: Value | float) -> Value:
        if isinstance(n, Value):
            return (n * self.log()).exp()
        return self._function(self.data**n, n * self.data ** (n - 1.0) if n else 0.0, "**")

    # What these are enough for -----------------------------------------------------------------

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -other

    def __truediv__(self, other: Value | float) -> Value:
        return self * as_value(other) ** -1.0

    def __radd__(self, other: float) -> Value:
        return self + other

    def __rmul__(self, other: float) -> Value:
        return self * other

    def __rsub__(self, other: float) -> Value:
        return -self + other

    def __rtruediv__(self, other: float) -> Value:
        return as_value(other) / self

    def __rpow__(self, other: float) -> Value:
        return as_value(other) ** self

    def sqrt(self) -> Value:
        return self**0.5

    def sigmoid(self) -> Value:
        return (self * 0.5).tanh() * 0.5 + 0.5

    def __lt__(self, other: Value | float) -> bool:
        return self.data < as_value(other).data

    def __gt__(self, other: Value | float) -> bool:
        return self.data > as_value(other).data


def as_value(x: Value | float) -> Value:
    return x if isinstance(x, Value) else Value(x)
