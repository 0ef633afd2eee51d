"""WeakIdentityDict: what few objects have is kept beside them, so that no others need a field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class WeakIdentityDict(Generic[T]):
    """A dict by the identity of objects; an entry goes with its object."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref[object], T]] = {}

    def get(self, owner: object) -> T | None:
        """What belongs to this object; None for nothing."""
        entry = self._entries.get(id(owner))
        # of another one, if Ctrl-C came when that was forgotten
        return entry[1] if entry is not None and entry[0]() is owner else None

    def obtain(self, owner: object, make: Callable[[], T]) -> T:
        """What belongs to this object, made now if there is nothing."""
        found = self.get(owner)
        if found is None:
            self.set(owner, found := make())
        return found

    def set(self, owner: object, item: T) -> None:
        """Keep this for an object, in place of what was kept."""
        key = id(owner)
        self._entries[key] = (ref(owner, partial(_forget, ref(self), key)), item)

    def remove(self, owner: object) -> None:
        """Keep nothing any more."""
        self._entries.pop(id(owner), None)

    def items(self) -> Iterator[tuple[object, T]]:
        """The objects that are still there, each with what belongs to it."""
        for known, item in [*self._entries.values()]:
            owner = known()
            if owner is not None:
                yield owner, item

    def __len__(self) -> int:
        return len(self._entries)


def _forget(table: ref[WeakIdentityDict[Any]], key: int, dead: ref[object]) -> None:
    """Drop the entry of an object that is gone; its id may be another's by now."""
    beside = table()
    if beside is not None:
        entry = beside._entries.get(key)
        if entry is not None and entry[0] is dead:
            del beside._entries[key]
