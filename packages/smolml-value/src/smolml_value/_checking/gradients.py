"""The work of check_grads: a function's columns and rows of derivatives against quotients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from smolml_value._checking.diagnosis import Misfit, likely_reason
from smolml_value._checking.quotients import Quotient, Vector, central, one_sided
from smolml_value._derivatives import derive, trees
from smolml_value._derivatives.arguments import Inputs
from smolml_value._derivatives.nesting import Level
from smolml_value._derivatives.trees import Tree
from smolml_value.node import OperandBase
from smolml_value.recording import no_grad
from smolml_value.transforms import jvp, vjp

_SHOWN = 3  # how many misfits a message lists


class _Settings(NamedTuple):
    modes: tuple[str, ...]
    rtol: float | None
    step: float | None
    elements: int
    rng: Random


def check(
    f: Callable[..., Tree],
    args: tuple[Tree, ...],
    order: int,
    modes: tuple[str, ...],
    rtol: float | None,
    step: float | None,
    elements: int,
    seed: int,
) -> None:
    """What `check_grads` does, which describes the arguments."""
    names = [f"argument {i}" for i in range(len(args))]
    Inputs("check_grads", Level(traced=False, connected=False), args, names)  # raises if need be
    settings = _Settings(modes, rtol, step, elements, Random(seed))
    _check(_Subject(f, args, settings), order, "")


class _Subject:
    """A function of trees as a function of numbers."""

    def __init__(self, f: Callable[..., Tree], args: tuple[Tree, ...], settings: _Settings) -> None:
        self.f = f
        self.args = args
        self.settings = settings
        self.leaves = trees.leaves(args)
        self.point = _flat(self.leaves)
        with no_grad():
            self.result = self.called(self.point)
        outputs = trees.leaves(self.result)
        self.value = _flat(outputs)
        self.epsilon = max(map(derive.epsilon, [*self.leaves, *outputs]), default=2.0**-52)
        self.rtol = settings.rtol or self.epsilon**0.4
        self.labels = _labels("argument ", args)
        self.result_labels = _labels("the result", (self.result,), only=True)

    def arguments(self, numbers: Vector) -> Tree:
        """The arguments with other numbers; Values for floats, as the transforms do it."""
        return trees.rebuild(self.args, _unflat(self.leaves, numbers))

    def called(self, numbers: Vector) -> Tree:
        return self.f(*self.arguments(numbers))

    def __call__(self, numbers: Vector) -> Vector:
        with no_grad():
            found = _flat(trees.leaves(self.called(numbers)))
        if len(found) != len(self.value):
            raise AssertionError(
                f"check_grads: the size of the result depends on the numbers: {len(self.value)} "
                f"elements at the point itself, {len(found)} near it"
            )
        return found

    def directions(self) -> Iterator[tuple[str, Vector]]:
        """Unit vectors, or for large arguments some of them and random directions."""
        return _directions(self.point, self.labels, self.settings)

    def random_direction(self, like: list[Any], size: int) -> list[Any]:
        return _unflat(like, [self.settings.rng.uniform(0.5, 1.5) for _ in range(size)])


def _flat(leaves: list[Any]) -> Vector:
    return [number for x in leaves for number in derive.to_floats(x)]


def _unflat(like: list[Any], numbers: Vector) -> list[Any]:
    made, start = [], 0
    for x in like:
        stop = start + len(derive.to_floats(x))
        x = x if isinstance(x, OperandBase) else derive.leaf(float(x))
        made.append(derive.from_floats(x, numbers[start:stop]))
        start = stop
    return made


def _labels(prefix: str, given: tuple[Tree, ...], only: bool = False) -> list[str]:
    """What to call each number: argument 0['w'], element (1, 2)."""
    labels = []
    for i, tree in enumerate(given):
        name = prefix if only else f"{prefix}{i}"
        for path, x in zip(trees.paths(tree), trees.leaves(tree), strict=True):
            shape = derive.shape_of(x)
            for k in range(math.prod(shape)):
                place = [k // math.prod(shape[a + 1 :]) % n for a, n in enumerate(shape)]
                where = f", element ({', '.join(map(str, place))})" if shape else ""
                labels.append(f"{name}{path}{where}")
    return labels


def _directions(
    point: Vector, labels: list[str], settings: _Settings
) -> Iterator[tuple[str, Vector]]:
    count = len(point)
    chosen: Sequence[int] = range(count)
    if count > settings.elements:
        chosen = sorted(settings.rng.sample(range(count), settings.elements))
    for i in chosen:
        unit = [0.0] * count
        unit[i] = 1.0
        yield labels[i], unit
    if count > settings.elements:
        for _ in range(2):
            length = math.sqrt(count)
            yield "a random direction", [settings.rng.gauss(0.0, 1.0 / length) for _ in point]


def _check(subject: _Subject, order: int, derived: str) -> None:
    """Check the first derivative of a subject; then those of its derivatives."""
    _check_values(subject, derived)
    if not subject.point or not subject.value:
        return
    columns = [
        (label, u, central(subject, subject.point, u, subject.epsilon, subject.settings.step))
        for label, u in subject.directions()
    ]
    for mode in subject.settings.modes:
        compare = _forward if mode == "fwd" else _reverse
        misfits = [m for m in compare(subject, columns) if m.is_wrong]
        if misfits:
            raise AssertionError(_message(subject, mode, derived, misfits, len(columns)))
    if order == 1:
        return
    outputs = trees.leaves(subject.result)
    for mode in subject.settings.modes:
        if mode == "fwd":
            f, args = subject.f, subject.args
            given = subject.random_direction(subject.leaves, len(subject.point))
            u = trees.rebuild(args, given)
            derivative: Callable[..., Tree] = lambda *xs, f=f, u=u: jvp(f, xs, u)[1]  # noqa: E731
        else:
            f = subject.f
            given = subject.random_direction(outputs, len(subject.value))
            v = trees.rebuild(subject.result, given)
            derivative = lambda *xs, f=f, v=v: vjp(f, *xs)[1](v)  # noqa: E731
        deeper = _Subject(derivative, subject.args, subject.settings)
        _check(deeper, order - 1, f"{derived}{mode}-")


def _check_values(subject: _Subject, derived: str) -> None:
    """f must be a function, and the same one where it is differentiated."""
    again = subject(subject.point)
    with_graph = _flat(trees.leaves(vjp(subject.f, *subject.arguments(subject.point))[0]))
    for other, why in [
        (again, "two calls with the same arguments gave other numbers: draw random ones outside"),
        (with_graph, "it computes other numbers when it is differentiated than in no_grad()"),
    ]:
        scale = max((abs(a) for a in subject.value if math.isfinite(a)), default=0.0)
        for label, a, b in zip(subject.result_labels, subject.value, other, strict=True):
            near = abs(a - b) <= 0.01 * subject.rtol * abs(a) + 1e3 * subject.epsilon * scale
            if not (a == b or near or (math.isnan(a) and math.isnan(b))):
                what = f"the {derived}derivative of the function" if derived else "the function"
                raise AssertionError(
                    f"check_grads: {what} is not a function: {why}; {label}: {a!r}, then {b!r}"
                )


_Columns = list[tuple[str, Vector, Quotient]]


def _forward(subject: _Subject, columns: _Columns) -> list[Misfit]:
    """J u for each direction against the difference quotient along it."""
    args = subject.arguments(subject.point)
    found = []
    for label, u, quotient in columns:
        tangent = trees.rebuild(subject.args, _unflat(subject.leaves, u))
        with no_grad():
            column = _flat(trees.leaves(jvp(subject.f, args, tangent)[1]))
        for k, name in enumerate(subject.result_labels):
            found.append(_misfit(subject, label, name, u, quotient, k, column[k]))
    return _with_scale(found)


def _reverse(subject: _Subject, columns: _Columns) -> list[Misfit]:
    """<J' v, u> for each row v and each direction u against <v, difference quotient along u>."""
    outputs = trees.leaves(subject.result)
    found = []
    with no_grad():
        _, pullback = vjp(subject.f, *subject.arguments(subject.point))
    for name, v in _directions(subject.value, subject.result_labels, subject.settings):
        with no_grad():
            row = _flat(trees.leaves(pullback(trees.rebuild(subject.result, _unflat(outputs, v)))))
        for label, u, quotient in columns:
            slope = sum(a * b for a, b in zip(row, u, strict=True) if b != 0.0)
            expected = _weighted(quotient.slope, v)
            error = _weighted(quotient.error, [abs(b) for b in v])
            one = Quotient([expected], [error], quotient.step)
            k = v.index(1.0) if v.count(0.0) == len(v) - 1 else None
            misfit = _misfit(subject, label, name, u, one, 0, slope)
            found.append(misfit._replace(row=k))
    return _with_scale(found)


def _weighted(numbers: Vector, weights: Vector) -> float:
    return sum(a * b for a, b in zip(numbers, weights, strict=True) if b != 0.0)


def _misfit(
    subject: _Subject, label: str, name: str, u: Vector, q: Quotient, k: int, slope: float
) -> Misfit:
    return Misfit(label, name, slope, q.slope[k], q.error[k], q.step, u, k, subject.rtol, 0.0)


def _with_scale(found: list[Misfit]) -> list[Misfit]:
    scale = max((abs(m.numerical) for m in found if math.isfinite(m.numerical)), default=0.0)
    return [m._replace(scale=scale) for m in found]


def _message(
    subject: _Subject, mode: str, derived: str, misfits: list[Misfit], directions: int
) -> str:
    name = getattr(subject.f, "__name__", "f") if not derived else "the function"
    order = derived.count("-") + 1
    compared = directions * len(subject.value)
    head = f"check_grads: derivative of order {order} of {name} is wrong"
    lines = [f"{head} (mode {derived}{mode}, {len(misfits)} of {compared} compared)"]
    worst = sorted(misfits, key=lambda m: -m.distance)[:_SHOWN]
    for m in worst:
        lines.append(
            f"  d {m.output} / d {m.argument}: automatic {m.automatic:.10g}, "
            f"numerical {m.numerical:.10g} (within {m.error:.0e})"
        )
    if len(misfits) > len(worst):
        lines.append(f"  ... and {len(misfits) - len(worst)} more")
    m = worst[0]
    row = m.row
    slopes = None
    if row is not None:
        left, right = one_sided(subject, subject.point, m.direction, m.step * 1e-2)
        slopes = left[row], right[row]
    lines.append(f"likely: {likely_reason(misfits, slopes, order)}")
    return "\n".join(lines)
