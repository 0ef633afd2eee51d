"""Plugin ops as methods: `x.swish()` for every op that the registry finds.

Set on the class from outside: this must work on compiled classes too, whose source cannot have a
`__getattr__` of its own.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Final

from smolml_value import _graph
from smolml_value._operand import Operand
from smolml_value.registry import ops

IS_SLOW: Final = sys.version_info < (3, 12) and str(_graph.__file__).endswith(".py")


def _find(self: Operand, name: str) -> Any:
    # Everything that probes objects (copy, pickle, notebooks, NumPy) asks for underscored
    # names: those never reach the plugins.
    if not name.startswith("_"):
        if name in ops:
            return partial(_call, name, self)
        import difflib  # slow to import, and only an error needs it

        near = difflib.get_close_matches(name, dir(self), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"{type(self).__name__} has no attribute or op {name!r}{hint}")
    raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def _call(name: str, operand: Operand, *args: Any, **params: Any) -> Any:
    """The op as a method: it is loaded here, when it is called, not when it is looked up."""
    return ops[name](operand, *args, **params)


def _dir(self: Operand) -> list[str]:
    return sorted({*object.__dir__(self), *ops.names()})


def install() -> None:
    """Give the operands their plugin methods."""
    Operand.__dir__ = _dir  # type: ignore[assignment]
    _hook()
    if IS_SLOW:
        ops.on_change = _hook


def _hook() -> None:
    Operand.__getattr__ = _find  # type: ignore[attr-defined]
    if IS_SLOW:
        _graph.when_large(_unhook)


def _unhook() -> None:
    """Take the hook away if there is nothing for it to find; `ops.on_change` brings it back.

    Python 3.11 reads every attribute slowly, those that are there too, where a class has a
    `__getattr__`: large graphs take twice as long.
    """
    _graph.when_large(None)
    if all(row.status == "built-in" for row in ops.info()):
        del Operand.__getattr__  # type: ignore[attr-defined]
