"""Makes Value weakly referenceable when it is compiled.

mypyc does not heed `__slots__ = ("__weakref__",)`. This adds it to the C that mypyc has written:
a pointer behind the fields of Value and of what derives from it, its offset in the type, and a
call in the deallocator. The build fails, and says so, when mypyc has written something else than
expected here.
"""

from __future__ import annotations

import re

# The Values of value.py and fused.py.
CLASS = re.compile(
    r"^ +\.tp_basicsize = sizeof\((\w+___(?:value|fused)___\w*ValueObject)\),$", re.M
)
EXPECTED = 3  # Value, NaryValue, FusedValue


def with_weak_references(c: str) -> str:
    """The C source with weak references added to the Values that it defines."""
    structs = CLASS.findall(c)
    if len(structs) != EXPECTED:
        raise RuntimeError(
            f"weak references: found {len(structs)} classes in the C, expected {EXPECTED}; "
            "compile from a clean tree"
        )
    for struct in structs:
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
