"""What is kept beside objects goes with them, whatever interrupts."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from smolml_value._runtime import identity_map
from smolml_value._runtime.identity_map import WeakIdentityDict


class Owner:
    """Something that can be kept beside."""


def test_an_entry_goes_with_its_object() -> None:
    table: WeakIdentityDict[list[int]] = WeakIdentityDict()
    owner = Owner()
    assert table.get(owner) is None
    kept = table.obtain(owner, lambda: [1])
    assert table.obtain(owner, lambda: [2]) is kept is table.get(owner)
    assert [*table.items()] == [(owner, [1])]
    del owner
    assert len(table) == 0


def test_what_an_interrupt_left_belongs_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may come where an object is forgotten; Python ignores it there. Its id is reused."""

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    ignored: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda given: ignored.append(given.exc_type))
    monkeypatch.setattr(identity_map, "_forget", interrupted)
    table: WeakIdentityDict[str] = WeakIdentityDict()
    reused = 0
    others = []
    for _ in range(100):
        owner = Owner()
        key = id(owner)
        table.set(owner, "of the old one")
        del owner
        others.append(Owner())
        if id(others[-1]) == key:
            reused += 1
            assert table.get(others[-1]) is None
            assert table.obtain(others[-1], lambda: "new") == "new"
    assert reused
    assert set(ignored) == {KeyboardInterrupt}


def test_an_entry_that_is_forgotten_late_is_not_that_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is called when an object goes may come late: until then nobody sees its entry."""
    late: list[tuple[Any, ...]] = []
    forget = identity_map._forget
    monkeypatch.setattr(identity_map, "_forget", lambda *args: late.append(args))
    table: WeakIdentityDict[str] = WeakIdentityDict()
    others: list[Owner] = []
    for _ in range(100):
        owner = Owner()
        table.set(owner, "of the old one")
        del owner
        assert {*table.items()} == {(other, "new") for other in others}
        others.append(Owner())
        table.set(others[-1], "new")
    reused = {id(other) for other in others} & {key for _, key, _ in late}
    assert reused
    for args in late:
        forget(*args)
    assert {*table.items()} == {(other, "new") for other in others}
    assert len(table) == 100


def test_objects_may_outlive_what_was_kept_beside_them() -> None:
    table: WeakIdentityDict[str] = WeakIdentityDict()
    owner = Owner()
    table.set(owner, "kept")
    (entry,) = table._entries.values()
    del table
    del owner  # the reference to it is still there, and tells a table that is not
    assert entry[0]() is None
