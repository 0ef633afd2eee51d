"""What docstrings need to be pages: doctests as code, formulas as they stand, no name unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from typing import Any, NamedTuple

import griffe

_AS_IT_IS = re.compile(r"(`[^`\n]*`|\$[^$\n]*\$|^ *> .*)")  # code and formulas


class Doctests(griffe.Extension):
    """Fences the examples of docstrings, and keeps `x**2 y**2` from becoming bold."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """The docstring with every paragraph that begins with `>>>` as a fenced block."""
    out: list[str] = []
    inside = False
    for line in docstring.splitlines():
        stripped = line.lstrip()
        margin = line[: len(line) - len(stripped)]
        if not inside and stripped.startswith(">>>"):
            inside, opened = True, margin
            out.append(f"{margin}```pycon")
        elif inside and not stripped:
            inside = False
            out.append(f"{opened}```")
        out.append(line if inside else _escaped(line))
    if inside:
        out.append(f"{opened}```")
    return "\n".join(out)


def _escaped(line: str) -> str:
    if re.match(r"\s*\*\*\w+:", line):  # an argument, as in `**params: ...`
        return line
    parts = _AS_IT_IS.split(line)
    parts[::2] = [text.replace("**", r"\*\*") for text in parts[::2]]
    return "".join(parts)


class Bindings(griffe.Extension):
    """Shows what is a function by another name as that: `sum: Final = sum` in a class, say.

    Array functions are written once, and bound as methods and as public functions. A class whose
    base is another name of one, as `Array`, has the methods of that.
    """

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        holders = list(_holders(pkg))
        for holder in holders:
            if isinstance(holder, griffe.Class):
                holder.bases = [_meant(holder, base).expression for base in holder.bases]
        for holder in holders:
            for name, member in list(holder.members.items()):
                if isinstance(member, griffe.Attribute):
                    function = _meant(holder, member.value).found
                    if isinstance(function, griffe.Function):
                        shown = copy(function)
                        shown.name, shown.parent = name, holder
                        holder.members[name] = shown


class _Meant(NamedTuple):
    """The expression that a name stands for in the end, and what it is, if that is known."""

    expression: Any
    found: Any = None


def _holders(module: griffe.Module) -> Iterator[griffe.Module | griffe.Class]:
    """A module, its modules, and the classes in all of them."""
    yield module
    for member in module.members.values():
        if isinstance(member, griffe.Module):
            yield from _holders(member)
        elif isinstance(member, griffe.Class):
            yield member


def _meant(holder: griffe.Object, expression: Any) -> _Meant:
    """What a name, or an attribute of a class, stands for in the module of its holder."""
    found: Any = None
    if isinstance(expression, griffe.ExprName):
        found = _here(holder, expression.name)
    elif isinstance(expression, griffe.ExprAttribute) and len(expression.values) == 2:
        owner, attribute = expression.values
        known = _here(holder, getattr(owner, "name", ""))
        found = known.all_members.get(attribute.name) if isinstance(known, griffe.Class) else None
    if found is None:
        return _Meant(expression)
    target = found.final_target if found.is_alias else found
    named = isinstance(target, griffe.Attribute) and isinstance(target.value, griffe.Expr)
    if named and target.value is not expression:
        return _meant(target.parent, target.value)
    return _Meant(expression, target)


def _here(holder: griffe.Object, name: str) -> Any:
    """What a name is in the module of a holder, or in it, unless it comes from another package."""
    found = holder.module.members.get(name, holder.members.get(name))
    if found is not None and found.is_alias:
        package = found.target_path.partition(".")[0]
        return found.final_target if package == holder.package.name else None
    return found
