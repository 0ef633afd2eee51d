"""Lists what is public: each name of each package, its signature, the methods of its classes.

    python -m tests.architecture.api            (--types: with annotations; --renew: into `public/`)

The lists in `public/` are the promise: a test compares them with what is there, and the `diff` of
a change shows what users will notice.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

PACKAGES = ("smolml_value", "smolml_array", "smolml_utils", "smolml")
STORED: Final = Path(__file__).with_name("public")
OF_TUPLES: Final = {"__getnewargs__", "__replace__"}  # what named tuples get depends on the Python


def signature(thing: Any, types: bool, bound: bool = False) -> str:
    """As it is called, `bound` without its first argument; "" if that cannot be known."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parameters = list(found.parameters.values())[bound:]
    if not types:
        parameters = [p.replace(annotation=p.empty) for p in parameters]
        found = found.replace(return_annotation=found.empty)
    found = found.replace(parameters=parameters)
    return re.sub(r" at 0x[0-9a-f]+", "", str(found))


def members(owner: type, types: bool) -> Iterator[str]:
    """The public attributes of a class, those inherited from ours too, not from Python's own."""
    ours = (vars(c) for c in owner.__mro__ if c.__module__.startswith("smolml"))
    for name in sorted(set().union(*ours) - set(dir(Exception)) - OF_TUPLES):
        if not name.startswith("_") or name.endswith("__"):
            kind = inspect.getattr_static(owner, name)
            if isinstance(kind, staticmethod | classmethod) or callable(kind):
                bound = inspect.isfunction(kind)
                yield name + signature(getattr(owner, name), types, bound)
            elif not name.startswith("_"):
                yield name


def listing(package: str, types: bool = False) -> Iterator[str]:
    """A line for every public name of a package, one for each member of its classes."""
    module = importlib.import_module(package)
    for name in sorted(module.__all__):
        thing = getattr(module, name)
        if isinstance(thing, ModuleType):
            yield f"{package}.{name}: {', '.join(sorted(getattr(thing, '__all__', ())))}"
        elif callable(thing):
            yield f"{package}.{name}{signature(thing, types)}"
        else:
            yield f"{package}.{name}: {type(thing).__name__}"
        if isinstance(thing, type):
            yield from (f"{package}.{name}.{member}" for member in members(thing, types))
        elif not callable(thing) and type(thing).__module__.startswith("smolml"):
            public = (f"{name}.{member}" for member in members(type(thing), types))
            yield from (f"{package}.{line}" for line in public)


def text(package: str, types: bool = False) -> str:
    """The list of a package as it is stored."""
    return "".join(f"{line}\n" for line in listing(package, types))


def main(arguments: list[str]) -> None:
    """Print the lists, or store them."""
    for package in PACKAGES:
        if "--renew" in arguments:
            (STORED / f"{package}.txt").write_text(text(package), "utf-8")
        else:
            print(text(package, "--types" in arguments), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
