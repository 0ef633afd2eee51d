"""Checks on arrays of every installed kind, against the op on numbers and on Values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from smolml_value._checking.ops.derivatives import second_derivatives
from smolml_value._checking.ops.kinds import ArrayKind
from smolml_value._checking.ops.subject import (
    POINTS,
    Findings,
    Point,
    Subject,
    agree,
    explained,
    show,
)
from smolml_value.value import Value

Shape = tuple[int, ...]

_SHAPES: tuple[Shape, ...] = ((POINTS,), (3, 4), (2, 3, 2), (1,), (), (0,), (2, 0))


def _filled(
    kind: ArrayKind, subject: Subject, shape: Shape, points: Sequence[Point]
) -> tuple[list[Any], list[Point]]:
    """Operands of one shape, and the points that their elements are, as they were rounded."""
    count = math.prod(shape)
    columns = [column[:count] for column in subject.columns(points)]
    operands = [kind.array(column, shape) for column in columns]
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
        moved = [i for i in range(POINTS) if i != k and not agree(after[i], before[i], 0.0)]
        if moved:
            found.fail(
                f"not element-wise: a change of element {k} alone changed element "
                f"{moved[0]} from {before[moved[0]]:.6g} to {after[moved[0]]:.6g}"
            )


def _inside_and_edges(kind: ArrayKind, subject: Subject) -> list[tuple[list[Point], bool]]:
    """The points inside the domain, and the edge points, with whether they are."""
    if kind.dtype != "float64":  # which numbers overflow is another question in another type
        return [(subject.points, False)]
    return [(subject.points, False), (subject.answered(), True)]


def check_numbers(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Arrays give what numbers give, element by element, edge points included."""
    tolerance = 2000 * kind.epsilon
    for points, is_edge in _inside_and_edges(kind, subject):
        operands, rounded = _filled(kind, subject, (len(points),), points)
        got = kind.numbers(subject.op(*operands))
        for point, number in zip(rounded, got, strict=True):
            wanted = subject.op(*point)
            if not agree(number, wanted, tolerance, tolerance * (not is_edge)):
                found.fail(f"at {show(point)} arrays give {number!r}, numbers {wanted!r}")


def check_gradients(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """The gradient on arrays is that on Values, element by element, edge points included."""
    tolerance = 2e4 * kind.epsilon
    for points, is_edge in _inside_and_edges(kind, subject):
        shape = (len(points),) if is_edge else (3, 4)
        operands, rounded = _filled(kind, subject, shape, points)
        (3.0 * subject.op(*operands)).backward()
        columns = [kind.gradient(x) for x in operands]
        for x in operands:
            if kind.dtype_of(x.grad()) != kind.dtype:
                found.fail(f"its gradient is {kind.dtype_of(x.grad())}; expected {kind.dtype}")
        for k, point in enumerate(rounded):
            wanted = subject.gradient(point)
            for i, want in enumerate(wanted):
                got = columns[i][k] / 3.0
                if not agree(got, want, tolerance, tolerance * (not is_edge)):
                    found.fail(
                        f"the derivative to {subject.operand(i)} at {show(point)} is {got!r} on "
                        f"arrays, {want!r} on Values"
                    )


def check_second_order(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """The second derivatives on arrays are those on Values."""
    tolerance = 1e6 * kind.epsilon
    operands, rounded = _filled(kind, subject, (3, 4), subject.points)
    on_values = []
    for point in rounded:
        leaves = [Value(x) for x in point]
        rows = second_derivatives(subject.op(*leaves), leaves)
        on_values.append([[float(x) for x in row] for _, row in rows])
    for i, row in second_derivatives(subject.op(*operands), operands):
        for j, column in enumerate(row):
            for k, got in enumerate(kind.numbers(column)):
                want = on_values[k][i][j]
                if not agree(got, want, tolerance, tolerance):
                    found.fail(
                        f"d2/d({subject.operand(i)})d({subject.operand(j)}) at "
                        f"{show(rounded[k])} is {got!r} on arrays, {want!r} on Values"
                    )


def check_purity(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Forward and rules leave what they are given as it was, and answer the same twice."""
    op, xp = subject.op, kind.xp
    operands, _ = _filled(kind, subject, (3, 4), subject.points)
    raws = [kind.raw(x) for x in operands]
    before = [list(kind.raw_numbers(raw)) for raw in raws]

    def changed(who: str) -> None:
        for i, raw in enumerate(raws):
            if kind.raw_numbers(raw) != before[i]:
                found.fail(
                    f"its {who} changes {subject.operand(i)} in place; make a new array "
                    f"(y = x + 1, not x += 1)"
                )

    out = xp.quietly_here(op.forward, xp, *raws)
    changed("forward")
    first = kind.raw_numbers(out)
    if not all(map(_same, first, kind.raw_numbers(xp.quietly_here(op.forward, xp, *raws)))):
        found.fail("two calls of its forward on the same numbers differ")
    held = list(first)
    for who, rule in _rules(subject):
        rule(xp, out, raws)
        changed(who)
        if not all(map(_same, kind.raw_numbers(out), held)):
            found.fail(f"its {who} changes the result in place")


def _same(x: float, y: float) -> bool:
    return x == y or (x != x and y != y)


def _rules(subject: Subject) -> Iterator[tuple[str, Any]]:
    op = subject.op
    for i, partial in enumerate(op.partials or ()):
        if callable(partial):
            yield (
                f"partial {i}",
                lambda xp, out, raws, partial=partial: xp.quietly_here(partial, xp, out, *raws),
            )
    if op.vjp is not None:
        vjp = op.vjp
        yield "vjp", lambda xp, out, raws: xp.quietly_here(vjp, xp, xp.ones_like(out), out, *raws)


def check_broadcasting(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """Operands of different shapes, numbers and Values among them, and the way back."""
    if subject.arity < 2:
        _check_transposed(kind, subject, found)
        return
    shapes: list[Shape] = [(3, 1), (2, 1, 4), (4,), (1, 3, 1), (2, 1, 1)]
    chosen = [shapes[i % len(shapes)] for i in range(subject.arity)]
    for number_at in (None, *range(subject.arity)):
        if number_at is not None and subject.arity == 1:
            continue
        _check_broadcast(kind, subject, found, chosen, number_at)


def _check_transposed(kind: ArrayKind, subject: Subject, found: Findings) -> None:
    """One operand has nothing to broadcast with, but may lie in memory in another order."""
    (x,), points = _filled(kind, subject, (3, 4), subject.points)
    got = kind.numbers(subject.op(x.T))
    for k, number in enumerate(got):
        point = points[(k % 3) * 4 + k // 3]
        wanted = subject.op(*point)
        if not agree(number, wanted, 2000 * kind.epsilon, 2000 * kind.epsilon):
            found.fail(f"of a transposed array at {show(point)}: {number!r}, numbers {wanted!r}")


def _check_broadcast(
    kind: ArrayKind, subject: Subject, found: Findings, shapes: list[Shape], value_at: int | None
) -> None:
    """Compare with Values, operand `value_at` being one Value for all."""
    columns = subject.columns(subject.points)
    operands: list[Any] = []
    for i, shape in enumerate(shapes):
        column = columns[i][: math.prod(shape)]
        operands.append(Value(column[0]) if i == value_at else kind.array(column, shape))
    used = [() if i == value_at else s for i, s in enumerate(shapes)]
    numbers = [[x.data] if isinstance(x, Value) else kind.numbers(x) for x in operands]
    expected = _broadcast(used)
    out = subject.op(*operands)
    if kind.shape_of(out) != expected:
        found.fail(f"of the shapes {used} it made {_described(kind, out)}; expected {expected}")
        return
    out.backward()
    leaves = [[Value(x) for x in column] for column in numbers]
    total = Value(0.0)
    for index in _indices(expected):
        total = total + subject.op(
            *(leaves[i][_flat(index, used[i])] for i in range(subject.arity))
        )
    total.backward()
    tolerance = 1e5 * kind.epsilon
    for i, operand in enumerate(operands):
        got = [operand.grad] if isinstance(operand, Value) else kind.gradient(operand)
        for k, (g, leaf) in enumerate(zip(got, leaves[i], strict=True)):
            if not agree(g, leaf.grad, tolerance, tolerance):
                found.fail(
                    f"broadcast from {used[i]} to {expected}, element {k} of operand {i} got the "
                    f"gradient {g!r}; one by one it is {leaf.grad!r}"
                )


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    rank = max(map(len, shapes))
    return tuple(max(((1,) * (rank - len(s)) + s)[axis] for s in shapes) for axis in range(rank))


def _indices(shape: Shape) -> Iterator[Shape]:
    for k in range(math.prod(shape)):
        index = []
        for n in reversed(shape):
            k, remainder = divmod(k, n)
            index.append(remainder)
        yield tuple(reversed(index))


def _flat(index: Shape, shape: Shape) -> int:
    """Where the element of an operand of this shape is that stands at `index` of the result."""
    position = 0
    for n, k in zip(shape, index[len(index) - len(shape) :], strict=True):
        position = position * n + (k if n > 1 else 0)
    return position
