"""The op under test: its sample points, and how messages name them."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from collections.abc import Sequence

from smolml_value import scalar
from smolml_value._ops.definition import VARIADIC
from smolml_value.op import Op
from smolml_value.value import Value

Point = tuple[float, ...]

POINTS = 12  # per check; 12 elements fill the shapes (3, 4) and (2, 3, 2)
_EDGE_POINTS = 256  # at most; of more combinations a seeded choice is taken
_EDGES = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0),
    *(1e-300, -1e-300, 1e-8, -1e-8, 30.0, -30.0, 1e4, -1e4, 1e300, -1e300),
    *(math.inf, -math.inf, math.nan),
)


class Subject:
    """An op and the points at which it is checked.

    Attributes:
        op: the op.
        arity: how many operands it is tried with (three, if it takes any number).
        domain: one interval per operand.
        points: points inside the domain, the same ones in every run.
    """

    def __init__(self, op: Op) -> None:
        self.op = op
        self.arity = 3 if op.arity == VARIADIC else op.arity
        self.domain = op.domain if op.arity != VARIADIC else op.domain * self.arity
        draw = random.Random(op.name)
        self.points: list[Point] = [
            tuple(low + (high - low) * draw.uniform(0.02, 0.98) for low, high in self.domain)
            for _ in range(POINTS)
        ]

    def edges(self) -> list[Point]:
        """Points at which formulas break: zeros, infinities, nan, huge ones, ends of the domain."""
        ends = [dict.fromkeys((*_EDGES, *interval)) for interval in self.domain]
        every = list(itertools.product(*ends)) if self.arity <= 2 else []
        if 0 < len(every) <= _EDGE_POINTS:
            return every
        draw = random.Random(self.op.name)
        return [tuple(draw.choice(list(e)) for e in ends) for _ in range(_EDGE_POINTS)]

    def answered(self) -> list[Point]:
        """The edge points at which the op has an answer for numbers and their gradient."""
        found = []
        for point in self.edges():
            with contextlib.suppress(Exception):  # the check of edge points has told of it
                self.op(*point)
                self.gradient(point)
                found.append(point)
        return found

    def columns(self, points: Sequence[Point]) -> list[list[float]]:
        """The points operand by operand."""
        return [list(column) for column in zip(*points, strict=True)]

    def operand(self, i: int) -> str:
        """How messages call operand i."""
        return "x" if self.arity == 1 else f"operand {i}"

    def gradient(self, point: Point) -> list[float]:
        """d op / d operand for each operand, by `backward` on Values.

        The factor, which is divided out again, makes the cotangent differ from one.
        """
        leaves = [Value(x) for x in point]
        (3.0 * self.op(*leaves)).backward()
        return [leaf.grad / 3.0 for leaf in leaves]


def explained(error: Exception) -> str:
    """What an op raised, for messages."""
    if isinstance(error, AttributeError) and error.obj is scalar:
        return (
            f"AttributeError: on numbers xp has no {error.name!r}; an element-wise rule uses "
            f"functions of elements only"
        )
    return f"{type(error).__name__}: {error}"


def show(point: Point) -> str:
    """A point for messages."""
    numbers = ", ".join(f"{x:.6g}" for x in point)
    return numbers if len(point) == 1 else f"({numbers})"
