"""Bindings of the table's functions: the same, called with another library's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from smolml_array.functions import affine, einsum, equations, numerics  # noqa: F401  # fill it
from smolml_array.functions.table import Entry

Function = Callable[..., Any]


def parameters_of(parameters: str) -> list[inspect.Parameter]:
    """The parameters that are written as in a `def`."""
    made = eval(f"lambda {parameters}: None", {})
    return list(inspect.signature(made).parameters.values())


def bound(
    entry: Entry, name: str, parameters: str, convert: Function, *, namespace: bool = False
) -> Function:
    """A function with these parameters that calls the entry's with its own.

    Parameters go by their names, else by their places. A `dtype` that the entry's function does
    not have is what the first argument is turned into.

    Args:
        entry: whose function is called.
        name: of the function that is made.
        parameters: as in a `def`.
        convert: what arrays among the arguments go through.
        namespace: whether a parameter `xp` comes before all others, which `convert` gets as well.
    """
    own = list(inspect.signature(entry.function).parameters.values())
    named = {p.name: p for p in own}
    given = parameters_of(parameters)
    lead = given[0].name
    xp = "xp, " if namespace else ""
    if lead == "arrays":
        first = f"{'*' if parameters[0] == '*' else ''}[convert({xp}x) for x in arrays]"
    else:
        first = f"convert({xp}{lead})"
    arguments = []
    for i, p in enumerate(given[1:], 1):
        if p.name == "dtype" and "dtype" not in named:
            first = f"cast({first}, dtype)"
            continue
        target, value = named.get(p.name) or own[i], p.name
        if p.name == "axis" and entry.flattens and namespace:
            first, value = f"flat({first}, axis)", "0 if axis is None else axis"
        elif p.name == "b" or target.annotation in ("MLArray", "Raw"):
            value = f"convert({xp}{p.name})"
        by_place = target.kind in (target.POSITIONAL_ONLY, target.VAR_POSITIONAL)
        arguments.append(value if by_place else f"{target.name}={value}")
    call = f"function({', '.join([first, *arguments])})"
    scope = {"function": entry.function, "convert": convert, "cast": _cast, "flat": _flat}
    return _written(name, xp + parameters, call, scope, entry.function.__doc__)


def passing(name: str, parameters: str, function: Function, doc: str | None) -> Function:
    """A function with these parameters that passes them on: by keyword what comes after `*`."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    arguments = [
        f"{p.name}={p.name}" if p.kind is keyword else p.name for p in parameters_of(parameters)
    ]
    return _written(name, parameters, f"f({', '.join(arguments)})", {"f": function}, doc)


def _written(
    name: str, parameters: str, call: str, scope: dict[str, Any], doc: str | None
) -> Function:
    """A function made of a text, as a named tuple's constructor is.

    So Python itself checks what is given, and at its own speed.
    """
    made: Function = eval(f"lambda {parameters}: {call}", scope)
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    return made


def _cast(x: Any, dtype: Any) -> Any:
    return x if dtype is None else x.astype(dtype)


def _flat(x: Any, axis: int | None) -> Any:
    return x.flatten() if axis is None else x
