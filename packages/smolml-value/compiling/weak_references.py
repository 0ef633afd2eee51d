"""Makes Value weakly referenceable when mypyc compiles it; loaded as a mypy plugin.

mypyc does not heed `__slots__ = ("__weakref__",)`. This adds it to the C that mypyc has written,
just before that is compiled: a pointer behind the fields of Value and of what derives from it,
its offset in the type, and a call in the deallocator. The build fails, and says so, when mypyc
has written something else than expected here.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from mypy.plugin import Plugin

# The Values of value.py and fused.py.
CLASS = re.compile(
    r"^ +\.tp_basicsize = sizeof\((\w+___(?:value|fused)___\w*ValueObject)\),$", re.M
)
EXPECTED = 3  # Value, NaryValue, FusedValue


def with_weak_references(c: str) -> str:
    """The C source with weak references added to the classes that it defines."""
    for struct in CLASS.findall(c):
        size = f"sizeof({struct})"
        c = _replace_once(
            c,
            rf"\.tp_basicsize = {re.escape(size)},",
            f".tp_basicsize = {size} + sizeof(PyObject *), .tp_weaklistoffset = {size},",
        )
        c = _replace_once(
            c,
            rf"_dealloc\({struct} \*self\)\s+{{\s+PyObject_GC_UnTrack\(self\);",
            f"_dealloc({struct} *self) {{ PyObject_GC_UnTrack(self);\n"
            f"if (*(PyObject **)((char *)self + {size}) != NULL)"
            " PyObject_ClearWeakRefs((PyObject *)self);",
        )
    return c


def _replace_once(c: str, pattern: str, new: str) -> str:
    changed, count = re.subn(pattern, lambda match: new, c)
    if count != 1:
        raise RuntimeError(
            f"weak references: mypyc wrote {pattern!r} {count} times instead of once; "
            "compile with the mypy that pyproject.toml names"
        )
    return changed


def _compile_after(run: Any) -> Any:
    """The `run` of setuptools' build_ext, with a last look at the C."""

    def look_and_run(command: Any) -> None:
        found = 0
        for path in {Path(source) for ext in command.extensions for source in ext.sources}:
            c = path.read_text(encoding="utf-8")
            if CLASS.search(c):
                found += len(CLASS.findall(c))
                path.write_text(with_weak_references(c), encoding="utf-8")
        if found != EXPECTED:
            raise RuntimeError(
                f"weak references: found {found} classes in the C, expected {EXPECTED}; "
                "compile from a clean tree"
            )
        run(command)

    return look_and_run


def plugin(version: str) -> type[Plugin]:
    """What mypy asks a plugin for; this one has nothing to say about types."""
    # setup() looks the command up only after mypyc has run
    command = import_module("setuptools.command.build_ext").build_ext
    command.run = _compile_after(command.run)
    return Plugin
