"""Which backend new arrays use."""

from __future__ import annotations

import os
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING

from smolml_array.backends import get_backend

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

_chosen: Backend | None = None


def default_backend() -> Backend:
    """The backend of new arrays: what `use_backend` chose, else SMOLML_BACKEND, else NumPy if
    it is installed, else pure.

    Raises:
        ValueError: SMOLML_BACKEND names no backend.

    >>> from smolml_array import use_backend
    >>> with use_backend("pure"):
    ...     default_backend().name
    'pure'
    """
    global _chosen
    if _chosen is None:
        name = os.environ.get("SMOLML_BACKEND", "").strip()
        _chosen = get_backend(name or ("numpy" if find_spec("numpy") else "pure"))
    return _chosen


class use_backend:  # noqa: N801  # it reads as a verb, like open()
    """Choose the backend of new arrays, for the process or for a with block.

    Arrays that exist keep theirs; `x.to_backend(name)` makes a copy on another.

    Args:
        name: "numpy", "pure", or one of a plugin.

    Raises:
        ValueError: no such backend.
        ImportError: NumPy is not installed.
        PluginError: the plugin is broken, or conflicts with another.

    >>> from smolml_array import MLArray
    >>> with use_backend("pure"):
    ...     x = MLArray([1.0, 2.0])
    >>> x.backend
    'pure'
    """

    def __init__(self, name: str) -> None:
        global _chosen
        self._before = _chosen
        _chosen = get_backend(name)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _chosen
        _chosen = self._before
