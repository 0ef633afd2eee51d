"""A backend as one object: every name of the protocol, gathered from the backend's modules."""

from __future__ import annotations

import math
from collections import ChainMap
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
        wanted = [n for n in (*protocol_names(), *extra) if n not in self.__dict__]
        found: dict[str, Any] = {n: MethodType(f, self) for n, f in DERIVED.items()}
        for n, f in _functions(wanted, loud).items():
            found[n] = f if guard is None else guard(n, f)
        found.update(_functions(wanted, modules), **CONSTANTS)
        lacking = [n for n in wanted if n not in found]
        if lacking:
            raise AttributeError(f"the {name} backend lacks {lacking[0]!r}")
        self.__dict__.update(found)

    def __repr__(self) -> str:
        return f"<backend {self.name!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from smolml_array.backends import get_backend

        return get_backend, (self.name,)


def _functions(wanted: Sequence[str], modules: Sequence[ModuleType]) -> dict[str, Any]:
    """What modules have of the names that are wanted."""
    here = ChainMap(*map(vars, modules))
    spelled = ((n, n if n in here else f"{n}_") for n in wanted)
    return {n: here[spelling] for n, spelling in spelled if spelling in here}


def named(f: Any, name: str, doc: str) -> Any:
    """f under the name and docstring that it has in the namespace."""
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f
