"""Beside: what few nodes have, kept in a table, so that the others need no field for it."""

from __future__ import annotations

from functools import partial
from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class Beside(Generic[T]):
    """A dict by the identity of objects; an entry goes with its object."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref[object], T]] = {}

    def get(self, owner: object) -> T | None:
        """What belongs to this object; None for nothing."""
        entry = self._entries.get(id(owner))
        return None if entry is None else entry[1]

    def set(self, owner: object, item: T) -> None:
        """Keep this for an object, in place of what was kept."""
        key = id(owner)
        self._entries[key] = (ref(owner, partial(self._forget, key)), item)

    def remove(self, owner: object) -> None:
        """Keep nothing any more."""
        self._entries.pop(id(owner), None)

    def __len__(self) -> int:
        return len(self._entries)

    def _forget(self, key: int, dead: ref[object]) -> None:
        entry = self._entries.get(key)
        if entry is not None and entry[0] is dead:
            del self._entries[key]
