"""The two operators that most graphs are made of, written as an interpreter runs them fastest.

They do what `__add__` and `__mul__` of value.py do, which are right everywhere, and fast where they
are compiled. Interpreted, to call a class takes as long as to fill in the fields, so here a node
is made without its `__init__`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smolml_value import table
from smolml_value._runtime.build import COMPILED
from smolml_value.op import Op
from smolml_value.recording import MODE
from smolml_value.value import Value

_ADD: Final = table.add
_MULTIPLY: Final = table.multiply
_new: Final = object.__new__
_general_add: Final[Callable[[Value, Any], Any]] = Value.__add__
_general_mul: Final[Callable[[Value, Any], Any]] = Value.__mul__


def _with_constant(left: Value, c: float, slope: float, op: Op, out: float) -> Value:
    """The node of `op` on a Value and a float."""
    made = _new(Value)
    made._data = out
    made._grad = 0.0
    made._lhs = left
    made._rhs = None
    made._dl = slope
    made._dr = c
    made._made_by = op
    made._pending = 0
    return made


def _add(self: Value, other: Any) -> Any:
    if MODE.off:
        return _general_add(self, other)
    if isinstance(other, Value):
        made = _new(Value)
        made._data = self._data + other._data
        made._grad = 0.0
        made._lhs = self
        made._rhs = other
        made._dl = 1.0
        made._dr = 1.0
        made._made_by = _ADD
        made._pending = 0
        return made
    if type(other) is float:
        return _with_constant(self, other, 1.0, _ADD, self._data + other)
    return _general_add(self, other)


def _mul(self: Value, other: Any) -> Any:
    if MODE.off:
        return _general_mul(self, other)
    if isinstance(other, Value):
        made = _new(Value)
        made._dr = x = self._data
        made._dl = y = other._data
        made._data = x * y
        made._grad = 0.0
        made._lhs = self
        made._rhs = other
        made._made_by = _MULTIPLY
        made._pending = 0
        return made
    if type(other) is float:
        return _with_constant(self, other, other, _MULTIPLY, self._data * other)
    return _general_mul(self, other)


def install() -> None:
    """Give them to Value where it is interpreted."""
    if not COMPILED:
        for name, function in (("__add__", _add), ("__mul__", _mul)):
            function.__name__ = name
            function.__qualname__ = f"Value.{name}"
            setattr(Value, name, function)
