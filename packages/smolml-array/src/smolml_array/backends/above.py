"""A backend over another one, whose functions it calls on arrays of its own kind."""

from __future__ import annotations

from functools import partial
from typing import Any

from smolml_array.backends.silence import Silence


class Above:
    """What such backends share. Their `_call(name, f, *args, **params)` calls f of the other one.

    Attributes:
        adopts: the other one, whose arrays are taken in.
        silence: see `Silence`.
    """

    def __init__(self, below: Any, functions: Any) -> None:
        self.adopts = below
        self.name: str = below.name
        self.silence = Silence(below.silence.context, self)
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._functions, name)
        if callable(found) and not isinstance(found, type):
            found = partial(self._call, name, found)
        self.__dict__[name] = found
        return found
