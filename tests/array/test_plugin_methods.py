"""Ops that are registered are methods of arrays."""

from __future__ import annotations

from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import elementwise, ops

TWICE = elementwise("twice", lambda xp, x: 2.0 * x, (2.0,))


def test_registered_ops_are_methods() -> None:
    x: Any = MLArray([1.0, 2.0])
    with ops.registered(TWICE):
        assert x.twice().to_list() == [2.0, 4.0]
        assert x.add(1.0).to_list() == [2.0, 3.0]
        assert {"twice", "add", "reshape"} <= set(dir(x))
        with pytest.raises(AttributeError, match="MLArray has no attribute or op 'thrice'"):
            _ = x.thrice
    assert not hasattr(x, "twice")
