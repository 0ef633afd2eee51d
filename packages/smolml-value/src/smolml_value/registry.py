"""The registry: one place to look an op up by name, built-in, registered or from a plugin.

`ops` is the registry itself: `ops.tanh(x)`, `ops["tanh"]`, `ops["acme-ops:swish"]`, `ops.names()`.
Plugins are entry points of the group `smolml.ops`. They are scanned at the first unknown name or
when somebody asks for the list, and one op is loaded when it is used, not before.
"""

from __future__ import annotations

import copyreg
import keyword
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from smolml_value._ops.plugin import Kind, Plugins, Status
from smolml_value._version import __version__
from smolml_value.errors import OpError, PluginError, UnknownOpError
from smolml_value.node import OperandBase
from smolml_value.op import Op
from smolml_value.table import TABLE

GROUP: Final = "smolml.ops"


class OpInfo(NamedTuple):
    """What is known of one registered op without loading it.

    `arity` is None while a plugin is not loaded; `error` says why it is broken or conflicting.
    """

    name: str
    arity: int | None
    distribution: str
    version: str
    status: Status
    error: str = ""


def _admit(name: str, loaded: object) -> str:
    if not isinstance(loaded, Op):
        return f"expected an Op (what elementwise() returns), got {type(loaded).__name__}"
    if loaded.name != name:
        return f"the op calls itself {loaded.name!r}; the entry-point name must be the op's name"
    return ""


def name_taken(name: str) -> str:
    """Why no op may have this name; "" if it is free.

    Names of Values, arrays and the registry itself are taken: x.name() could not be the op.

    >>> name_taken("grad")
    'x.grad or ops.grad is something else already; rename it'
    >>> name_taken("class")
    'class is a keyword, begins with _ or is no identifier; rename it'
    >>> name_taken("swish")
    ''
    """
    if name in TABLE:
        return "the name belongs to a built-in op, which cannot be replaced; rename it"
    if keyword.iskeyword(name) or name.startswith("_") or not name.isidentifier():
        return f"{name} is a keyword, begins with _ or is no identifier; rename it"
    kinds: list[type] = [Registry, OperandBase]
    for kind in kinds:  # those of ours that are loaded, not what a user made of them
        below: list[type] = kind.__subclasses__()
        kinds += [k for k in below if k.__module__.startswith("smolml_")]
    held = any(name in vars(base) for kind in kinds for base in kind.__mro__)
    return f"x.{name} or ops.{name} is something else already; rename it" if held else ""


class Registry(Plugins[Op]):
    """Every op by name. Built-ins come first and cannot be replaced.

    >>> from smolml_value import Value, ops
    >>> ops.tanh(0.0), ops["exp"](Value(0.0)).data
    (0.0, 1.0)
    >>> "tanh" in ops, "tahn" in ops
    (True, False)
    """

    def __init__(self) -> None:
        super().__init__(Kind("op", GROUP, name_taken, _admit, "ops[{!r}]", "call ops.refresh()"))

    # Looking up --------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Op:
        """The op of that name; `"distribution:name"` picks one of several plugins.

        Raises:
            UnknownOpError: nothing is registered under that name; it names the nearest.
            PluginError: the plugin is broken or disabled, or two distributions claim the name.
        """
        found = TABLE.get(name) or self._registered.get(name) or self._load(name)
        if found is None:
            raise UnknownOpError(f"unknown op {name!r}{self._nearest(name)}")
        return found

    def __getattr__(self, name: str) -> Op:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in TABLE or name in self._registered or bool(self._rivals(name))
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.names()})

    def __repr__(self) -> str:
        return f"<{len(self.names())} ops: ops.names() lists them>"

    def __reduce__(self) -> str:
        return "ops"  # the global of that name: each process has its own

    def name_of(self, op: Op) -> str | None:
        """The name under which this registry gives out this very op; None if under none.

        >>> from smolml_value import elementwise, ops
        >>> ops.name_of(ops.tanh), ops.name_of(elementwise("mine", lambda xp, x: 2 * x))
        ('tanh', None)
        """
        if (TABLE.get(op.name) or self._registered.get(op.name)) is op:
            return op.name
        rivals = [p for p in self._scanned().get(op.name, ()) if not p.disabled]
        for plugin in rivals:
            try:
                if plugin.load() is op:
                    alone = len(rivals) == 1 and op.name not in self._registered
                    return op.name if alone else plugin.qualified
            except PluginError:
                continue  # one that is broken gives out nothing
        return None

    # Listing -----------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all ops, sorted; plugins are listed without being loaded."""
        return sorted({*TABLE, *self._registered, *self._enabled()})

    def info(self) -> list[OpInfo]:
        """Name, arity, distribution, version and status of each op, without loading any."""
        home = ("smolml-value", __version__)
        rows = [OpInfo(n, op.arity, *home, "built-in") for n, op in TABLE.items()]
        rows += [
            OpInfo(n, op.arity, getattr(op.forward, "__module__", ""), "", "registered")
            for n, op in self._registered.items()
        ]
        for plugin, status, error in self._listed():
            arity = None if plugin.loaded is None else plugin.loaded.arity
            home = plugin.distribution, plugin.version
            rows.append(OpInfo(plugin.name, arity, *home, status, error))
        return sorted(rows, key=lambda row: (row.name, row.distribution))

    def _nearest(self, name: str) -> str:
        from smolml_value.foreign import nearest  # only an error needs it

        near = nearest(str(name), self.names())
        return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""

    # Changing ----------------------------------------------------------------------------------

    def register(self, op: Op) -> Op:
        """Add an op at run time and return it; the same op again is fine.

        Raises:
            OpError: not an Op, or the name is taken.
        """
        if not isinstance(op, Op):
            raise OpError(
                f"register: expected an Op (what elementwise() returns), got {type(op).__name__}"
            )
        reserved = "" if op is TABLE.get(op.name) else name_taken(op.name)
        with self._lock:
            taken = TABLE.get(op.name) or self._registered.get(op.name)
            if taken is not None and taken is not op:
                raise OpError(f"register: the name {op.name!r} is taken by {taken!r}; rename it")
            if reserved:
                raise OpError(f"register: the op {op.name!r} cannot be registered: {reserved}")
            self._registered[op.name] = op
        return op

    def unregister(self, name: str) -> None:
        """Take an op that was registered at run time out again.

        Raises:
            UnknownOpError: no such op was registered at run time.
        """
        with self._lock:
            if self._registered.pop(name, None) is None:
                raise UnknownOpError(f"unregister: {name!r} was not registered at run time")

    @contextmanager
    def registered(self, *new: Op) -> Iterator[None]:
        """Register ops for the length of a with block (in tests, say).

        >>> from smolml_value import elementwise, ops
        >>> with ops.registered(elementwise("twice", lambda xp, x: 2 * x)):
        ...     ops.twice(3.0)
        6.0
        >>> "twice" in ops
        False
        """
        with self._lock:
            before = dict(self._registered)
        try:
            for op in new:
                self.register(op)
            yield
        finally:
            with self._lock:
                self._registered = before


ops: Final = Registry()
"""The registry of this process."""


# Pickling --------------------------------------------------------------------------------------


def _reduced(op: Op) -> str | tuple[Callable[..., Op], tuple[Any, ...]]:
    """An op by its name, for pickle: the process that loads it has the rules.

    Raises:
        OpError: there is no name to find it by.
    """
    if op._base is not None:
        return _bound, (op._base, dict(op.params))
    registered = ops.name_of(op)
    if registered is not None:
        return _look_up, (registered,)
    if getattr(sys.modules.get(op.__module__), op.name, None) is op:
        return str(op.name)  # pickle's own way: the global of that name
    raise OpError(
        f"{op.name}: only an op that can be found by its name can be pickled; register it "
        f"(ops.register, or an entry point of smolml.ops), or make it a global called "
        f"{op.name!r} of the module of its forward"
    )


def _look_up(name: str) -> Op:
    return ops[name]


def _bound(op: Op, params: dict[str, Any]) -> Op:
    return op.bind(**params)


copyreg.pickle(Op, _reduced)  # here, since an op knows nothing of names
