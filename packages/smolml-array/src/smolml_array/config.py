"""Which backend new arrays use."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from smolml_array.backends import get_backend
from smolml_value.extending import Block, Mode, Setting

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

_here: Final[Mode[Backend | None]] = Mode("smolml_backend", None)
_chosen: list[use_backend] = []  # for the process; the last one counts


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
    here = _here.get()
    if here is not None:
        return here
    chosen = _chosen
    if not chosen:
        name = os.environ.get("SMOLML_BACKEND", "").strip()
        return use_backend(name or ("numpy" if find_spec("numpy") else "pure")).backend
    return chosen[-1].backend


class use_backend(Setting["Backend | None"]):  # noqa: N801  # it reads as a verb, like open()
    """Choose the backend of new arrays, for the process or for a with block.

    A block holds for the current thread or task only, as `no_grad()` does. Blocks nest, may end
    in any order, and one object may be entered as often as one likes. As a statement, it is the
    choice of every thread that is in no block; so it counts too if Ctrl-C comes between the call
    and its block.

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
        self.backend: Backend = get_backend(name)
        super().__init__(_here, self.backend, _is_for_block)
        _chosen = [*_chosen[-_KEPT:], self]


_KEPT: Final = 100  # choices of which one may still turn out to be for a block


def _is_for_block(block: Block[Backend | None]) -> None:
    """What was chosen is not for the process: it was said in a with statement."""
    global _chosen
    _chosen = [choice for choice in _chosen if choice is not block.setting]
