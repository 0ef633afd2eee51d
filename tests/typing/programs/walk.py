"""A user's program that walks the graph as the lecture does, and makes nodes by hand."""

import math
from typing import assert_type

from smolml_array import MLArray
from smolml_value import Value


def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    nodes: set[Value] = set()
    edges: set[tuple[Value, Value]] = set()

    def build(v: Value) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def tanh(x: Value) -> Value:
    out = Value(math.tanh(x.data), (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - out.data**2) * out.grad

    out._backward = _backward
    return out


x = MLArray([[1.0, 2.0], [3.0, 4.0]])
w = MLArray([[0.5], [-0.5]])
loss = (x @ w).tanh().sum()
assert_type(loss._prev, set[Value])
assert_type(loss._op, str)
nodes, edges = trace(loss.data)
assert (len(nodes), len(edges)) == (11, 12)

y = tanh(tanh(Value(0.5, label="x")) + 1.0)
y.backward()
assert_type(y._children, tuple[Value, ...])
y._backward()
assert len(trace(y)[0]) == 4
