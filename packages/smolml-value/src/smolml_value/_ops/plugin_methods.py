"""Plugin ops as methods: `x.swish()` for every op that the registry finds.

Set on the class from outside: this must work on compiled classes too, whose source cannot have a
`__getattr__` of its own. A name is looked up when it is asked for, so nothing is scanned before.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from smolml_value.operand import Operand
from smolml_value.registry import ops


def _find(self: Operand, name: str) -> Any:
    # Everything that probes objects (copy, pickle, notebooks, NumPy) asks for underscored
    # names: those never reach the plugins.
    if not name.startswith("_"):
        if name in ops:
            return partial(_call, name, self)
        from smolml_value.foreign import hint  # only an error needs it

        who = type(self).__name__
        raise AttributeError(f"{who} has no attribute or op {name!r}{hint(self, name)}")
    raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def _call(name: str, operand: Operand, *args: Any, **params: Any) -> Any:
    """The op as a method: it is loaded here, when it is called, not when it is looked up."""
    return ops[name](operand, *args, **params)


def _dir(self: Operand) -> list[str]:
    return sorted({*object.__dir__(self), *ops.names()})


def install() -> None:
    """Give the operands their plugin methods."""
    Operand.__getattr__ = _find  # type: ignore[attr-defined]
    Operand.__dir__ = _dir  # type: ignore[assignment]
