"""Checks of derivatives on Values against numerical ones, first and second order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from smolml_value._checking.close import close
from smolml_value._checking.complex_step import complex_step
from smolml_value._checking.diagnosis import MATH, reason_of_op
from smolml_value._checking.finite_differences import derivative
from smolml_value._checking.ops.subject import Point, Subject, show
from smolml_value._checking.plan import Findings, Skipped
from smolml_value.errors import NoDerivativeError
from smolml_value.op import Op
from smolml_value.transforms import gradients
from smolml_value.value import Value

_COMPARED = 0.5  # the part of the points that must be free of kinks


def _estimates(
    f: Callable[..., float], subject: Subject, point: Point
) -> Iterator[tuple[int, float, float]]:
    """Per operand i: i, df / dx_i and the tolerance to compare with; nothing near kinks, jumps."""
    for i, (x, (low, high)) in enumerate(zip(point, subject.domain, strict=True)):
        width = min((high - low) / 50, x - low, high - x)  # not beyond its interval
        along = lambda v, i=i: f(*point[:i], v, *point[i + 1 :])  # noqa: E731
        slope, error = derivative(along, x, width)
        scale = abs(slope) + abs(f(*point)) * 1e-3 / max(width, 1e-300) * 1e-3
        if error <= 1e-5 * scale + 1e-12:  # not so for nan
            yield i, slope, 10 * error + 1e-8 * abs(slope) + 1e-9 * scale


def check_partials(subject: Subject, found: Findings) -> None:
    """Each partial against central differences, and the complex step where there is one."""
    op = subject.op
    compared = exact = 0
    for point in subject.points:
        got = subject.gradient(point)
        for i, wanted, tolerance in _estimates(op, subject, point):
            compared += 1
            by = "central differences"
            analytic = complex_step(op.forward, point, i)
            if analytic is not None and close(analytic, wanted, 0.0, tolerance):
                # now that differences vouch for it, hold the partial to its many digits
                exact += 1
                by, wanted = "the complex step", analytic
                tolerance = 1e-10 * abs(wanted) + 1e-12 * (1.0 + abs(op(*point)))
            if not close(got[i], wanted, 0.0, tolerance):
                found.fail(
                    f"the derivative to {subject.operand(i)} at {show(point)} is {wanted:.10g} by "
                    f"{by}, but {got[i]:.10g} by its rule{reason_of_op(op, got, wanted, i)}"
                )
    total = len(subject.points) * subject.arity
    if compared < _COMPARED * total:
        found.fail(
            f"differences settle at only {compared} of {total} points: is it continuous and "
            f"smooth on its domain {subject.domain}? Narrow the domain, or mend the forward"
        )
    found.note(f"{compared} of {total} compared with differences, {exact} with the complex step")


def second_derivatives(op: Op, leaves: list[Any]) -> Iterator[list[Any]]:
    """For each leaf the derivatives of d op / d leaf to all leaves, through the graph.

    Raises:
        Skipped: its derivative has none itself, and says so.
    """
    out = op(*leaves)
    try:
        for first in gradients(out, leaves):
            yield list(gradients(first, leaves))
    except NoDerivativeError as error:
        raise Skipped(f"first order only: {error}") from None


def check_second_order(subject: Subject, found: Findings) -> None:
    """The derivatives of the derivatives, through the graph, against differences of the first."""
    compared = 0
    for point in subject.points:
        for i, row in enumerate(second_derivatives(subject.op, list(map(Value, point)))):
            slope = lambda *p, i=i: subject.gradient(p)[i]  # noqa: E731
            for j, wanted, tolerance in _estimates(slope, subject, point):
                compared += 1
                second = float(row[j])
                if not close(second, wanted, 0.0, tolerance):
                    found.fail(
                        f"d2/d({subject.operand(i)})d({subject.operand(j)}) at {show(point)} is "
                        f"{wanted:.10g} by differences of the first derivative, but "
                        f"{second:.10g} through the graph{MATH if second == 0.0 else ''}"
                    )
    total = len(subject.points) * subject.arity**2
    if compared < _COMPARED * total:
        found.fail(f"differences of its derivative settle at only {compared} of {total} points")
    found.note(f"{compared} of {total} compared with differences of the first derivative")
