"""A random program as data: leaves, constants and steps; drawn, made smaller, printed.

A step names an entry of the table `STEPS` and has numbers that choose its operands and parameters.
Any numbers are a program: operands are counted backwards from the latest result, modulo how many
there are, and what does not fit is made to fit or does nothing. So steps can be left out one by
one, and numbers be set to 0, and what remains is a program.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]


class Leaf(NamedTuple):
    """An argument: an array, one Value, or an array made of Values."""

    kind: str
    shape: Shape
    numbers: tuple[float, ...]

    def array(self) -> Any:
        return np.array(self.numbers, dtype=float).reshape(self.shape)


class Constant(NamedTuple):
    """Numbers of a dtype, from which constants of any shape are made."""

    dtype: str
    numbers: tuple[float, ...]


class Step(NamedTuple):
    name: str
    operands: tuple[int, int, int]
    choices: int


class Program(NamedTuple):
    leaves: tuple[Leaf, ...]
    constants: tuple[Constant, ...]
    steps: tuple[Step, ...]
    edges: bool = False  # whether numbers are zeros, ties, infinities, and domains are left

    def __str__(self) -> str:
        rows = [f"    {row}," for part in self[:3] for row in ("(", *part, ")")]
        text = "\n".join(["Program(", *rows, f"    edges={self.edges},", ")"])
        return text.replace("    (,", "    (").replace("nan", "math.nan").replace("inf", "math.inf")


SHAPES: tuple[Shape, ...] = ((), (2,), (3,), (2, 3), (3, 2), (2, 2), (1, 3), (2, 1, 2), (1,), (4,))
EDGES = (0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 1.0, 0.0, 3.0)
EXTREMES = (*EDGES, math.inf, -math.inf)
_DTYPES = ("float64", "float64", "int64", "bool")


def draw(seed: int | str, names: Sequence[str], most: int = 9) -> Program:
    """The program of a seed, with steps of these names."""
    rng = random.Random(seed)
    edges = rng.random() < 0.25
    pool = EXTREMES if rng.random() < 0.3 else EDGES

    def numbers(count: int) -> tuple[float, ...]:
        if edges:
            return tuple(rng.choice(pool) for _ in range(count))
        return tuple(round(rng.uniform(-1.7, 1.7), 4) for _ in range(count))

    leaves = []
    for _ in range(rng.randint(1, 3)):
        shape = rng.choice(SHAPES)
        kind = rng.choice(("array", "array", "array", "values", "value"))
        shape = () if kind == "value" else shape
        leaves.append(Leaf(kind, shape, numbers(math.prod(shape))))
    constants = []
    for _ in range(2):
        dtype = rng.choice(_DTYPES)
        whole = tuple(float(rng.randint(-2, 3)) for _ in range(5))
        constants.append(Constant(dtype, numbers(5) if dtype == "float64" else whole))
    steps = [
        Step(
            rng.choice(names),
            (rng.choice((0, 0, 0, 1, 2, 3, 5)), rng.randrange(8), rng.randrange(8)),
            rng.randrange(10**9),
        )
        for _ in range(rng.randint(1, most))
    ]
    return Program(tuple(leaves), tuple(constants), tuple(steps), edges)


def smaller(program: Program) -> Iterator[Program]:
    """Programs that do less: without a step, with fewer choices, with simpler leaves."""
    steps = program.steps
    for i in range(len(steps)):
        yield program._replace(steps=steps[:i] + steps[i + 1 :])
    if len(program.leaves) > 1:
        for i in range(len(program.leaves)):
            yield program._replace(leaves=program.leaves[:i] + program.leaves[i + 1 :])
    for i, leaf in enumerate(program.leaves):
        for other in _simpler(leaf, program.edges):
            leaves = (*program.leaves[:i], other, *program.leaves[i + 1 :])
            yield program._replace(leaves=leaves)
    for i, step in enumerate(steps):
        changes = [step._replace(choices=k) for k in {0, step.choices % 1000, step.choices // 7}]
        first, second, third = step.operands
        for operands in ((0, second, third), (first, 0, third), (first, second, 0)):
            changes.append(step._replace(operands=operands))
        for change in changes:
            if change < step:
                yield program._replace(steps=(*steps[:i], change, *steps[i + 1 :]))


def _simpler(leaf: Leaf, edges: bool) -> Iterator[Leaf]:
    for shape in ((), (2,)):
        count = math.prod(shape)
        if count < len(leaf.numbers):
            yield Leaf(leaf.kind, shape, leaf.numbers[:count])
    if leaf.kind == "values":
        yield leaf._replace(kind="array")
    for i, number in enumerate(leaf.numbers):
        for simple in (0.0, 1.0) if edges else (0.5, round(number, 1)):
            if number != simple and len(str(number)) > len(str(simple)):
                yield leaf._replace(numbers=(*leaf.numbers[:i], simple, *leaf.numbers[i + 1 :]))


def shrunk(program: Program, fails: Any, most: int = 400) -> Program:
    """The smallest program that is found which fails as this one does."""
    tries = 0
    found = True
    while found and tries < most:
        found = False
        for candidate in smaller(program):
            tries += 1
            if fails(candidate):
                program, found = candidate, True
                break
            if tries >= most:
                break
    return program


def nudged(program: Program, seed: int) -> Program:
    """The program at numbers very near: what is no tie of rounding stays as it is."""
    rng = random.Random(seed)
    return program._replace(
        leaves=tuple(
            leaf._replace(numbers=tuple(n + rng.uniform(-1e-4, 1e-4) for n in leaf.numbers))
            for leaf in program.leaves
        )
    )


def levelled(program: Program, number: float) -> Program:
    """The program where all numbers of its leaves are this one."""
    return program._replace(
        leaves=tuple(
            leaf._replace(numbers=(number,) * len(leaf.numbers)) for leaf in program.leaves
        )
    )
