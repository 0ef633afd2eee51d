"""check_op: an op's definition, values and derivatives, checked on everything it can be given.

For authors of ops. The whole test of an op is one line:

    def test_swish():
        check_op(swish)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from smolml_value._checking.close import close
from smolml_value._checking.ops import arrays, definition, derivatives
from smolml_value._checking.ops.kinds import ArrayKind, installed_kinds
from smolml_value._checking.ops.subject import Subject, explained
from smolml_value._checking.plan import Findings, Planned, Skipped, run_checks
from smolml_value._checking.report import Check, CheckError, OpCheckError, OpReport, Report
from smolml_value.op import Op

__all__ = ["ArrayKind", "OpCheckError", "OpReport", "check_op"]
__all__ += ["Check", "CheckError", "Findings", "Planned", "Report", "close", "run_checks"]  # of any

_OnNumbers = Callable[[Subject, Findings], None]
_OnArrays = Callable[[ArrayKind, Subject, Findings], None]


def check_op(
    op: Op, *, kinds: Sequence[ArrayKind] | None = None, raise_on_failure: bool = True
) -> OpReport:
    """Check an op on numbers, Values and arrays: that its rules are right, and right everywhere.

    Checked are its definition and registration; that it is element-wise, broadcasts, keeps shape
    and dtype, changes nothing that it is given; that numbers, Values and arrays of every backend
    agree, at zeros, infinities and nan too; its derivatives against central differences and the
    complex step at points of its `domain`, to second order, through the graph as users do it.

    Args:
        op: what to check; `op.bind(alpha=2.0)` to check it with other parameters.
        kinds: the kinds of arrays; default: all that are installed.
        raise_on_failure: whether a failure raises, as in a test, or is only reported.

    Raises:
        OpCheckError: a check failed; the message says which, where, and both numbers.
        TypeError: what was given is no Op.

    >>> from smolml_value import elementwise
    >>> from smolml_value.testing import check_op
    >>> wrong = elementwise("sinus", lambda xp, x: xp.sin(x), [lambda xp, out, x: -xp.cos(x)])
    >>> report = check_op(wrong, raise_on_failure=False)
    >>> [check.name for check in report.failures]
    ['derivatives']
    """
    __tracebackhide__ = True  # pytest then shows the report and the caller, not this
    if not isinstance(op, Op):
        raise TypeError(
            f"check_op: expected an Op (what elementwise() returns), got {type(op).__name__}"
        )
    chosen = installed_kinds() if kinds is None else list(kinds)
    report = OpReport(op, run_checks(_plan(Subject(op), chosen), explained))
    if raise_on_failure and not report.ok:
        raise OpCheckError(report)
    return report


def _plan(subject: Subject, kinds: list[ArrayKind]) -> list[Planned]:
    """Every check, in the order in which what they find is easiest to mend."""

    def on_numbers(name: str, check: _OnNumbers, *needs: str) -> Planned:
        return Planned(name, partial(check, subject), needs)

    def on_arrays(kind: ArrayKind, name: str, check: _OnArrays, *needs: str) -> Planned:
        return Planned(f"{kind.name}: {name}", partial(check, kind, subject), needs)

    plan = [
        on_numbers("definition", definition.check_definition),
        on_numbers("registration", definition.check_registration, "definition"),
        on_numbers("numbers", definition.check_numbers, "definition"),
        on_numbers("Values", definition.check_values, "numbers"),
        on_numbers("edge points", definition.check_edges, "numbers"),
        on_numbers("derivatives", derivatives.check_partials, "Values"),
        on_numbers("second order", derivatives.check_second_order, "derivatives"),
    ]
    if not kinds:
        plan.append(Planned("arrays", _no_arrays))
    for kind in kinds:
        shapes, alone = f"{kind.name}: shapes", f"{kind.name}: element-wise"
        plan += [
            on_arrays(kind, "shapes", arrays.check_shapes, "definition"),
            on_arrays(kind, "purity", arrays.check_purity, shapes),
            on_arrays(kind, "element-wise", arrays.check_element_wise, shapes),
            on_arrays(kind, "numbers", arrays.check_numbers, alone, "numbers"),
            on_arrays(kind, "derivatives", arrays.check_gradients, alone, "Values"),
            on_arrays(kind, "broadcasting", arrays.check_broadcasting, alone, "Values"),
            on_arrays(kind, "second order", arrays.check_second_order, alone, "second order"),
        ]
    return plan


def _no_arrays(found: Findings) -> None:
    raise Skipped("no package with arrays is installed (pip install smolml-array)")
