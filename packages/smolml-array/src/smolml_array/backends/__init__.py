"""The array backends, by name: `get_backend("numpy")`, `"pure"`, and those of plugins.

A plugin is an entry point of the group `smolml.backends`: its name is the backend's, its value an
object with the names of `protocol.Backend`. It is looked for at the first name that is not built
in, and loaded when it is used, as the ops of plugins are.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from smolml_value.extending import Plugin, PluginError, PluginKind, Plugins, PluginStatus

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

__all__ = ["BACKENDS", "BackendInfo", "backends", "get_backend"]

BACKENDS: Final = ("numpy", "pure")
"""Those that are built in. They are known without metadata: from a zip file, too."""

_HOME = "smolml-array"


class BackendInfo(NamedTuple):
    """What is known of one backend without loading it; `error` says why it cannot be used."""

    name: str
    distribution: str
    version: str
    status: PluginStatus
    error: str = ""


def _admit(name: str, loaded: object) -> str:
    from smolml_array.backends.protocol import protocol_names

    missing = [wanted for wanted in protocol_names() if not hasattr(loaded, wanted)]
    if missing:
        return (
            f"it lacks {', '.join(missing[:5])}, which smolml_array.backends.protocol describes; "
            f"smolml_array.extending.Namespace derives of the others what can be derived"
        )
    if getattr(loaded, "name", None) != name:
        return "the name of its entry point must be the backend's own name"
    return ""


class Backends(Plugins["Backend"]):
    """Every backend by name. Built-in names cannot be taken.

    >>> from smolml_array.extending import backends
    >>> backends.names()[:2]
    ['numpy', 'pure']
    """

    def __init__(self) -> None:
        choice, refresh = "get_backend({!r})", "call backends.refresh()"
        kind = PluginKind("backend", "smolml.backends", _taken, _admit, choice, refresh)
        super().__init__(kind)

    def _scan(self) -> list[Plugin[Backend]]:
        # of its own entry points BACKENDS knows already
        return [p for p in super()._scan() if p.distribution != _HOME]

    def __getitem__(self, name: str) -> Backend:
        """The backend of that name, always the same object; imported only when asked for.

        Raises:
            ValueError: there is none of that name; it lists those that are there.
            ImportError: NumPy is not installed, or older than 2.
            PluginError: the plugin is broken or switched off, or two distributions claim the name.
        """
        if name in BACKENDS:
            return _built_in(name)
        found = self._registered.get(name) or self._load(name)
        if found is None:
            expected = ", ".join(map(repr, self.names()))
            raise ValueError(f"unknown backend {name!r}: expected one of {expected}")
        return found

    def register(self, backend: Backend) -> Backend:
        """Add a backend at run time, under its own name, in front of a plugin's; return it.

        Raises:
            PluginError: it lacks names of the protocol, or has the name of one that is built in.
        """
        name = str(getattr(backend, "name", ""))
        wrong = _taken(name) or _admit(name, backend)
        if wrong:
            raise PluginError(f"register: backend {name!r} cannot be used: {wrong}")
        self._registered[name] = backend
        return backend

    def unregister(self, name: str) -> None:
        """Take a backend that was registered at run time out again.

        Raises:
            ValueError: no such backend was registered at run time.
        """
        if self._registered.pop(name, None) is None:
            raise ValueError(f"unregister: {name!r} was not registered at run time")

    def names(self) -> list[str]:
        """The names of all backends, those that are built in first; none is loaded."""
        return [*BACKENDS, *sorted({*self._registered, *self._enabled()} - {*BACKENDS})]

    def info(self) -> list[BackendInfo]:
        """Name, distribution, version and status of each backend, without loading any."""
        from smolml_array import __version__

        rows = [BackendInfo(name, _HOME, __version__, "built-in") for name in BACKENDS]
        if not find_spec("numpy"):
            rows[0] = rows[0]._replace(status="broken", error="NumPy is not installed")
        rows += [BackendInfo(name, "", "", "registered") for name in self._registered]
        for p, status, error in self._listed():
            rows.append(BackendInfo(p.name, p.distribution, p.version, status, error))
        return rows


@cache
def _built_in(name: str) -> Backend:
    return import_module(f"{__name__}.{name}").BACKEND  # type: ignore[no-any-return]


def _taken(name: str) -> str:
    return "the name belongs to a built-in backend" if name in BACKENDS else ""


backends: Final = Backends()
"""The backends of this process."""


def get_backend(name: str) -> Backend:
    """The backend of this name, always the same object; it is imported only when asked for.

    Args:
        name: "numpy", "pure", or one that is registered or from a plugin; `"distribution:name"`
            picks one of several plugins.

    Raises:
        ValueError: no such backend.
        ImportError: NumPy is not installed, or older than 2.
        PluginError: the plugin is broken or switched off, or two distributions claim the name.

    >>> get_backend("pure").name
    'pure'
    """
    return backends[name]
