"""What checks found: reports, and the errors that carry one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from smolml_value.errors import SmolMLError
from smolml_value.op import Op

Status = Literal["ok", "FAILED", "skipped"]
_SHOWN = 3  # the messages of one check that the short report shows


class Check(NamedTuple):
    """One check: its name, how it went, and what it has to say.

    `messages` say what is wrong, or why the check was skipped; `notes` what is good to know.
    """

    name: str
    status: Status
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _paragraph(status: Status, title: str, lines: Sequence[str]) -> list[str]:
    return [f"  {status:7}  {title}", *(f"           {line}" for line in lines)]


class Report:
    """All checks of one thing; `str()` of it is for people, `ok` and `failures` are for programs.

    Attributes:
        checks: one entry per check, in the order in which they ran.
    """

    def __init__(self, title: str, name: str, checks: Sequence[Check]) -> None:
        self._title = title
        self._name = name
        self.checks: tuple[Check, ...] = tuple(checks)

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.status == "FAILED"]

    def text(self, verbose: bool = False) -> str:
        """The report for people: what failed and what was skipped; verbose: all there is."""
        counts = {s: sum(c.status == s for c in self.checks) for s in ("ok", "FAILED", "skipped")}
        summary = ", ".join(f"{n} {s}" for s, n in counts.items() if n)
        lines = [f"{self._title}: {summary}"]
        if verbose:
            for check in self.checks:
                notes = [f"note: {note}" for note in check.notes]
                lines += _paragraph(check.status, check.name, [*check.messages, *notes])
            return "\n".join(lines)
        groups: dict[tuple[Status, tuple[str, ...]], list[str]] = {}
        for check in self.checks:
            if check.status != "ok":
                groups.setdefault((check.status, check.messages), []).append(check.name)
        for (status, messages), names in groups.items():
            which = ", ".join(names) if len(names) <= _SHOWN else f"{len(names)} checks"
            more = [f"... and {len(messages) - _SHOWN} more"] if len(messages) > _SHOWN else []
            lines += _paragraph(status, which, [*messages[:_SHOWN], *more])
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        failed = ", ".join(check.name for check in self.failures)
        return f"<report on {self._name}: {f'FAILED: {failed}' if failed else 'ok'}>"


class OpReport(Report):
    """All checks of one op; `str()` of it is for people, `ok` and `failures` are for programs.

    Attributes:
        op: what was checked.
        checks: one entry per check, in the order in which they ran.

    >>> from smolml_value import ops
    >>> from smolml_value.testing import check_op
    >>> report = check_op(ops.tanh)
    >>> report.ok, report.failures
    (True, [])
    """

    def __init__(self, op: Op, checks: Sequence[Check]) -> None:
        super().__init__(repr(op), op.name, checks)
        self.op = op


class CheckError(SmolMLError, AssertionError):
    """Checks failed; the message is the report, which is also in `report`."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[type[CheckError], tuple[Report]]:
        return type(self), (self.report,)


class OpCheckError(CheckError):
    """An op failed its checks; the message is the report, which is also in `report`."""
