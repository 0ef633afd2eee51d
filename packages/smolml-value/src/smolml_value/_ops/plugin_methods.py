"""Plugin ops as methods: `x.swish()` for every op that the registry finds.

Set on the class from outside: this must work on compiled classes too, whose source cannot have a
`__getattr__` of its own.

A hook looks a name up when it is asked for, so nothing is scanned before. But on CPython 3.11 a
class with a `__getattr__` reads all its attributes slowly (later versions do not mind), and a
gradient takes half as long again. There the hook is exchanged for what it stands for, once a
process has computed so much that this pays: the registry is scanned, nothing loaded, and what it
knows becomes methods. When it changes, the hook is put back, and the count begins anew. Nothing
else is different in the meantime, except that Python itself answers an unknown name: the error
is "'Value' object has no attribute 'sigmoyd'", and the traceback asks "Did you mean: 'sigmoid'?".
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from smolml_value._runtime.build import COMPILED
from smolml_value._runtime.work import WORK
from smolml_value.operand import Operand
from smolml_value.registry import ops

# The first scan takes as long as some 40 ms of work, so it must not come before about as much time
# is lost: compiled, it is lost where the user reads attributes and not in the graph.
ENOUGH: Final = 1_000_000 if COMPILED else 50_000
"""The work before the exchange, in nodes of graphs of Values: 0.1 s of passes and more."""


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


def _method(name: str) -> Callable[..., Any]:
    """`_call` for one name, as a function: a partial would not be bound to the operand."""

    def method(self: Operand, *args: Any, **params: Any) -> Any:
        return _call(name, self, *args, **params)

    method.__name__ = name
    method.__qualname__ = f"Operand.{name}"
    method.__doc__ = f"The op {name!r} of the registry."
    return method


def _dir(self: Operand) -> list[str]:
    kind = type(self)
    own = {n for n in object.__dir__(self) if not _METHODS.has_made(getattr(kind, n, None))}
    return sorted({*own, *ops.names()})


class _Methods:
    """The methods that stand in the hook's place, while they do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.made: dict[str, Callable[..., Any]] = {}
        self.changes = 0  # of the registry

    def has_made(self, function: object) -> bool:
        """Whether this is one of the methods."""
        return bool(self.made) and self.made.get(getattr(function, "__name__", "")) is function

    def put_in_place(self) -> None:
        """Exchange the hook for methods; if this fails or is interrupted, the hook is there."""
        seen = self.changes
        # Not under the lock: this scans, which imports and runs what we do not know.
        names = [name for name in ops._known() if not name.startswith("_")]
        with self.lock:
            if seen != self.changes or not _has_hook():
                return  # by now others may be known; whoever changed it has begun a new count
            # only now: before, another thread may have been taking earlier methods away
            there = {name for kind in Operand.__mro__ for name in vars(kind)}
            for name in set(names) - there:
                self.made[name] = method = _method(name)
                setattr(Operand, name, method)
            del Operand.__getattr__  # type: ignore[attr-defined]

    def take_away(self) -> None:
        """Put the hook back, so that whatever the registry finds from now on is a method."""
        with self.lock:
            self.changes += 1
            Operand.__getattr__ = _find  # type: ignore[attr-defined]
            for name in list(self.made):
                if vars(Operand).get(name) is self.made[name]:
                    delattr(Operand, name)
                del self.made[name]
        WORK.after(ENOUGH, self.put_in_place)


_METHODS: Final = _Methods()


def _has_hook() -> bool:
    return "__getattr__" in vars(Operand)


def install() -> None:
    """Give the operands their plugin methods."""
    Operand.__getattr__ = _find  # type: ignore[attr-defined]
    Operand.__dir__ = _dir  # type: ignore[assignment]
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        ops._when_changed(_METHODS.take_away)
        WORK.after(ENOUGH, _METHODS.put_in_place)
