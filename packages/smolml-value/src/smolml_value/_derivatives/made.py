"""Functions that transforms make: called, shown and pickled as functions written by hand are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, reduce
from types import MethodType
from typing import Any


def global_name(x: Any) -> str | None:
    """The name of the global that x is, as a decorated function is; None if it is none."""
    module: Any = sys.modules.get(x.__module__)
    found = reduce(lambda o, name: getattr(o, name, None), x.__global__.split("."), module)
    return x.__global__ if found is x else None


class Made(partial[Any]):
    """What a transform has made of f, under a name that says so; it shows the signature of f.

    It is pickled as the call that made it, `transform(f, *options)`, which is small, or, if a
    module has it under the name of f, as that global.
    """

    __made_by__: tuple[Callable[..., Any], tuple[Any, ...]]
    __name__: str
    __qualname__: str
    __global__: str

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)  # as functions become methods

    def __set_name__(self, owner: type[Any], name: str) -> None:
        if self.__global__ == f"{owner.__qualname__}.{name}":  # it decorates a method
            self.__name__ = name  # by which a bound method is pickled

    def __reduce__(self) -> Any:
        return global_name(self) or self.__made_by__

    def __repr__(self) -> str:
        return f"<function {self.__qualname__}>"


def made(
    call: Callable[..., Any],
    transform: Callable[..., Any],
    f: Callable[..., Any],
    *options: Any,
    wraps: bool = True,
) -> Made:
    """The function `call`, which a transform has made of f.

    Args:
        call: what it does.
        transform: what has made it, a global function.
        f: of what.
        options: the other arguments of `transform`.
        wraps: whether it takes the arguments of f.

    Raises:
        TypeError: f is no function.
    """
    who, name = transform.__name__, getattr(f, "__name__", type(f).__name__)
    if not callable(f):
        raise TypeError(f"{who}: expected a function, got a {name}; use y.backward()")
    found = Made(call)
    vars(found).update(
        __made_by__=(transform, (f, *options)),
        __name__=f"{who}({name})",
        __qualname__=f"{who}({name})",
        __module__=getattr(f, "__module__", __name__),
        __global__=getattr(f, "__global__", getattr(f, "__qualname__", "")),
        __wrapped__=f if wraps else call,
        __doc__=f"What {who} makes of {name}; takes the arguments of {name}.",
    )
    return found
