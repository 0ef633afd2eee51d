"""Entry points of installed distributions, whatever state their metadata are in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import importlib.metadata


class EntryPoint(Protocol):
    """The part of importlib.metadata.EntryPoint that is used here."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    def load(self) -> object: ...


class Found(NamedTuple):
    """An entry point, and the distribution that declares it."""

    entry: EntryPoint
    distribution: str
    version: str


def normalized(distribution: str) -> str:
    """The name of a distribution as package indexes compare it (PEP 503).

    >>> normalized("Acme_Ops")
    'acme-ops'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def find(group: str) -> list[Found]:
    """All entry points of a group, without loading any.

    A distribution that cannot be read (an unfinished removal, a damaged file) is left out, or
    called "unknown" if only its name is missing.
    """
    from importlib.metadata import entry_points  # slow to import: only when somebody looks

    try:
        entries = list(entry_points(group=group))
    except Exception:  # one damaged file among all distributions: look at each by itself
        entries = _one_by_one(group)
    return [Found(entry, *_origin(entry.dist)) for entry in entries]


def _one_by_one(group: str) -> list[importlib.metadata.EntryPoint]:
    from importlib.metadata import distributions

    entries: list[importlib.metadata.EntryPoint] = []
    seen = set()
    for distribution in distributions():
        origin = _origin(distribution)
        if origin in seen:  # an older copy further down the path
            continue
        seen.add(origin)
        try:
            entries += distribution.entry_points.select(group=group)
        except Exception:  # this is the damaged one
            continue
    return entries


def _origin(distribution: object) -> tuple[str, str]:
    try:
        metadata = distribution.metadata  # type: ignore[attr-defined]  # None has none
        return normalized(metadata["Name"]), str(metadata["Version"] or "")
    except Exception:  # there are many ways for metadata to be damaged
        return "unknown", ""
