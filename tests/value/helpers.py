"""What the tests of smolml-value share: edge numbers, exact comparison, gradients, samples."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from smolml_value import Op, Value

TINY = 5e-324  # the smallest subnormal
HUGE = 1.7976931348623157e308
_POSITIVE_EDGES = (
    *(TINY, 2.2250738585072014e-308, 1e-200, 1e-17, 1e-8, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 30.0),
    *(36.9, 709.7, 709.8, 745.2, 1e9, 2.0**53, 1e20, 1e155, 1e200, HUGE, math.inf),
)
EDGES: tuple[float, ...] = (
    *(0.0, -0.0, math.nan),
    *_POSITIVE_EDGES,
    *(-x for x in _POSITIVE_EDGES),
)


def identical(x: float, y: float) -> bool:
    """Equal as IEEE numbers: nan equals nan, and the sign of a zero counts."""
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y and math.copysign(1.0, x) == math.copysign(1.0, y)


def close(x: float, y: float, rel: float = 1e-12, floor: float = 0.0) -> bool:
    """identical, or both finite and within `rel` of y (or within the absolute `floor`)."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return identical(x, y)
    # a result below the normal numbers has few digits left
    return abs(x - y) <= max(rel * abs(y), floor, 4 * TINY)


def gradients(f: Callable[..., Value], *xs: float) -> list[float]:
    """The gradient of `f` at `xs` by backward."""
    leaves = [Value(x) for x in xs]
    f(*leaves).backward()
    return [leaf.grad for leaf in leaves]


def operand_count(op: Op) -> int:
    """How many operands to try `op` with; three where it takes any number."""
    return 3 if op.arity == -1 else op.arity


def samples(op: Op, count: int = 16) -> list[tuple[float, ...]]:
    """Points spread over the domain of `op`; the same ones in every run."""
    draw = random.Random(op.name)
    operands = operand_count(op)
    intervals = op.domain if op.arity != -1 else op.domain * operands
    return [tuple(draw.uniform(*interval) for interval in intervals) for _ in range(count)]


def difference(f: Callable[..., float], xs: Sequence[float], i: int) -> float | None:
    """d f / d xs[i] by central differences of fourth order; None at a jump or a kink nearby."""

    def at(shift: float) -> float:
        return f(*xs[:i], xs[i] + shift, *xs[i + 1 :])

    def slope(h: float) -> float:
        return (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)

    coarse, fine = slope(1e-3), slope(5e-4)
    return fine if abs(coarse - fine) <= 1e-6 * (1.0 + abs(fine)) else None
