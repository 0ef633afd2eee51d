"""Keeps Values that cannot be part of a reference cycle away from the garbage collector.

The collector looks at every node again and again while a graph grows, which takes longer than to
make the nodes. CPython leaves tuples and dicts of numbers alone for this reason; this adds to the
C that mypyc has written the same for Values: a Value (not of a subclass) that is made by nothing
or by one of the built-in ops of value.py from Values that are left alone refers to nothing
else, so no cycle leads through it. All others are looked at, as all are where it is interpreted.
"""

from __future__ import annotations

import re
from pathlib import Path

_INIT = "CPyDef_value___Value_____init__"
_DEFINITION = re.compile(rf"^ *char {_INIT}\(([^)]*)\) {{$", re.M)
_OP = re.compile(r'^(_[A-Z]+): Final = BUILT_IN\["\w+"\]$', re.M)


def with_untracked_values(c: str, package: Path) -> str:
    """The C source with a last step in Value.__init__."""
    ops = _OP.findall((package / "value.py").read_text(encoding="utf-8"))
    found = _DEFINITION.findall(c)
    if len(found) != 1 or not ops:
        raise RuntimeError(
            f"collector: found {len(found)} times Value.__init__ in the C and {len(ops)} ops in "
            "value.py; compile with the mypy that pyproject.toml names"
        )
    parameters = found[0]
    names = [parameter.split()[-1].lstrip("*") for parameter in parameters.split(",")]
    known = " || ".join(f"op == CPyStatic_value___{op}" for op in ops)
    step = f"""
static inline int left_alone(PyObject *x) {{
    return x == Py_None || (Py_TYPE(x) == CPyType_value___Value && !PyObject_GC_IsTracked(x));
}}
static char value_init({parameters});
char {_INIT}({parameters}) {{
    char done = value_init({", ".join(names)});
    if (done != 2 && Py_TYPE(cpy_r_self) == CPyType_value___Value) {{
        smolml_value___graph___ScalarNodeObject *v = (void *)cpy_r_self;
        PyObject *op = v->__made_by;
        if ((op == Py_None || {known})
                && left_alone(v->__lhs) && left_alone(v->__rhs)) {{
            if (PyObject_GC_IsTracked(cpy_r_self)) PyObject_GC_UnTrack(cpy_r_self);
        }} else if (!PyObject_GC_IsTracked(cpy_r_self)) {{
            PyObject_GC_Track(cpy_r_self);
        }}
    }}
    return done;
}}
static char value_init({parameters}) {{"""
    return _DEFINITION.sub(lambda match: step, c)
