"""Arrays have the methods that the hook for plugin ops is exchanged for on Python 3.11."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import elementwise, ops
from smolml_value._runtime.work import WORK
from smolml_value.operand import Operand

TWICE = elementwise("twice", lambda xp, x: 2.0 * x, (2.0,))


@pytest.mark.skipif(
    sys.version_info >= (3, 12) or sys.implementation.name != "cpython",
    reason="the hook costs nothing here, and stays",
)
def test_passes_over_arrays_alone_count_too() -> None:
    x: Any = MLArray([1.0, 2.0])
    try:
        with ops.registered(TWICE):
            left = WORK.left
            (x * x).sum().backward()
            assert 10 < left - WORK.left < 1000
            WORK.left = 0
            (x * x).sum().backward()
            assert "__getattr__" not in vars(Operand)
            assert x.twice().to_list() == [2.0, 4.0]
            assert x.add(1.0).to_list() == [2.0, 3.0]
            assert {"twice", "add", "reshape"} <= set(dir(x))
            with pytest.raises(AttributeError, match="'MLArray' object has no attribute 'thrice'"):
                x.thrice()
        assert not hasattr(x, "twice")
    finally:
        ops.refresh()
