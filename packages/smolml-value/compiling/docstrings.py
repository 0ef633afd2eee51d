"""Keeps the docstrings when modules are compiled, so that help() says the same.

mypyc writes signatures only. This adds to the C that mypyc has written the docstrings of the
classes, methods, properties and functions of the source.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

# What the C calls a thing: module___function, module___Class, module___Class___method.
_FUNCTION = re.compile(r'(\(PyCFunction\)CPyPy_(\w+),\s+METH_[\w |]+, PyDoc_STR\(".*)("\))')
_CLASS = re.compile(
    r'(PyTypeObject CPyType_(\w+)_template_ = {.*?\.tp_doc = PyDoc_STR\(".*?)("\),\n)', re.S
)
_PROPERTY = re.compile(
    r"(\(getter\)(\w+)_get_(\w+),\s+(?:\(setter\)\w+,\s+)?(?:NULL, )?)NULL, NULL}"
)


def with_docstrings(c: str, package: Path) -> str:
    """The C source with the docstrings of the modules in `package`."""
    found: dict[str, str] = {}
    for path in package.rglob("*.py"):
        _collect(ast.parse(path.read_text(encoding="utf-8")), path.stem, found)
    added: set[str] = set()

    def longer(match: re.Match[str]) -> str:
        before, name, after = match.groups()
        if name not in found:
            return match[0]
        added.add(name)
        return before + _quoted(found[name]) + after

    def documented(match: re.Match[str]) -> str:
        before, owner, name = match.groups()
        text = found.get(f"{owner}___{name}")
        return f'{before}"{_quoted(text)}", NULL}}' if text else match[0]

    c = _PROPERTY.sub(documented, _CLASS.sub(longer, _FUNCTION.sub(longer, c)))
    for name in ("value___Value", "value___Value___backward", "fused___dot", "recording___no_grad"):
        if name not in added:
            raise RuntimeError(
                f"docstrings: {name} is not in the C; compile with the mypy that pyproject.toml "
                "names"
            )
    return c


def _collect(node: ast.Module | ast.ClassDef, prefix: str, found: dict[str, str]) -> None:
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            name = f"{prefix}___{child.name}"
            text = ast.get_docstring(child)
            if text:
                found.setdefault(name, inspect.cleandoc(text))  # a property before its setter
            if isinstance(child, ast.ClassDef):
                _collect(child, name, found)


def _quoted(text: str) -> str:
    """The text as the inside of a C string, in pieces that every compiler takes."""
    lines = []
    for line in text.splitlines(keepends=True):
        data = line.encode()
        lines.append("".join(_byte(b) for b in data))
    return '"\n"'.join(["", *lines])


def _byte(b: int) -> str:
    char = chr(b)
    if char in '\\"?':
        return f"\\{char}"
    return char if 32 <= b < 127 else f"\\{b:03o}"
