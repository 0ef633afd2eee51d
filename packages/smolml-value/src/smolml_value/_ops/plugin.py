"""What installed distributions offer: found by name, loaded when it is used, and one by one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from itertools import groupby
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from smolml_value._ops.entry_points import EntryPoint, find, normalized
from smolml_value._runtime.forks import fork_safe
from smolml_value.errors import PluginError

T = TypeVar("T")

SWITCH: Final = "SMOLML_DISABLE_PLUGINS"
Status = Literal[
    "built-in", "registered", "available", "loaded", "broken", "conflicting", "disabled"
]


class Kind(NamedTuple):
    """A kind of plugin: ops, backends.

    Attributes:
        word: what messages call one: "op".
        group: the group of its entry points.
        taken: why nobody may have a name; "" if it is free.
        admit: what is wrong with what an entry point of a name gave; "" if nothing is.
        choice: how one of several rivals is asked for, `{!r}` standing for its name.
        refresh: what makes it look again.
    """

    word: str
    group: str
    taken: Callable[[str], str]
    admit: Callable[[str, object], str]
    choice: str
    refresh: str


class Plugin(Generic[T]):
    """One entry point: where it comes from, and what it is or the error once it was loaded."""

    def __init__(self, entry: EntryPoint, distribution: str, version: str, kind: Kind) -> None:
        self.entry = entry
        self.name: str = entry.name
        self.distribution = distribution
        self.version = version
        self.kind = kind
        self.disabled = False
        self.loaded: T | None = None
        self.error: PluginError | None = None
        # its own: an import under a common lock can deadlock
        self.lock = fork_safe(threading.RLock())

    @property
    def qualified(self) -> str:
        return f"{self.distribution}:{self.name}"

    def load(self) -> T:
        """What it offers, loaded and checked once; a failure is remembered, raised at every use."""
        with self.lock:
            if self.loaded is None and self.error is None:
                self._try_load()
            if self.loaded is None:
                assert self.error is not None
                raise self.error.with_traceback(None)
            return self.loaded

    def _try_load(self) -> None:
        try:
            loaded = self.entry.load()
        except (Exception, SystemExit) as cause:  # whatever it does, only its own use fails
            self._fail(f"loading it raised {type(cause).__name__}: {cause}", cause)
            return
        wrong = self.kind.taken(self.name) or self.kind.admit(self.name, loaded)
        if wrong:
            self._fail(wrong)
        else:
            self.loaded = loaded  # type: ignore[assignment]  # a T: admitted

    def _fail(self, why: str, cause: BaseException | None = None) -> None:
        self.error = PluginError(
            f"{self.kind.word} {self.name!r} of {self.distribution} {self.version} "
            f"({self.entry.value}) cannot be used: {why}"
        )
        self.error.__cause__ = cause

    def status(self, rivals: list[Plugin[T]], shadowed: bool) -> tuple[Status, str]:
        """How it stands, and why it is broken or conflicting."""
        word, choice = self.kind.word, self.kind.choice.format(self.qualified)
        if self.disabled:
            return "disabled", ""
        if taken := self.kind.taken(self.name):
            return "conflicting", taken
        if self.error is not None:
            return "broken", str(self.error)
        if len(rivals) > 1:
            others = ", ".join(r.distribution for r in rivals if r is not self)
            return "conflicting", f"also claimed by {others}"
        if shadowed:
            a = "an" if word[0] in "aeiou" else "a"
            why = f"{a} {word} registered at run time goes first; this one is {choice}"
            return "conflicting", why
        return ("available" if self.loaded is None else "loaded"), ""


class Plugins(Generic[T]):
    """The plugins of one kind by name. They are scanned when somebody asks for one, or for all."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._lock = fork_safe(threading.RLock())
        self._plugins: dict[str, list[Plugin[T]]] | None = None
        self._registered: dict[str, T] = {}  # at run time; these go first

    def _scan(self) -> list[Plugin[T]]:
        return [Plugin(*found, self._kind) for found in find(self._kind.group)]

    def _scanned(self) -> dict[str, list[Plugin[T]]]:
        with self._lock:
            if self._plugins is None:
                plugins = sorted(self._scan(), key=lambda p: (p.name, p.distribution))
                _switch_off(plugins)
                by_name = groupby(plugins, key=lambda p: p.name)
                self._plugins = {name: list(rivals) for name, rivals in by_name}
            return self._plugins

    def _rivals(self, name: str) -> list[Plugin[T]]:
        """The plugins called `name`, or the one of `"distribution:name"`."""
        distribution, _, bare = name.rpartition(":")
        rivals = self._scanned().get(bare, [])
        wanted = normalized(distribution)
        return [p for p in rivals if p.distribution == wanted] if distribution else rivals

    def _enabled(self) -> list[str]:
        """The names of the plugins that are not switched off."""
        return [n for n, ps in self._scanned().items() if any(not p.disabled for p in ps)]

    def _listed(self) -> Iterator[tuple[Plugin[T], Status, str]]:
        """Each plugin with how it stands, and why it is broken or conflicting."""
        for name, rivals in self._scanned().items():
            active = [p for p in rivals if not p.disabled]
            for plugin in rivals:
                yield plugin, *plugin.status(active, name in self._registered)

    def _load(self, name: str) -> T | None:
        """What the plugin of this name offers; None if there is no such plugin.

        Raises:
            PluginError: it is broken or switched off, or two distributions claim the name.
        """
        rivals = self._rivals(name) if isinstance(name, str) else []
        if not rivals:
            return None
        word = self._kind.word
        active = [p for p in rivals if not p.disabled]
        if not active:
            raise PluginError(
                f"{word} {name!r} of {rivals[0].distribution} is switched off by "
                f"{SWITCH}={os.environ.get(SWITCH, '')}; unset it and {self._kind.refresh}"
            )
        if len(active) > 1:
            both = " and ".join(f"{p.distribution} {p.version}" for p in active)
            choice = " or ".join(self._kind.choice.format(p.qualified) for p in active)
            raise PluginError(f"{word} {name!r} is claimed by {both}; choose with {choice}")
        return active[0].load()

    def refresh(self) -> None:
        """Forget what was found of plugins: the next look-up scans and loads again."""
        invalidate_caches()  # or what was installed a moment ago is not seen
        with self._lock:
            self._plugins = None


def _switch_off(plugins: list[Plugin[T]]) -> None:
    """Mark what SMOLML_DISABLE_PLUGINS names: 1: all; or names, distributions, or both joined."""
    switch = os.environ.get(SWITCH, "").strip()
    if switch in {"", "0"}:
        return
    parts = [part.strip() for part in switch.split(",")]
    named = {*parts, *map(normalized, parts)}  # a distribution may be spelt Acme_Ops
    for plugin in plugins:
        keys = {"1", plugin.name, plugin.distribution, plugin.qualified}
        plugin.disabled = not keys.isdisjoint(named)
