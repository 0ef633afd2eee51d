"""What is compared for a program: machines with each other, and all paths of derivatives.

Everything is held against `backward` of MLArrays on NumPy, that against PyTorch where it is
installed, and against differences where it is not.
"""

from __future__ import annotations

import importlib.util
import math
import random
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from smolml_array import LinAlgError, MLArray, replay
from smolml_value import GraphError, Value, elementwise
from tests.fuzz.machines import OnTensors, OnValues, Ours, flat
from tests.fuzz.program import Program, nudged
from tests.fuzz.steps import run
from tests.value.paths import PATHS, SECOND, Product, numbers

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
    arguments = machine.arguments(program)
    state, loss = run(machine, program, arguments)
    loss.backward()
    made = [np.array(machine.numbers(m.x)) for m in state.made]
    number = float(loss if isinstance(loss, Value) else loss.item())
    return Outcome(made, number, machine.gradients(arguments))


@cache
def torch() -> Any:
    """PyTorch, or None."""
    return importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def function(program: Program, backend: str) -> Callable[..., Any]:
    """The loss of a program as a function of its arguments."""
    return lambda *arguments: run(Ours(backend), program, arguments)[1]


class Subject:
    """A program, and what `backward` says of it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.wanted = outcome(Ours("numpy"), program)
        parts = [*map(np.ravel, self.wanted.made), self.wanted.gradients]
        every = np.concatenate([np.asarray(part, dtype=float) for part in parts])
        finite = np.abs(every[np.isfinite(every)])
        self.finite = len(finite) == len(every)
        self.scale = float(finite.max(initial=1.0))

    def curvature(self) -> Numbers:
        """The Hessian times a direction."""
        self.exact = torch() is not None and not self.program.edges
        if self.exact:
            return curvature_of_tensors(self.program, _direction(self))
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


def _compare(subject: Subject, got: Outcome, tolerance: float = 1e-9) -> None:
    for k, (one, other) in enumerate(zip(got.made, subject.wanted.made, strict=True)):
        subject.same(one, other, f"v{k}", tolerance)
    subject.same(got.loss, subject.wanted.loss, "loss", 10 * tolerance)
    subject.same(got.gradients, subject.wanted.gradients, "gradients", 100 * tolerance)


def on_pure(subject: Subject) -> None:
    _compare(subject, outcome(Ours("pure"), subject.program))


def on_values(subject: Subject) -> None:
    """Where numbers are finite: otherwise the matrices of what is linear say something else."""
    if not subject.finite:
        raise NothingError
    _compare(subject, outcome(OnValues("numpy"), subject.program))


def on_tensors(subject: Subject) -> None:
    if subject.program.edges or torch() is None:
        raise NothingError
    got = outcome(OnTensors(torch()), subject.program)
    if not np.isfinite(got.gradients).all():
        raise NothingError  # PyTorch has no rule for zero times infinity
    _compare(subject, got)


def by_differences(subject: Subject) -> None:
    """Along one direction, by a step and its half, which must agree."""
    if not subject.smooth:
        raise NothingError
    wanted = sum(g * u for g, u in zip(subject.wanted.gradients, _direction(subject), strict=True))

    def at(h: float) -> float:
        machine, program = Ours("numpy"), moved(subject, h)
        return float(run(machine, program, machine.arguments(program))[1])

    def slope(h: float) -> float:
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)

    coarse, fine = slope(1e-3), slope(5e-4)
    if not abs(coarse - fine) < 1e-5 * (1 + subject.scale):
        raise NothingError  # a kink nearby
    assert abs(fine - wanted) < 1e-4 * (1 + subject.scale), f"{wanted}, and differences {fine}"


def moved(subject: Subject, h: float) -> Program:
    """The program at another point, h along the direction."""
    units = iter(_direction(subject))
    leaves = [
        leaf._replace(numbers=tuple(n + h * next(units) for n in leaf.numbers))
        for leaf in subject.program.leaves
    ]
    return subject.program._replace(leaves=tuple(leaves))


def curvature_of_tensors(program: Program, direction: Numbers) -> Numbers:
    """By PyTorch, in reverse over reverse."""
    machine = OnTensors(torch())
    arguments = machine.arguments(program)
    _, loss = run(machine, program, arguments)
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    slopes = torch().autograd.grad(loss, arguments, create_graph=True, **options)
    flat = torch().cat([g.reshape(-1) for g in slopes])
    along = flat @ torch().tensor(direction, dtype=flat.dtype)
    if not along.requires_grad:
        return [0.0] * len(direction)
    found = torch().autograd.grad(along, arguments, **options)
    products = [float(n) for g in found for n in g.reshape(-1)]
    if not np.isfinite(products).all():
        raise NothingError  # it has no rule for zero times infinity
    return products


def _direction(subject: Subject) -> Numbers:
    return [math.cos(1.7 * i + 0.3) for i in range(len(subject.wanted.gradients))]


def twice(subject: Subject) -> None:
    """A pass that fails changes nothing; another pass adds the same once more."""
    machine = Ours("numpy")
    arguments = machine.arguments(subject.program)
    _, loss = run(machine, subject.program, arguments)
    loss.backward()
    with suppress(BrokenError):
        (loss * failing(loss * 1.0)).backward()
    subject.same(machine.gradients(arguments), subject.wanted.gradients, "after a failed pass")
    loss.backward()
    subject.same(
        machine.gradients(arguments), [2 * g for g in subject.wanted.gradients], "second pass"
    )


class BrokenError(Exception):
    """What the failing op raises."""


def _fail(xp: Any, g: Any, out: Any, x: Any) -> tuple[Any]:
    raise BrokenError


failing = elementwise("failing", lambda xp, x: x, vjp=_fail)


def by_path(path: Any, backend: str, subject: Subject) -> None:
    """Another way to the gradient; or it is refused, as data was set since the forward."""
    if not np.isfinite(subject.wanted.gradients).all():
        raise NothingError  # what an infinite slope times zero is depends on the way
    arguments = Ours(backend).arguments(subject.program)
    found = permitted(lambda: path(function(subject.program, backend), arguments), subject)
    got: Numbers = []
    for x, g in zip(arguments, found, strict=True):
        each = flat(g)
        got += each if isinstance(g, MLArray | list) or isinstance(x, Value) else each * x.size()
    subject.same(got, subject.wanted.gradients, "gradients", 1e-8)


def permitted(f: Callable[[], Any], subject: Subject) -> Any:
    """f(), where a refusal is nothing to compare if the program sets data after it was used."""
    try:
        return f()
    except GraphError as error:
        if "was set after the op was recorded" in str(error) and subject.sets:
            raise NothingError from error
        raise


def by_replay(subject: Subject) -> None:
    """On other numbers than those that were recorded, to the last bit; or it is refused."""
    program = subject.program
    if any(leaf.kind != "array" for leaf in program.leaves):
        raise NothingError
    machine = Ours("numpy")
    eager, played = (machine.arguments(program) for _ in range(2))
    step = replay(lambda: function(program, "numpy")(*played), played)
    for k, other in enumerate((program, nudged(program, 1), nudged(program, 2))):
        arrays = [leaf.array() for leaf in other.leaves]
        for x, y, a in zip(eager, played, arrays, strict=True):
            x.update_values(a).zero_grad()
            y.update_values(a).zero_grad()
        loss = function(program, "numpy")(*eager)
        loss.backward()
        try:
            got = step()
        except GraphError as error:
            reads = {"assign", "element", "look", "set", "select", "where", "fused", "detached"}
            if reads.isdisjoint(s.name for s in program.steps):
                raise
            raise NothingError from error
        same = all(
            np.array_equal(np.asarray(y.grad()), np.asarray(x.grad()), equal_nan=True)
            for x, y in zip(eager, played, strict=True)
        )
        assert float(got) == float(loss) or math.isnan(float(loss)), f"{k}: {got}, not {loss}"
        assert same, f"{k}: gradients differ from the graph's in a bit"


# Second order -------------------------------------------------------------------------------------


def by_second(path: Product, backend: str, subject: Subject) -> None:
    """The Hessian times a direction, against PyTorch, or differences of gradients."""
    wanted = subject.curvature()
    scale = max(map(abs, wanted), default=0.0)
    if not scale < TAME:
        raise NothingError
    arguments = Ours(backend).arguments(subject.program)
    us = list(_direction(subject))
    directions: list[Any] = []
    for x in arguments:
        count = x.size() if isinstance(x, MLArray) else 1
        part, us = us[:count], us[count:]
        shaped = np.reshape(part, x.shape if isinstance(x, MLArray) else ())
        constant = MLArray(shaped, False, backend=backend) if isinstance(x, MLArray) else part[0]
        directions.append(constant)
    f = function(subject.program, backend)
    found = permitted(lambda: path(f, arguments, directions), subject)
    got: Numbers = []
    for x, g in zip(arguments, found, strict=True):
        each = numbers(g)
        got += each if len(each) == len(numbers(x)) else each * len(numbers(x))
    tolerance = 1e-8 if subject.exact else 1e-4
    subject.same(got, wanted, "second derivatives", tolerance * (1.0 + scale))


FIRST: dict[str, Callable[[Subject], None]] = {
    "pure": on_pure,
    "Values": on_values,
    "tensors": on_tensors,
    "differences": by_differences,
    "twice": twice,
    "replay": by_replay,
}
"""Machines beside each other, and what a graph must bear."""

AGAIN: dict[str, Callable[[Subject], None]] = {
    f"{name}, {backend}": lambda s, path=path, backend=backend: by_path(path, backend, s)  # type: ignore[misc]
    for name, path in PATHS.items()
    for backend in ("numpy", "pure")
}
"""All ways to the gradient."""

TWICE: dict[str, Callable[[Subject], None]] = {
    f"{name}, {backend}": lambda s, path=path, backend=backend: by_second(path, backend, s)  # type: ignore[misc]
    for name, path in SECOND.items()
    for backend in ("numpy", "pure")
}
"""All ways to second derivatives."""

CHECKS = FIRST | AGAIN | TWICE


def chosen(rng: random.Random) -> list[str]:
    """Checks for one program: an oracle, and often one of the others."""
    others = rng.choice((FIRST, AGAIN, TWICE, {}, {}))
    return ["tensors" if torch() else "differences", *rng.sample([*others], min(len(others), 1))]


def verify(
    program: Program, names: list[str], count: Callable[[str], object] = str
) -> Failure | None:
    """The first of these checks that fails; `count` is told those that compared something."""
    name = "backward"
    try:
        with np.errstate(all="ignore"):
            try:
                subject = Subject(program)
            except LinAlgError:  # a singular matrix is refused; what goes through must agree
                return None
            if not subject.tame:
                return None
            count(name)
            for name in names:
                with suppress(NothingError):
                    CHECKS[name](subject)
                    count(name)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error}"
        if not isinstance(error, AssertionError):
            told += f" ({where.filename.rpartition('/')[2]}:{where.lineno})"
        return Failure(name, told)
    return None
