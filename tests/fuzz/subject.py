"""A program that is examined: what it makes, and what `backward` on NumPy says of it."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tests.fuzz.machines import OnTensors, Ours
from tests.fuzz.program import Program
from tests.fuzz.steps import run

Numbers = list[float]
TAME = 1e5


class NothingError(Exception):
    """There is nothing to compare."""


class Failure(NamedTuple):
    """What disagreed: which check, and how."""

    check: str
    message: str


class Outcome(NamedTuple):
    made: list[Any]
    loss: float
    gradients: Numbers


def outcome(machine: Any, program: Program) -> Outcome:
    """All that a program makes and its gradients, by backward."""
    made: list[Any] = []

    def f(arguments: Any) -> Any:
        state, loss = run(machine, program, arguments)
        made[:] = [np.array(machine.numbers(m.x)) for m in state.made]
        return loss

    return Outcome(made, *machine.differentiated(f, machine.arguments(program)))


@cache
def torch() -> Any:
    """PyTorch, or None."""
    return importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def function(program: Program, backend: str) -> Callable[..., Any]:
    """The loss of a program as a function of its arguments."""
    return lambda *arguments: run(Ours(backend), program, arguments)[1]


class Subject:
    """A program, and what `backward` says of it.

    Args:
        program: the program.
        rounding: how PyTorch is to round otherwise than it does; 0 for not at all.
    """

    def __init__(self, program: Program, rounding: int = 0) -> None:
        self.program, self.rounding = program, rounding
        self.wanted = outcome(Ours("numpy"), program)
        parts = [*map(np.ravel, self.wanted.made), self.wanted.gradients]
        every = np.concatenate([np.asarray(part, dtype=float) for part in parts])
        finite = np.abs(every[np.isfinite(every)])
        self.finite = len(finite) == len(every)
        self.scale = float(finite.max(initial=1.0))

    def curvature(self) -> Numbers:
        """The Hessian times a direction."""
        if self.exact:
            return curvature_of_tensors(self)
        if not self.smooth:
            raise NothingError
        return self._curvature_by_differences()

    def _curvature_by_differences(self) -> Numbers:
        def at(h: float) -> Any:
            return np.array(outcome(Ours("numpy"), moved(self, h)).gradients)

        coarse, fine = ((at(h) - at(-h)) / (2 * h) for h in (2e-4, 1e-4))
        if not np.abs(coarse - fine).max(initial=0.0) < 1e-5 * (1 + self.scale):
            raise NothingError  # a kink nearby
        return [float(n) for n in fine]

    @property
    def exact(self) -> bool:
        """Whether PyTorch says what its second derivatives are."""
        return torch() is not None and not self.program.edges

    @property
    def sets(self) -> bool:
        """Whether it sets numbers."""
        return any(step.name in ("set", "assign") for step in self.program.steps)

    @property
    def smooth(self) -> bool:
        """Whether differences of the loss say what its gradient is."""
        cut = {"detached", "set"}
        return not self.program.edges and cut.isdisjoint(step.name for step in self.program.steps)

    @property
    def tame(self) -> bool:
        """Whether rounding does not decide what the numbers are."""
        return self.scale < TAME and (self.finite or self.program.edges)

    def same(self, got: Any, want: Any, what: str, tolerance: float = 1e-9) -> None:
        """Numbers that agree, or an AssertionError."""
        one, other = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
        assert one.shape == other.shape, f"{what}: shape {one.shape}, not {other.shape}"
        bound = tolerance * (1.0 + self.scale)
        with np.errstate(all="ignore"):
            equal = (one == other) | (np.isnan(one) & np.isnan(other))
            near = equal | (np.abs(one - other) <= bound)
        assert near.all(), f"{what}: {one.tolist()}, not {other.tolist()}"


def compare(subject: Subject, got: Outcome, tolerance: float = 1e-9) -> None:
    for k, (one, other) in enumerate(zip(got.made, subject.wanted.made, strict=True)):
        subject.same(one, other, f"v{k}", tolerance)
    subject.same(got.loss, subject.wanted.loss, "loss", 10 * tolerance)
    subject.same(got.gradients, subject.wanted.gradients, "gradients", 100 * tolerance)


def moved(subject: Subject, h: float) -> Program:
    """The program at another point, h along the direction."""
    units = iter(direction_of(subject))
    leaves = [
        leaf._replace(numbers=tuple(n + h * next(units) for n in leaf.numbers))
        for leaf in subject.program.leaves
    ]
    return subject.program._replace(leaves=tuple(leaves))


def curvature_of_tensors(subject: Subject) -> Numbers:
    """By PyTorch, in reverse over reverse."""
    machine = OnTensors(torch(), subject.rounding)
    arguments = machine.arguments(subject.program)
    _, loss = run(machine, subject.program, arguments)
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    slopes = torch().autograd.grad(loss, arguments, create_graph=True, **options)
    flat = torch().cat([g.reshape(-1) for g in slopes])
    direction = direction_of(subject)
    along = flat @ torch().tensor(direction, dtype=flat.dtype)
    if not along.requires_grad:
        return [0.0] * len(direction)
    found = torch().autograd.grad(along, arguments, **options)
    products = [float(n) for g in found for n in g.reshape(-1)]
    if not np.isfinite(products).all():
        raise NothingError  # it has no rule for zero times infinity
    return products


def direction_of(subject: Subject) -> Numbers:
    return [math.cos(1.7 * i + 0.3) for i in range(len(subject.wanted.gradients))]
