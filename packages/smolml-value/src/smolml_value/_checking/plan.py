"""How checks are run: in order, each on its own, none before what must be mended first."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

from smolml_value._checking.report import Check


class Skipped(Exception):  # noqa: N818  # no error: a check says that it cannot run
    """A check cannot run here; the message says why."""


class Findings:
    """What one check has found so far."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.notes: list[str] = []

    def fail(self, message: str) -> None:
        """What is checked is wrong."""
        self.failures.append(message)

    def expect(self, right: bool, otherwise: str) -> None:
        """A failure unless it is right."""
        if not right:
            self.failures.append(otherwise)

    def note(self, message: str) -> None:
        """Good to know."""
        self.notes.append(message)


class Planned(NamedTuple):
    """A check, and the checks without which its findings would say nothing new."""

    name: str
    check: Callable[[Findings], None]
    needs: tuple[str, ...] = ()


def run_checks(plan: Iterable[Planned], explained: Callable[[Exception], str]) -> list[Check]:
    """Run each check, unless one that it needs has failed or waits itself.

    Args:
        plan: the checks, in the order in which what they find is easiest to mend.
        explained: words for an exception that a check ran into, which is a finding.
    """
    checks: list[Check] = []
    unmet: dict[str, set[str]] = {}  # per check that failed or waits: what must be mended first
    for name, check, needs in plan:
        roots = set().union(*(unmet.get(need, ()) for need in needs))
        if roots:
            why = f"until this is mended: {', '.join(sorted(roots))}"
            checks.append(Check(name, "skipped", (why,)))
        else:
            checks.append(_run(name, check, explained))
        if roots or checks[-1].status == "FAILED":
            unmet[name] = roots or {name}
    return checks


def _run(
    name: str, check: Callable[[Findings], None], explained: Callable[[Exception], str]
) -> Check:
    found = Findings()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        # what the garbage collector says, of whatever it meets just then, is no finding
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            check(found)
        except Skipped as reason:
            if not found.failures:
                return Check(name, "skipped", (str(reason),))
        except Exception as error:
            found.fail(f"it raises {explained(error)}")
    for warning in warned:
        found.fail(f"it warns {warning.category.__name__}: {warning.message}")
    messages = tuple(dict.fromkeys(found.failures))
    return Check(name, "FAILED" if messages else "ok", messages, tuple(dict.fromkeys(found.notes)))
