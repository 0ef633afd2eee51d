"""All ways to a gradient: each takes a function and its arguments, and gives what it finds.

The arguments are floats, Values or arrays, the function returns one number. Tests walk the table
`PATHS`; a new way is one entry in it, a new op none at all.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smolml_value import (
    AnomalyError,
    Value,
    checkpoint,
    detect_anomaly,
    explain,
    grad,
    gradients,
    hessian,
    hvp,
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
    count = 1 + sum(x.size() if hasattr(x, "size") else 1 for x in xs)
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
    """The same where nan and inf raise; where all is finite it must not."""

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
    nodes = topological([root if isinstance(root, Value) else root._current_node()])
    return all(map(math.isfinite, itertools.chain.from_iterable(map(_seen, nodes))))


def _seen(node: Any) -> list[float]:
    """The numbers and the gradient of a Value, or of the node of an array."""
    if isinstance(node, Value):
        return [node.data, node.grad]
    parts = [part for part in (node.raw, node.grad) if part is not None]
    return [float(n) for part in parts for n in node.backend.to_flat(part)]


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

WATCHED: dict[str, Path] = {
    "backward, watched": watched(by_backward),
    "grad, watched": watched(TRANSFORMS["grad"]),
    "gradients, watched": watched(by_gradients),
}
"""Those that look for nan and inf."""

NUMBERS: dict[str, Path] = {
    **WATCHED,
    "jvp": by_jvp,
    "by hand": by_hand,
    "jvp, watched": watched(by_jvp),
}
"""Those for functions of numbers alone."""


def numbers(x: Any) -> list[float]:
    """The numbers of a float, a Value, an array, or a list of numbers."""
    if isinstance(x, int | float | Value):
        return [float(x)]
    return [float(n) for n in (x if isinstance(x, list) else x.flatten().to_list())]


# Second derivatives: all ways to the product of the Hessian with a direction -------------------

Product = Callable[[Function, Leaves, Leaves], list[Any]]


def dot(xs: Leaves, us: Leaves) -> Any:
    """The sum of all products."""
    products = [x * u for x, u in zip(xs, us, strict=True)]
    first, *others = (p if isinstance(p, float | Value) else p.sum() for p in products)
    return sum(others, first)


def _blocks(blocks: Any, xs: Leaves, us: Leaves) -> list[Any]:
    """A matrix in blocks, a row of them for each argument, times a direction."""
    found = []
    for x, row in zip(xs, blocks, strict=True):
        out = [0.0] * len(numbers(x))
        for block, u in zip(row, us, strict=True):
            flat, along = numbers(block), numbers(u)
            for i in range(len(out)):
                part = flat[i * len(along) : (i + 1) * len(along)]
                out[i] += math.fsum(p * n for p, n in zip(part, along, strict=True) if n)
        found.append(out)
    return found


def by_gradients_twice(f: Function, xs: Leaves, us: Leaves) -> list[Any]:
    leaves = [leaf(x) for x in xs]
    return gradients(dot(gradients(f(*leaves), leaves), us), leaves)


def reverse_over_reverse(f: Function, xs: Leaves, us: Leaves) -> list[Any]:
    every = _all(xs)
    return list(grad(lambda *zs: dot(grad(f, every)(*zs), us), every)(*xs))


def forward_over_reverse(f: Function, xs: Leaves, us: Leaves) -> list[Any]:
    return list(jvp(lambda *zs: list(grad(f, _all(zs))(*zs)), tuple(xs), tuple(us))[1])


def slope(f: Function, us: Leaves) -> Function:
    """The derivative of f along a direction, in forward mode."""
    return lambda *zs: jvp(f, zs, tuple(us))[1]


SECOND: dict[str, Product] = {
    "hessian": lambda f, xs, us: _blocks(hessian(f, _all(xs))(*xs), xs, us),
    "hvp": lambda f, xs, us: list(hvp(lambda zs: f(*zs))(list(xs), list(us))),
    "reverse over reverse": reverse_over_reverse,
    "forward over reverse": forward_over_reverse,
    "reverse over forward": lambda f, xs, us: list(grad(slope(f, us), _all(xs))(*xs)),
    "forward over forward": lambda f, xs, us: by_columns(slope(f, us), xs),
    "jacobian of grad": lambda f, xs, us: _blocks(
        jacobian(lambda *zs: list(grad(f, _all(zs))(*zs)), _all(xs))(*xs), xs, us
    ),
    "gradients twice": by_gradients_twice,
    "checkpoint, reverse over reverse": lambda f, xs, us: reverse_over_reverse(
        checkpoint(f), xs, us
    ),
    "checkpoint, forward over reverse": lambda f, xs, us: forward_over_reverse(
        checkpoint(f), xs, us
    ),
}
"""The Hessian times a direction."""


def check_second(
    f: Function, xs: Leaves, us: Leaves, where: str, ways: Mapping[str, Product] = SECOND
) -> None:
    """All ways to a second derivative agree with the first of them."""
    wanted: list[float] = []
    for name, way in ways.items():
        found = [n for x, g in zip(xs, way(f, xs, us), strict=True) for n in spread(g, x)]
        wanted = wanted or found
        scale = max((abs(n) for n in wanted if math.isfinite(n)), default=0.0)
        for got, want in zip(found, wanted, strict=True):
            near = abs(got - want) <= 1e-9 * (1.0 + scale)  # False for inf and nan
            same = near or got == want or (math.isnan(got) and math.isnan(want))
            assert same, f"{where} at {xs}, {name}: {found}, and {next(iter(ways))} {wanted}"


def spread(g: Any, x: Any) -> list[float]:
    """The numbers of a gradient for each of x: one 0.0 stands for all if x is not reached."""
    found, count = numbers(g), len(numbers(x))
    return found if len(found) == count else found * count
