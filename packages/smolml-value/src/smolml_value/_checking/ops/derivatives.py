"""Checks of derivatives on Values against numerical ones, first and second order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from smolml_value._checking.ops.differences import Estimate, complex_step, derivative
from smolml_value._checking.ops.subject import Findings, Point, Skipped, Subject, show
from smolml_value.errors import NoDerivativeError
from smolml_value.transforms import gradients
from smolml_value.value import Value

_COMPARED = 0.5  # the part of the points that must be free of kinks


def _window(subject: Subject, point: Point, i: int) -> float:
    """How far around an operand to look: not beyond its interval."""
    low, high = subject.domain[i]
    return min((high - low) / 50, point[i] - low, high - point[i])


def _estimate(
    f: Callable[[float], float], subject: Subject, point: Point, i: int
) -> tuple[Estimate, float] | None:
    """The derivative of f and the tolerance to compare with; None near a kink or a jump."""
    width = _window(subject, point, i)
    estimate = derivative(f, point[i], width)
    scale = abs(estimate.slope) + abs(f(point[i])) * 1e-3 / max(width, 1e-300) * 1e-3
    if not estimate.error <= 1e-5 * scale + 1e-12:  # also nan
        return None
    return estimate, 10 * estimate.error + 1e-8 * abs(estimate.slope) + 1e-9 * scale


def check_partials(subject: Subject, found: Findings) -> None:
    """Each partial against central differences, and the complex step where there is one."""
    op = subject.op
    compared = total = exact = 0
    for point in subject.points:
        got = subject.gradient(point)
        for i in range(subject.arity):
            total += 1

            def along(x: float, i: int = i, point: Point = point) -> float:
                return op(*point[:i], x, *point[i + 1 :])

            estimated = _estimate(along, subject, point, i)
            if estimated is None:
                continue
            compared += 1
            (wanted, _), tolerance = estimated
            by = "central differences"
            analytic = complex_step(op.forward, point, i)
            if analytic is not None and abs(analytic - wanted) <= tolerance:
                # now that differences vouch for it, hold the partial to its many digits
                exact += 1
                by, wanted = "the complex step", analytic
                tolerance = 1e-10 * abs(wanted) + 1e-12 * (1.0 + abs(op(*point)))
            if not abs(got[i] - wanted) <= tolerance:
                found.fail(
                    f"the derivative to {subject.operand(i)} at {show(point)} is {wanted:.10g} by "
                    f"{by}, but {got[i]:.10g} by its rule{_reason(subject, got, wanted, i)}"
                )
    if compared < _COMPARED * total:
        found.fail(
            f"differences settle at only {compared} of {total} points: is it continuous and "
            f"smooth on its domain {subject.domain}? Narrow the domain, or mend the forward"
        )
    found.note(f"{compared} of {total} compared with differences, {exact} with the complex step")


def _reason(subject: Subject, got: list[float], wanted: float, i: int) -> str:
    op, mine = subject.op, got[i]
    if math.isnan(mine) or wanted == 0.0:
        return ""
    ratio = mine / wanted
    if abs(ratio + 1.0) < 1e-6:
        return ": the sign is wrong"
    if op.vjp is not None and abs(ratio - 1 / 3) < 1e-6:
        return ": the vjp does not multiply by its g"
    if mine == 0.0:
        missing = op.partials is not None and op.partials[i] is None
        if missing:
            return ": its partial is None, which says that there is none"
        return ": are functions of math used in place of those of xp?" if op.is_composite else ""
    if any(abs(g - wanted) < 1e-6 * abs(wanted) for j, g in enumerate(got) if j != i):
        return ": are the partials in the order of the operands?"
    if abs(ratio - round(ratio)) < 1e-6 or abs(1 / ratio - round(1 / ratio)) < 1e-6:
        return f": off by a factor of {ratio:.6g}"
    return ""


def second_derivatives(out: Any, leaves: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    """For each leaf i the derivatives of d out / d leaf i to all leaves, through the graph.

    Raises:
        Skipped: its derivative has none itself, and says so.
    """
    try:
        for i, first in enumerate(gradients(out, leaves)):
            yield i, list(gradients(first, leaves))
    except NoDerivativeError as error:
        raise Skipped(f"first order only: {error}") from None


def check_second_order(subject: Subject, found: Findings) -> None:
    """The derivatives of the derivatives, through the graph, against differences of the first."""
    compared = total = 0
    for point in subject.points:
        leaves = [Value(x) for x in point]
        for i, row in second_derivatives(subject.op(*leaves), leaves):
            for j in range(subject.arity):
                total += 1

                def slope(x: float, i: int = i, j: int = j, point: Point = point) -> float:
                    return subject.gradient((*point[:j], x, *point[j + 1 :]))[i]

                estimated = _estimate(slope, subject, point, j)
                if estimated is None:
                    continue
                compared += 1
                (wanted, _), tolerance = estimated
                got = float(row[j])
                if not abs(got - wanted) <= tolerance:
                    hint = (
                        ": are functions of math used in place of those of xp?"
                        if got == 0.0
                        else ""
                    )
                    found.fail(
                        f"d2/d({subject.operand(i)})d({subject.operand(j)}) at {show(point)} is "
                        f"{wanted:.10g} by differences of the first derivative, but {got:.10g} "
                        f"through the graph{hint}"
                    )
    if compared < _COMPARED * total:
        found.fail(f"differences of its derivative settle at only {compared} of {total} points")
    found.note(f"{compared} of {total} compared with differences of the first derivative")
