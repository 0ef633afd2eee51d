"""The backward pass by hand, as the lessons do it: from Value to Value along `_prev`."""

from __future__ import annotations

from typing import Any

from smolml_value import Value


def walked(root: Any) -> list[Value]:
    """All Values that `root` was computed from, itself among them, each after its operands."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack = [(root.data if not isinstance(root, Value) else root, False)]
    while stack:
        v, done = stack.pop()
        if done:
            order.append(v)
        elif v not in seen:
            seen.add(v)
            stack.append((v, True))
            stack += [(p, False) for p in v._prev]
    return order


def backward_by_hand(root: Any) -> list[Value]:
    """Sets the grad of everything that `root` was computed from; these Values."""
    order = walked(root)
    for v in order:
        v.grad = 0.0
    order[-1].grad = 1.0
    for v in reversed(order):
        v._backward()
    return order
