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
_MAKE = "CPyDef_value___make_node"
_DEFINITION = re.compile(rf"^ *(?:char {_INIT}|PyObject \*{_MAKE})\(([^)]*)\) {{$", re.M)
_OP = re.compile(r'^(_[A-Z]+): Final = BUILT_IN\["\w+"\]$', re.M)


def with_untracked_values(c: str, package: Path) -> str:
    """The C source with a last step in Value.__init__, for leaves, and in make_node."""
    ops = _OP.findall((package / "value.py").read_text(encoding="utf-8"))
    found = _DEFINITION.findall(c)
    if len(found) != 2 or not ops:
        raise RuntimeError(
            f"collector: found {len(found)} times Value.__init__ and make_node in the C and "
            f"{len(ops)} ops in value.py; compile with the mypy that pyproject.toml names"
        )
    known = " || ".join(f"op == CPyStatic_value___{op}" for op in ops)
    step = f"""
static inline int left_alone(PyObject *x) {{
    return x == Py_None || (Py_TYPE(x) == CPyType_value___Value && !PyObject_GC_IsTracked(x));
}}
static inline void settle(PyObject *made) {{
    if (Py_TYPE(made) != CPyType_value___Value) return;
    smolml_value___graph___ScalarNodeObject *v = (void *)made;
    PyObject *op = v->__made_by;
    if ((op == Py_None || {known})
            && left_alone(v->__lhs) && left_alone(v->__rhs)) {{
        if (PyObject_GC_IsTracked(made)) PyObject_GC_UnTrack(made);
    }} else if (!PyObject_GC_IsTracked(made)) {{
        PyObject_GC_Track(made);
    }}
}}
"""
    first = True

    def settled(match: re.Match[str]) -> str:
        nonlocal first
        before, first = step if first else "", False
        parameters = match[1]
        names = ", ".join(p.split()[-1].lstrip("*") for p in parameters.split(","))
        if _MAKE in match[0]:
            return f"""{before}static PyObject *make_plain({parameters});
PyObject *{_MAKE}({parameters}) {{
    PyObject *made = make_plain({names});
    if (made != NULL) settle(made);
    return made;
}}
static PyObject *make_plain({parameters}) {{"""
        return f"""{before}static char value_init({parameters});
char {_INIT}({parameters}) {{
    char done = value_init({names});
    if (done != 2) settle(cpy_r_self);
    return done;
}}
static char value_init({parameters}) {{"""

    return _DEFINITION.sub(settled, c)
