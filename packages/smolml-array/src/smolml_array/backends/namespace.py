"""A backend as one object: every name of the protocol, gathered from the backend's modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import Context
from types import MethodType, ModuleType
from typing import Any

from smolml_array.backends.derived import DERIVED
from smolml_array.backends.protocol import protocol_names
from smolml_array.backends.silence import Silence

CONSTANTS: dict[str, float | None] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "newaxis": None,
}


class Namespace:
    """A backend's functions as plain attributes of one object, which copies and pickles by name.

    Args:
        name: the backend's name.
        modules: where its functions are; the first that has a name wins. A function that would
            hide a built-in inside its module may be called `bool_` there.
        extra: further names, beyond the protocol's.
        loud: modules of functions that warn, each of which `guard(name, function)` makes silent.
        silence: the context in which they are silent.
        as_array: turns the scalars that they may give for 0-d arrays into raw arrays.

    Raises:
        AttributeError: the modules lack a name of the protocol.
    """

    def __init__(
        self,
        name: str,
        modules: Sequence[ModuleType],
        extra: Sequence[str] = (),
        loud: Sequence[ModuleType] = (),
        guard: Callable[[str, Any], Any] | None = None,
        silence: Context | None = None,
        as_array: Callable[[Any], Any] | None = None,
    ) -> None:
        self.name = name
        self.adopts: Any = None
        plain: Any = self if guard is None else Namespace(name, [*modules, *loud], extra)
        self.silence: Silence = Silence(silence or Context(), plain, as_array)
        plain.silence = self.silence
        self.__dict__.update(CONSTANTS)
        for wanted in [*protocol_names(), *extra]:
            if wanted in self.__dict__:
                continue
            found = _find(wanted, modules)
            if found is None:
                found = _find(wanted, loud)
                if found is not None and guard is not None:
                    found = guard(wanted, found)
            if found is None and wanted in DERIVED:
                found = MethodType(DERIVED[wanted], self)
            if found is None:
                raise AttributeError(f"the {name} backend lacks {wanted!r}")
            self.__dict__[wanted] = found

    def __repr__(self) -> str:
        return f"<backend {self.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from smolml_array.backends import get_backend

        return get_backend, (self.name,)


def _find(wanted: str, modules: Sequence[ModuleType]) -> Any:
    for spelling in (wanted, f"{wanted}_"):
        for module in modules:
            if spelling in vars(module):
                return vars(module)[spelling]
    return None


def named(f: Any, name: str, doc: str) -> Any:
    """f under the name and docstring that it has in the namespace."""
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f
