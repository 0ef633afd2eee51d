"""The registry: one place to look an op up by name, built-in, registered or from a plugin.

`ops` is the registry itself: `ops.tanh(x)`, `ops["tanh"]`, `ops["acme-ops:swish"]`, `ops.names()`.
Plugins are entry points of the group `smolml.ops`. They are scanned at the first unknown name or
when somebody asks for the list, and one op is loaded when it is used, not before.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from typing import Final

from smolml_value._ops.entry_points import find, normalized
from smolml_value._ops.plugin import OpInfo, Plugin
from smolml_value.errors import OpError, PluginError, UnknownOpError
from smolml_value.op import Op
from smolml_value.table import TABLE

GROUP: Final = "smolml.ops"
SWITCH: Final = "SMOLML_DISABLE_PLUGINS"
BUILT_IN: Final = "smolml-value"


class Registry:
    """Every op by name. Built-ins come first and cannot be replaced.

    >>> from smolml_value import Value, ops
    >>> ops.tanh(0.0), ops["exp"](Value(0.0)).data
    (0.0, 1.0)
    >>> "tanh" in ops, "tahn" in ops
    (True, False)
    """

    def __init__(self, scan: Callable[[], list[Plugin]]) -> None:
        self._scan = scan
        self._lock = threading.RLock()
        self._registered: dict[str, Op] = {}
        self._plugins: dict[str, list[Plugin]] | None = None

    # Looking up --------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Op:
        """The op of that name; `"distribution:name"` picks one of several plugins.

        Raises:
            UnknownOpError: nothing is registered under that name; it names the nearest.
            PluginError: the plugin is broken or disabled, or two distributions claim the name.
        """
        found = TABLE.get(name) or self._registered.get(name)
        return found if found is not None else self._plugin(name)

    def __getattr__(self, name: str) -> Op:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def _rivals(self, name: str) -> list[Plugin]:
        """The plugins called `name`, or the one of `"distribution:name"`."""
        distribution, _, bare = name.rpartition(":")
        rivals = self._scanned().get(bare, [])
        wanted = normalized(distribution)
        return [p for p in rivals if p.distribution == wanted] if distribution else rivals

    def _plugin(self, name: str) -> Op:
        rivals = self._rivals(name) if isinstance(name, str) else []
        if not rivals:
            raise UnknownOpError(f"unknown op {name!r}{self._nearest(name)}")
        active = [p for p in rivals if not p.disabled]
        if not active:
            raise PluginError(
                f"op {name!r} of {rivals[0].distribution} is switched off by "
                f"{SWITCH}={os.environ.get(SWITCH, '')}; unset it and call ops.refresh()"
            )
        if len(active) > 1:
            both = " and ".join(f"{p.distribution} {p.version}" for p in active)
            choice = " or ".join(f"ops[{p.qualified!r}]" for p in active)
            raise PluginError(f"op {name!r} is claimed by {both}; choose with {choice}")
        return active[0].load()

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
        enabled = [n for n, ps in self._scanned().items() if any(not p.disabled for p in ps)]
        return sorted({*TABLE, *self._registered, *enabled})

    def info(self) -> list[OpInfo]:
        """Name, arity, distribution, version and status of each op, without loading any."""
        from smolml_value import __version__

        rows = [OpInfo(n, op.arity, BUILT_IN, __version__, "built-in") for n, op in TABLE.items()]
        rows += [
            OpInfo(n, op.arity, getattr(op.forward, "__module__", ""), "", "registered")
            for n, op in self._registered.items()
        ]
        for name, plugins in self._scanned().items():
            active = [p for p in plugins if not p.disabled]
            rows += [p.info(active, shadowed=name in self._registered) for p in plugins]
        return sorted(rows, key=lambda row: (row.name, row.distribution))

    def _nearest(self, name: str) -> str:
        import difflib  # slow to import, and only an error needs it

        near = difflib.get_close_matches(str(name), self.names(), n=3)
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
        with self._lock:
            taken = TABLE.get(op.name) or self._registered.get(op.name)
            if taken is not None and taken is not op:
                raise OpError(f"register: the name {op.name!r} is taken by {taken!r}; rename it")
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

    def refresh(self) -> None:
        """Forget what was found of plugins: the next look-up scans and loads again."""
        invalidate_caches()  # or what was installed a moment ago is not seen
        with self._lock:
            self._plugins = None

    def _scanned(self) -> dict[str, list[Plugin]]:
        with self._lock:
            if self._plugins is None:
                found: dict[str, list[Plugin]] = {}
                for plugin in sorted(self._scan(), key=lambda p: (p.name, p.distribution)):
                    found.setdefault(plugin.name, []).append(plugin)
                _switch_off(found)
                self._plugins = found
            return self._plugins


def _switch_off(found: dict[str, list[Plugin]]) -> None:
    """Mark what SMOLML_DISABLE_PLUGINS names: 1 for all, or ops, distributions, or both joined."""
    switch = os.environ.get(SWITCH, "").strip()
    if switch in {"", "0"}:
        return
    parts = [part.strip() for part in switch.split(",")]
    named = {*parts, *map(normalized, parts)}  # a distribution may be spelt Acme_Ops
    for plugins in found.values():
        for plugin in plugins:
            keys = {"1", plugin.name, plugin.distribution, plugin.qualified}
            plugin.disabled = not keys.isdisjoint(named)


def _scan_entry_points() -> list[Plugin]:
    return [Plugin(*found) for found in find(GROUP)]


ops: Final = Registry(_scan_entry_points)
"""The registry of this process."""
