"""Checks on arrays of every installed kind, against the op on numbers and on Values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from smolml_value._checking.close import close
from smolml_value._checking.ops.derivatives import second_derivatives
from smolml_value._checking.ops.kinds import ArrayKind
from smolml_value._checking.ops.subject import POINTS, Point, Subject, explained, show
from smolml_value._checking.plan import Findings
from smolml_value.value import Value

Shape = tuple[int, ...]

_BROADCAST: tuple[Shape, ...] = ((3, 1), (2, 1, 4), (4,), (1, 3, 1), (2, 1, 1))
_SHAPES: tuple[Shape, ...] = ((POINTS,), (3, 4), (2, 3, 2), (1,), (), (0,), (2, 0))


def _filled(
    kind: ArrayKind, subject: Subject, shape: Shape, points: Sequence[Point]
) -> tuple[list[Any], list[Point]]:
    """Operands of one shape, and the points that their elements are, as they were rounded."""
    count = math.prod(shape)
    operands = [kind.array(column[:count], shape) for column in subject.columns(points)]
    rounded = zip(*(kind.numbers(x) for x in operands), strict=True)
    return operands, list(rounded)


def check_shapes(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Arrays of every rank, empty ones too, give arrays of the same shape and type."""
    for shape in _SHAPES:
        operands, _ = _filled(kind, subject, shape, subject.points)
        try:
            out = subject.op(*operands)
        except Exception as error:
            found.fail(f"of the shape {shape} it raises {explained(error)}")
            continue
        if kind.shape_of(out) != shape:
            found.fail(f"of the shape {shape} it made {_described(kind, out)}")
        elif kind.dtype_of(out) != kind.dtype:
            found.fail(f"of {kind.dtype} it made {kind.dtype_of(out)}; expected {kind.dtype}")


def _described(kind: ArrayKind, out: Any) -> str:
    shape = kind.shape_of(out)
    return f"a {type(out).__name__}" if shape is None else f"the shape {shape}"


def check_element_wise(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Each element of the result depends on the elements at its place, and on no other."""
    operands, points = _filled(kind, subject, (3, 4), subject.points)
    before = kind.numbers(subject.op(*operands))
    for k in range(POINTS):
        changed = [*points[:k], points[(k + 1) % POINTS], *points[k + 1 :]]
        others, _ = _filled(kind, subject, (3, 4), changed)
        after = kind.numbers(subject.op(*others))
        for i in [i for i in range(POINTS) if i != k and not close(after[i], before[i])][:1]:
            found.fail(
                f"not element-wise: a change of element {k} alone changed element {i} from "
                f"{before[i]:.6g} to {after[i]:.6g}"
            )


def _inside_and_edges(kind: ArrayKind, subject: Subject) -> list[tuple[list[Point], float]]:
    """The points inside the domain, and the edge points; with the absolute tolerance there."""
    if kind.dtype != "float64":  # which numbers overflow is another question in another type
        return [(subject.points, 1.0)]
    return [(subject.points, 1.0), (subject.answered(), 0.0)]


def check_numbers(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Arrays give what numbers give, element by element, edge points included."""
    tolerance = 2000 * kind.epsilon
    for points, absolute in _inside_and_edges(kind, subject):
        operands, rounded = _filled(kind, subject, (len(points),), points)
        for point, got in zip(rounded, kind.numbers(subject.op(*operands)), strict=True):
            wanted = subject.op(*point)
            found.expect(
                close(got, wanted, tolerance, tolerance * absolute),
                f"at {show(point)} arrays give {got!r}, numbers {wanted!r}",
            )


def check_gradients(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """The gradient on arrays is that on Values, element by element, edge points included."""
    tolerance = 2e4 * kind.epsilon
    for points, absolute in _inside_and_edges(kind, subject):
        shape = (3, 4) if points is subject.points else (len(points),)
        operands, rounded = _filled(kind, subject, shape, points)
        (3.0 * subject.op(*operands)).backward()
        slopes = [subject.gradient(point) for point in rounded]
        for i, x in enumerate(operands):
            dtype = kind.dtype_of(x.grad())
            found.expect(dtype == kind.dtype, f"its gradient is {dtype}; expected {kind.dtype}")
            for point, got, wanted in zip(rounded, kind.gradient(x), slopes, strict=True):
                found.expect(
                    close(got / 3.0, wanted[i], tolerance, tolerance * absolute),
                    f"the derivative to {subject.operand(i)} at {show(point)} is {got / 3.0!r} on "
                    f"arrays, {wanted[i]!r} on Values",
                )


def check_second_order(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """The second derivatives on arrays are those on Values."""
    tolerance = 1e6 * kind.epsilon
    operands, rounded = _filled(kind, subject, (3, 4), subject.points)
    on_values = [list(second_derivatives(subject.op, list(map(Value, p)))) for p in rounded]
    for i, row in enumerate(second_derivatives(subject.op, operands)):
        for j, column in enumerate(row):
            for point, got, of_values in zip(rounded, kind.numbers(column), on_values, strict=True):
                wanted = float(of_values[i][j])
                found.expect(
                    close(got, wanted, tolerance, tolerance),
                    f"d2/d({subject.operand(i)})d({subject.operand(j)}) at {show(point)} is "
                    f"{got!r} on arrays, {wanted!r} on Values",
                )


def check_purity(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Forward and rules leave what they are given as it was, and answer the same twice."""
    op, xp = subject.op, kind.xp
    raws = [kind.raw(x) for x in _filled(kind, subject, (3, 4), subject.points)[0]]
    before = [list(kind.raw_numbers(raw)) for raw in raws]

    def called(who: str, rule: Any, *args: Any) -> Any:
        out = xp.silence.run_apart(rule, xp, *args)
        for i, raw in enumerate(raws):
            found.expect(
                kind.raw_numbers(raw) == before[i],
                f"its {who} changes {subject.operand(i)} in place; make a new array (y = x + 1, "
                f"not x += 1)",
            )
        return out

    out = called("forward", op.forward, *raws)
    held = list(kind.raw_numbers(out))
    again = kind.raw_numbers(called("forward", op.forward, *raws))
    found.expect(
        all(map(close, held, again)), "two calls of its forward on the same numbers differ"
    )
    partials = enumerate(op.partials or ())
    rules = [(f"partial {i}", rule, (out, *raws)) for i, rule in partials if callable(rule)]
    if op.vjp is not None:
        rules.append(("vjp", op.vjp, (xp.ones_like(out), out, *raws)))
    for who, rule, args in rules:
        called(who, rule, *args)
        same = all(map(close, held, kind.raw_numbers(out)))
        found.expect(same, f"its {who} changes the result in place")


def check_broadcasting(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Operands of different shapes, numbers and Values among them, and the way back."""
    if subject.arity < 2:
        _check_transposed(kind, subject, found)
        return
    chosen = list(itertools.islice(itertools.cycle(_BROADCAST), subject.arity))
    for value_at in (None, *range(subject.arity)):
        _check_broadcast(kind, subject, found, chosen, value_at)


def _check_transposed(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """One operand has nothing to broadcast with, but may lie in memory in another order."""
    (x,), points = _filled(kind, subject, (3, 4), subject.points)
    tolerance = 2000 * kind.epsilon
    for k, got in enumerate(kind.numbers(subject.op(x.T))):
        point = points[(k % 3) * 4 + k // 3]
        wanted = subject.op(*point)
        found.expect(
            close(got, wanted, tolerance, tolerance),
            f"of a transposed array at {show(point)}: {got!r}, numbers {wanted!r}",
        )


def _check_broadcast(
    kind: ArrayKind, subject: Subject, found: Findings, shapes: list[Shape], value_at: int | None
) -> None:
    """Compare with Values, operand `value_at` being one Value for all."""
    shapes = [() if i == value_at else shape for i, shape in enumerate(shapes)]
    operands: list[Any] = []
    for i, (shape, column) in enumerate(zip(shapes, subject.columns(subject.points), strict=True)):
        numbers = column[: math.prod(shape)]
        operands.append(Value(numbers[0]) if i == value_at else kind.array(numbers, shape))
    from_the_last = itertools.zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)
    expected = tuple(map(max, from_the_last))[::-1]
    out = subject.op(*operands)
    if kind.shape_of(out) != expected:
        found.fail(f"of the shapes {shapes} it made {_described(kind, out)}; expected {expected}")
        return
    out.backward()
    leaves = [
        list(map(Value, [x.data] if isinstance(x, Value) else kind.numbers(x))) for x in operands
    ]
    total = Value(0.0)
    for index in itertools.product(*map(range, expected)):
        places = [_place(index, shape) for shape in shapes]
        total = total + subject.op(*(xs[k] for xs, k in zip(leaves, places, strict=True)))
    total.backward()
    tolerance = 1e5 * kind.epsilon
    for i, x in enumerate(operands):
        gradient = [x.grad] if isinstance(x, Value) else kind.gradient(x)
        for k, (got, leaf) in enumerate(zip(gradient, leaves[i], strict=True)):
            found.expect(
                close(got, leaf.grad, tolerance, tolerance),
                f"broadcast from {shapes[i]} to {expected}, element {k} of operand {i} got the "
                f"gradient {got!r}; one by one it is {leaf.grad!r}",
            )


def _place(index: Shape, shape: Shape) -> int:
    """Where the element of an operand of this shape is that stands at `index` of the result."""
    place = 0
    for n, k in zip(shape, index[len(index) - len(shape) :], strict=True):
        place = place * n + (k if n > 1 else 0)
    return place
