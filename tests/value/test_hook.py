"""The hook through which plugin ops are methods: away in large graphs on Python 3.11, and back."""

from __future__ import annotations

from typing import Any

import pytest

from smolml_value import Value, elementwise, ops
from smolml_value._attributes import IS_SLOW
from smolml_value._operand import Operand
from tests.value.conftest import Install


def large() -> None:
    """A backward pass over many nodes."""
    v = Value(1.0)
    for _ in range(2000):
        v = v + 1.0
    v.backward()


def is_hooked() -> bool:
    return "__getattr__" in vars(Operand)


def test_a_large_pass_takes_the_hook_away_where_it_costs() -> None:
    ops.refresh()
    assert is_hooked()
    large()
    nothing_to_find = all(row.status == "built-in" for row in ops.info())
    assert is_hooked() == (not (IS_SLOW and nothing_to_find))
    v: Any = Value(1.0)
    with pytest.raises(AttributeError, match="no attribute"):
        v.tahn()
    assert "tanh" in dir(v)


def test_ops_registered_later_are_methods() -> None:
    large()
    with ops.registered(elementwise("twice", lambda xp, x: 2.0 * x)):
        v: Any = Value(3.0)
        assert v.twice().data == 6.0
        large()
        assert v.twice().data == 6.0


def test_plugins_installed_later_are_methods(install: Install, swish: str) -> None:
    large()
    install("acme-ops", {"swish": "acme_swish:swish"}, {"acme_swish": swish})
    v: Any = Value(0.0)
    assert v.swish().data == 0.0
    large()
    assert v.swish().data == 0.0
