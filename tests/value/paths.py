"""All ways to a gradient: each takes a function and its arguments, and gives what it finds.

The arguments are floats, Values or arrays, the function returns one number. Tests walk the table
`PATHS`; a new way is one entry in it, a new op none at all.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from smolml_value import (
    AnomalyError,
    Value,
    checkpoint,
    detect_anomaly,
    explain,
    grad,
    gradients,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from smolml_value.node import topological

Function = Callable[..., Any]
Leaves = Sequence[Any]
Path = Callable[[Function, Leaves], list[Any]]


def leaf(x: Any) -> Any:
    """A leaf with the numbers of x, which may be a float."""
    return Value(float(x)) if isinstance(x, float | Value) else copy.copy(x)


def _all(xs: Leaves) -> tuple[int, ...]:
    return tuple(range(len(xs)))


def by_backward(f: Function, xs: Leaves) -> list[Any]:
    """What all others must agree with."""
    leaves = [leaf(x) for x in xs]
    f(*leaves).backward()
    return [v.grad if isinstance(v, Value) else v.grad() for v in leaves]


def by_hand(f: Function, xs: Leaves) -> list[Any]:
    """Step by step, each node with `_backward`; where there are only Values."""
    leaves = [leaf(x) for x in xs]
    root = f(*leaves)
    root.grad = 1.0
    v: Any
    for v in reversed(topological([root])):
        v._backward()
    return [v.grad for v in leaves]


def by_gradients(f: Function, xs: Leaves) -> list[Any]:
    leaves = [leaf(x) for x in xs]
    return gradients(f(*leaves), leaves)


def by_explain(f: Function, xs: Leaves, max_steps: int = 20) -> list[Any]:
    """As the explanation tells it, whose steps after max_steps are told in one."""
    leaves = [leaf(x) for x in xs]
    told = explain(f(*leaves), max_steps=max_steps)
    found = []
    for x in leaves:
        try:
            found.append(told.gradient(x))
        except KeyError:  # it is not in the graph
            found.append(0.0)
    return found


def by_jvp(f: Function, xs: Leaves) -> list[Any]:
    """Forward mode, for numbers."""
    units = [[float(i == j) for j in _all(xs)] for i in _all(xs)]
    return [jvp(f, tuple(xs), tuple(unit))[1] for unit in units]


def by_columns(f: Function, xs: Leaves) -> list[Any]:
    """Forward mode, by a jacobian with more rows than columns."""
    count = 1 + sum(len(numbers(x)) for x in xs)
    found = jacobian(lambda *args: [f(*args) for _ in range(count)], _all(xs))(*xs)
    return list(found[0])


def nested(path: Path) -> Path:
    """The same inside of another transform, where everything is an operand of the graph."""

    def inside(f: Function, xs: Leaves) -> list[Any]:
        found: list[Any] = []

        def outer(*args: Any) -> Any:
            found[:] = path(f, args)
            return args[0]

        vjp(outer, *xs)
        return found

    return inside


def watched(path: Path) -> Path:
    """The same where nan and inf raise; without any it must not."""

    def looking(f: Function, xs: Leaves) -> list[Any]:
        try:
            with detect_anomaly():
                return path(f, xs)
        except AnomalyError:
            if _is_regular(f, xs):
                raise
            return path(f, xs)

    return looking


def _is_regular(f: Function, xs: Leaves) -> bool:
    """Whether all results and gradients on the way are finite."""
    root = f(*[leaf(x) for x in xs])
    root.backward()
    nodes: list[Any] = list(topological([root]))
    return all(math.isfinite(v.data) and math.isfinite(v.grad) for v in nodes)


TRANSFORMS: dict[str, Path] = {
    "grad": lambda f, xs: list(grad(f, _all(xs))(*xs)),
    "value_and_grad": lambda f, xs: list(value_and_grad(f, _all(xs))(*xs)[1]),
    "vjp": lambda f, xs: list(vjp(f, *xs)[1](1.0)),
    "jacobian by rows": lambda f, xs: list(jacobian(f, _all(xs))(*xs)),
    "jacobian by columns": by_columns,
}
"""Those that tell numbers, Values and arrays apart."""

PATHS: dict[str, Path] = {
    **TRANSFORMS,
    "grad, nested": nested(TRANSFORMS["grad"]),
    "jacobian by columns, nested": nested(by_columns),
    "gradients": by_gradients,
    "grad of checkpoint": lambda f, xs: list(grad(checkpoint(f), _all(xs))(*xs)),
    "grad of checkpoint, nested": nested(lambda f, xs: TRANSFORMS["grad"](checkpoint(f), xs)),
    "backward of checkpoint": lambda f, xs: by_backward(checkpoint(f), xs),
    "checkpoint by columns": lambda f, xs: by_columns(checkpoint(f), xs),
    "explain": by_explain,
    "explain, folded": lambda f, xs: by_explain(f, xs, 1),
}

NUMBERS: dict[str, Path] = {
    "jvp": by_jvp,
    "by hand": by_hand,
    "backward, watched": watched(by_backward),
    "grad, watched": watched(TRANSFORMS["grad"]),
    "gradients, watched": watched(by_gradients),
    "jvp, watched": watched(by_jvp),
}
"""Those for functions of numbers alone."""


def numbers(x: Any) -> list[float]:
    """The numbers of a float, a Value or an array."""
    if isinstance(x, int | float | Value):
        return [float(x)]
    return [float(n) for n in x.flatten().to_list()]
