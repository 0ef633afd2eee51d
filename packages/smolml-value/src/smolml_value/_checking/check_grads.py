"""check_grads: derivatives of any function against finite differences, to any order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from random import Random
from typing import NamedTuple

from smolml_value._checking.close import close
from smolml_value._checking.diagnosis import Mismatch, likely_reason
from smolml_value._checking.finite_differences import Slopes, Vector, central, one_sided
from smolml_value._derivatives import trees
from smolml_value._derivatives.arguments import Inputs, P
from smolml_value._derivatives.nesting import Level
from smolml_value._derivatives.rules import of, shape_of
from smolml_value._derivatives.trees import Tree
from smolml_value.errors import LostGradientWarning
from smolml_value.node import OperandBase
from smolml_value.recording import no_grad
from smolml_value.transforms import jvp, vjp

_SHOWN = 3  # how many mismatches a message lists


class _Settings(NamedTuple):
    modes: tuple[str, ...]
    rtol: float | None
    step: float | None
    elements: int
    rng: Random


def check_grads(
    f: Callable[P, Tree],
    args: Tree,
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    rtol: float | None = None,
    step: float | None = None,
    elements: int = 50,
    seed: int = 0,
) -> None:
    """Check the derivatives of f against central differences, up to an order.

    Of every element of the result the derivative by every element of the arguments is compared:
    in forward mode column by column, in reverse mode row by row. For order 2 the derivatives so
    found, along a random direction, are functions that are checked in turn, in each mode: so
    order 2 means forward-over-forward, forward-over-reverse, and so on.

    The differences are extrapolated, with a step that balances truncation and rounding and an
    estimate of what is left. Where a slope a is expected, b passes
    if |a - b| <= rtol (max(|a|, |b|) + s / 1000) + that estimate, s being the largest slope.

    Args:
        f: a function of floats, Values, arrays and containers of them, to such.
        args: a tuple of its arguments; what is no tuple is the only one.
        order: the highest order of derivative; 1 or more.
        modes: which modes: "fwd", "rev" or both.
        rtol: default epsilon**0.4 of the least precise type among arguments and results: 5e-7 for
            float64, 2e-3 for float32.
        step: the step of the differences; default: chosen for each element.
        elements: from how many elements on they are not all tried, but that many, chosen at
            random, and two random directions.
        seed: of the random choices.

    Raises:
        AssertionError: a derivative is wrong; names mode and order, argument and element, both
            numbers and what the reason may be.
        TypeError: an argument is not made of floats.
        ValueError: an unknown mode, or an order below 1.

    >>> check_grads(lambda x, y: x**2 * y, (3.0, 2.0))
    >>> from smolml_value import elementwise
    >>> wrong = elementwise("wrong", lambda xp, x: xp.sin(x), [lambda xp, out, x: -xp.cos(x)])
    >>> try:
    ...     check_grads(wrong, 1.0)
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[-1])
    likely: a wrong sign
    """
    if order < 1:
        raise ValueError(f"check_grads: expected an order of 1 or more, got {order!r}")
    for mode in modes:
        if mode not in ("fwd", "rev"):
            raise ValueError(f"check_grads: unknown mode {mode!r}; expected 'fwd' or 'rev'")
    given = args if isinstance(args, tuple) else (args,)
    inputs = Inputs("check_grads", Level(create_graph=False, connected=False), given)
    settings = _Settings(tuple(modes), rtol, step, elements, Random(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LostGradientWarning)  # what is lost is found here, too
        _check(_Subject(f, tuple(inputs.arguments), settings), settings, order, "")


class _Numbers:
    """A tree of numbers as a vector.

    Attributes:
        vector: the numbers.
        labels: what to call each: argument 0['w'], element (1, 2).
    """

    def __init__(self, tree: Tree, paths: list[str]) -> None:
        self._tree = tree
        self.leaves = trees.leaves(tree)
        self.vector = _flat(tree)
        self.labels = [
            path + place
            for path, x in zip(paths, self.leaves, strict=True)
            for place in _places(shape_of(x))
        ]

    def filled(self, numbers: Vector) -> Tree:
        """The same tree with other numbers; Values for floats, as the transforms do it."""
        made, rest = [], iter(numbers)
        for x in self.leaves:
            mine = list(islice(rest, len(of(x).to_floats(x))))
            x = x if isinstance(x, OperandBase) else of(0.0).new_leaf(x)
            made.append(of(x).from_floats(x, mine))
        return trees.rebuild(self._tree, made)

    def directions(self, settings: _Settings) -> Iterator[tuple[str, Vector]]:
        """Unit vectors, or for many numbers some of them and two random directions."""
        count, rng = len(self.vector), settings.rng
        many = count > settings.elements
        for i in sorted(rng.sample(range(count), settings.elements)) if many else range(count):
            yield self.labels[i], [float(i == k) for k in range(count)]
        for _ in range(2 * many):
            spread = 1.0 / math.sqrt(count)
            yield "a random direction", [rng.gauss(0.0, spread) for _ in range(count)]

    def mixture(self, settings: _Settings) -> Tree:
        """The same tree with random weights in it."""
        return self.filled([settings.rng.uniform(0.5, 1.5) for _ in self.vector])


def _places(shape: tuple[int, ...]) -> list[str]:
    indices = product(*map(range, shape))
    return [f", element ({', '.join(map(str, index))})" for index in indices] if shape else [""]


class _Subject:
    """A function of trees as a function of numbers, and a point."""

    def __init__(self, f: Callable[..., Tree], args: tuple[Tree, ...], settings: _Settings) -> None:
        self.f = f
        self.args = args
        paths = (f"argument {i}{p}" for i, tree in enumerate(args) for p in trees.paths(tree))
        self.point = _Numbers(args, list(paths))
        with no_grad():
            result = f(*self.here())
        self.result = _Numbers(result, trees.paths(result, "the result"))
        leaves = [*self.point.leaves, *self.result.leaves]
        self.epsilon = max((of(x).epsilon(x) for x in leaves), default=2.0**-52)
        self.rtol = settings.rtol or self.epsilon**0.4

    def here(self) -> tuple[Tree, ...]:
        """The arguments at the point."""
        return self.point.filled(self.point.vector)  # type: ignore[no-any-return]  # a tuple

    def __call__(self, numbers: Vector) -> Vector:
        with no_grad():
            found = _flat(self.f(*self.point.filled(numbers)))
        if len(found) != len(self.result.vector):
            raise AssertionError(
                f"check_grads: the size of the result depends on the numbers: "
                f"{len(self.result.vector)} elements at the point itself, {len(found)} near it"
            )
        return found


def _flat(tree: Tree) -> Vector:
    return [number for x in trees.leaves(tree) for number in of(x).to_floats(x)]


def _check(subject: _Subject, settings: _Settings, order: int, derived: str) -> None:
    """Check the first derivative of a subject; then those of its derivatives."""
    _check_values(subject, derived)
    f, point, result = subject.f, subject.point, subject.result
    if not point.vector or not result.vector:
        return
    columns = [
        (label, u, central(subject, point.vector, u, subject.epsilon, settings.step))
        for label, u in point.directions(settings)
    ]
    for mode in settings.modes:
        compare = _forward if mode == "fwd" else _reverse
        found = list(compare(subject, settings, columns))
        scale = max((abs(m.numerical) for m in found if math.isfinite(m.numerical)), default=0.0)
        mismatches = [m for m in (m._replace(scale=scale) for m in found) if m.is_wrong]
        if mismatches:
            raise AssertionError(_message(subject, mode, derived, mismatches, len(columns)))
    if order == 1:
        return
    for mode in settings.modes:
        derivative: Callable[..., Tree]
        if mode == "fwd":
            u = point.mixture(settings)
            derivative = lambda *xs, u=u: jvp(f, xs, u)[1]  # noqa: E731
        else:
            v = result.mixture(settings)
            derivative = lambda *xs, v=v: vjp(f, *xs)[1](v)  # noqa: E731
        deeper = _Subject(derivative, subject.args, settings)
        _check(deeper, settings, order - 1, f"{derived}{mode}-")


def _check_values(subject: _Subject, derived: str) -> None:
    """f must be a function, and the same one where it is differentiated."""
    value = subject.result.vector
    scale = max((abs(a) for a in value if math.isfinite(a)), default=0.0)
    again = subject(subject.point.vector)
    with_graph = _flat(vjp(subject.f, *subject.here())[0])
    for other, why in [
        (again, "two calls with the same arguments gave other numbers: draw random ones outside"),
        (with_graph, "it computes other numbers when it is differentiated than in no_grad()"),
    ]:
        for label, a, b in zip(subject.result.labels, value, other, strict=True):
            if not close(a, b, 0.01 * subject.rtol, 1e3 * subject.epsilon * scale):
                what = f"the {derived}derivative of the function" if derived else "the function"
                raise AssertionError(
                    f"check_grads: {what} is not a function: {why}; {label}: {a!r}, then {b!r}"
                )


_Columns = list[tuple[str, Vector, Slopes]]


def _forward(subject: _Subject, settings: _Settings, columns: _Columns) -> Iterator[Mismatch]:
    """J u for each direction u against the finite difference along it."""
    args = subject.here()
    for label, u, (slope, error, step) in columns:
        with no_grad():
            column = _flat(jvp(subject.f, args, subject.point.filled(u))[1])
        for k, name in enumerate(subject.result.labels):
            numbers = column[k], slope[k], error[k]
            yield Mismatch(label, name, *numbers, step, u, k, subject.rtol)


def _reverse(subject: _Subject, settings: _Settings, columns: _Columns) -> Iterator[Mismatch]:
    """<J' v, u> for each row v and direction u against <v, the finite difference along u>."""
    with no_grad():
        _, pullback = vjp(subject.f, *subject.here())
    for name, v in subject.result.directions(settings):
        k = v.index(1.0) if v.count(0.0) == len(v) - 1 else None
        with no_grad():
            row = _flat(pullback(subject.result.filled(v)))
        for label, u, (slope, error, step) in columns:
            numbers = _weighted(row, u), _weighted(slope, v), _weighted(error, list(map(abs, v)))
            yield Mismatch(label, name, *numbers, step, u, k, subject.rtol)


def _weighted(numbers: Vector, weights: Vector) -> float:
    return sum(a * b for a, b in zip(numbers, weights, strict=True) if b != 0.0)


def _message(
    subject: _Subject, mode: str, derived: str, mismatches: list[Mismatch], directions: int
) -> str:
    name = getattr(subject.f, "__name__", "f") if not derived else "the function"
    order = derived.count("-") + 1
    compared = directions * len(subject.result.vector)
    head = f"check_grads: derivative of order {order} of {name} is wrong"
    lines = [f"{head} (mode {derived}{mode}, {len(mismatches)} of {compared} compared)"]
    worst = sorted(mismatches, key=lambda m: -m.distance)[:_SHOWN]
    for m in worst:
        lines.append(
            f"  d {m.output} / d {m.argument}: automatic {m.automatic:.10g}, "
            f"numerical {m.numerical:.10g} (within {m.error:.0e})"
        )
    if len(mismatches) > len(worst):
        lines.append(f"  ... and {len(mismatches) - len(worst)} more")
    m = worst[0]
    slopes = None
    if m.row is not None:
        left, right = one_sided(subject, subject.point.vector, m.direction, m.step * 1e-2)
        slopes = left[m.row], right[m.row]
    lines.append(f"likely: {likely_reason(mismatches, slopes, order)}")
    return "\n".join(lines)
