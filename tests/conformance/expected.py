"""What is expected to fail, and why: the groups of `expected.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).with_name("expected.toml")


class Group(NamedTuple):
    """Tests that fail in some namespaces for one reason."""

    reason: str
    namespaces: re.Pattern[str]
    tests: re.Pattern[str]

    def holds(self, namespace: str, test: str) -> bool:
        """Whether the test belongs to the group; `test` is its id, of any file."""
        name = test.rpartition(".py::")[2]
        return bool(self.namespaces.fullmatch(namespace) and self.tests.fullmatch(name))


@cache
def groups() -> list[Group]:
    """The groups in their order; the first that holds a test gives the reason."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["group"]
    return [
        Group(
            row["reason"],
            re.compile(row.get("namespaces", ".*")),
            re.compile("|".join(f"(?:{test})" for test in row["tests"])),
        )
        for row in rows
    ]


def group_of(namespace: str, test: str) -> Group | None:
    """The first group that holds a test."""
    return next((group for group in groups() if group.holds(namespace, test)), None)


def reason_for(namespace: str, test: str) -> str:
    """Why a test is expected to fail; "" if it isn't."""
    group = group_of(namespace, test)
    return group.reason if group else ""
