"""What is compared for a program: machines with each other, and all paths of derivatives.

Everything is held against `backward` of MLArrays on NumPy, that against PyTorch where it is
installed, and against differences where it is not.
"""

from __future__ import annotations

import math
import random
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from smolml_array import LinAlgError, MLArray, replay
from smolml_value import GraphError, Value, elementwise
from tests.fuzz.beside import by_another_build
from tests.fuzz.hips import on_autograd
from tests.fuzz.machines import OnTensors, OnValues, Ours, flat
from tests.fuzz.program import Program, levelled, nudged
from tests.fuzz.steps import run
from tests.fuzz.subject import (
    TAME,
    Failure,
    NothingError,
    Numbers,
    Subject,
    compare,
    direction_of,
    function,
    moved,
    outcome,
    torch,
)
from tests.value.paths import PATHS, SECOND, Product, numbers


def on_pure(subject: Subject) -> None:
    compare(subject, outcome(Ours("pure"), subject.program))


def on_values(subject: Subject) -> None:
    """Where numbers are finite: otherwise the matrices of what is linear say something else."""
    if not subject.finite:
        raise NothingError
    compare(subject, outcome(OnValues("numpy"), subject.program))


def on_tensors(subject: Subject) -> None:
    if subject.program.edges or torch() is None:
        raise NothingError
    got = outcome(OnTensors(torch(), subject.rounding), subject.program)
    silent = [not math.isfinite(g) for g in got.gradients]  # it has no rule for 0 times infinity
    if any(silent) and not subject.rounding:
        raise NothingError
    pairs = zip(silent, got.gradients, subject.wanted.gradients, strict=True)
    compare(subject, got._replace(gradients=[w if no else g for no, g, w in pairs]))


def by_differences(subject: Subject) -> None:
    """Along one direction, by a step and its half, which must agree."""
    if not subject.smooth:
        raise NothingError
    wanted = sum(
        g * u for g, u in zip(subject.wanted.gradients, direction_of(subject), strict=True)
    )

    def at(h: float) -> float:
        machine, program = Ours("numpy"), moved(subject, h)
        return float(run(machine, program, machine.arguments(program))[1])

    def slope(h: float) -> float:
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)

    coarse, fine = slope(1e-3), slope(5e-4)
    if not abs(coarse - fine) < 1e-5 * (1 + subject.scale):
        raise NothingError  # a kink nearby
    assert abs(fine - wanted) < 1e-4 * (1 + subject.scale), f"{wanted}, and differences {fine}"


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
    others = (nudged(program, 1), levelled(program, 0.5), nudged(program, 2))
    for k, other in enumerate((program, *others, levelled(program, math.inf))):
        arrays = [leaf.array() for leaf in other.leaves]
        for x, y, a in zip(eager, played, arrays, strict=True):
            x.update_values(a).zero_grad()
            y.update_values(a).zero_grad()
        try:
            got = unless_singular(step)
        except GraphError as error:
            reads = {"assign", "element", "look", "set", "select", "where", "fused", "detached"}
            if reads.isdisjoint(s.name for s in program.steps):
                raise
            raise NothingError from error
        want = unless_singular(lambda: backward_of(function(program, "numpy")(*eager)))
        assert (got is None) is (want is None), f"{k}: {got}, not {want}"
        found = [got, *(y.grad() for y in played)] if got is not None else []
        wanted = [want, *(x.grad() for x in eager)] if got is not None else []
        for i, (one, two) in enumerate(zip(found, wanted, strict=True)):
            a, b = np.asarray(one), np.asarray(two)
            what = f"gradient {i - 1}" if i else "loss"
            same = np.array_equal(a, b, equal_nan=True)
            assert same, f"{k}, {what}: {a.tolist()}, which to the bit is {b.tolist()}"


def unless_singular(f: Callable[[], Any]) -> Any:
    """f(), or None where a matrix is refused."""
    try:
        return f()
    except LinAlgError:
        return None


def backward_of(loss: Any) -> Any:
    loss.backward()
    return loss.detach()


# Second order -------------------------------------------------------------------------------------


def by_second(path: Product, backend: str, subject: Subject) -> None:
    """The Hessian times a direction, against PyTorch, or differences of gradients."""
    wanted = subject.curvature()
    scale = max(map(abs, wanted), default=0.0)
    if not scale < TAME:
        raise NothingError
    arguments = Ours(backend).arguments(subject.program)
    us = list(direction_of(subject))
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
    "autograd": on_autograd,
    "twice": twice,
    "replay": by_replay,
    "another build": by_another_build,
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


def chosen(rng: random.Random, second: bool = False) -> list[str]:
    """Checks for one program: an oracle, and often one of the others; or a second derivative."""
    if second:
        return [rng.choice([*TWICE])]
    others = rng.choice((FIRST, FIRST, AGAIN, TWICE, {}))
    return ["tensors" if torch() else "differences", *rng.sample([*others], min(len(others), 1))]


def verify(
    program: Program,
    names: list[str],
    count: Callable[[str], object] = str,
    rounding: int = 0,
) -> Failure | None:
    """The first of these checks that fails; `count` is told those that compared something."""
    name = "backward"
    try:
        with np.errstate(all="ignore"):
            try:
                subject = Subject(program, rounding)
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
