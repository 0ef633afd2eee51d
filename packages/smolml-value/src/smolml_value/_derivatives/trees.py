"""Nested containers of numbers and operands: lists, tuples (also named ones) and dicts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Final

Tree = Any  # containers nest without end and their types come out as they went in: no one type

DEEPEST: Final = 64  # as nested lists of numbers may be, too


def leaves(tree: Tree, depth: int = 0) -> list[Any]:
    """What stands in the containers, in order; None is an empty container.

    Raises:
        ValueError: there is no end to the containers.

    >>> leaves({"w": [1.0, 2.0], "b": 3.0, "bias": None})
    [1.0, 2.0, 3.0]
    """
    if depth > DEEPEST:
        raise ValueError(
            f"containers that are nested more than {DEEPEST} deep, where a transform expected "
            f"numbers; does one contain itself?"
        )
    if isinstance(tree, dict):
        return [x for child in tree.values() for x in leaves(child, depth + 1)]
    if isinstance(tree, list | tuple):
        return [x for child in tree for x in leaves(child, depth + 1)]
    return [] if tree is None else [tree]


def paths(tree: Tree, prefix: str = "") -> list[str]:
    """Where each leaf stands, in the order of `leaves`.

    >>> paths({"w": [1.0, 2.0], "b": 3.0})
    ["['w'][0]", "['w'][1]", "['b']"]
    """
    if isinstance(tree, dict):
        children = [(f"[{key!r}]", child) for key, child in tree.items()]
    elif isinstance(tree, list | tuple):
        names = getattr(tree, "_fields", None)
        keys = [f".{n}" for n in names] if names else [f"[{i}]" for i in range(len(tree))]
        children = list(zip(keys, tree, strict=True))
    else:
        return [] if tree is None else [prefix]
    return [path for key, child in children for path in paths(child, prefix + key)]


def rebuild(tree: Tree, new: Iterable[Any]) -> Tree:
    """The same containers around other leaves, the next ones of `new`.

    >>> rebuild({"w": [1.0, 2.0], "b": 3.0}, [4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    rest = iter(new)
    if isinstance(tree, dict):
        items = {key: rebuild(child, rest) for key, child in tree.items()}
        if type(tree) is dict:
            return items
        made = copy.copy(tree)  # OrderedDict, defaultdict, ...: what else they know stays
        made.update(items)
        return made
    if isinstance(tree, list):
        return [rebuild(child, rest) for child in tree]
    if isinstance(tree, tuple):
        fields = [rebuild(child, rest) for child in tree]
        return type(tree)(*fields) if hasattr(tree, "_fields") else tuple(fields)
    return None if tree is None else next(rest)


def map_leaves(f: Callable[[Any], Any], tree: Tree) -> Tree:
    """The same containers around f of each leaf.

    >>> map_leaves(float, (1, [2]))
    (1.0, [2.0])
    """
    return rebuild(tree, [f(x) for x in leaves(tree)])


def leaves_like(like: Tree, tree: Tree, who: str, path: str = "") -> list[Any]:
    """The leaves of `tree` in the order of those of `like`, whose containers it must have.

    Raises:
        TypeError: the containers differ; `who` and the path say where.

    >>> leaves_like({"w": 1.0, "b": 2.0}, {"b": 4.0, "w": 3.0}, "jvp")
    [3.0, 4.0]
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            keys = ", ".join(map(repr, like))
            raise _misfit(who, path, f"a dict with the keys {keys}", tree)
        pairs = [(f"{path}[{key!r}]", like[key], tree[key]) for key in like]
    elif isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) or len(tree) != len(like):
            raise _misfit(who, path, f"a {type(like).__name__} of {len(like)}", tree)
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(like, tree, strict=True))]
    elif like is None:
        if tree is not None:
            raise _misfit(who, path, "None", tree)
        return []
    else:
        if tree is None or isinstance(tree, dict | list | tuple):
            raise _misfit(who, path, "a number or an array", tree)
        return [tree]
    return [x for where, a, b in pairs for x in leaves_like(a, b, who, where)]


def _misfit(who: str, path: str, expected: str, given: Tree) -> TypeError:
    where = f" at {path}" if path else ""
    shown = f"{type(given).__name__} {given!r:.60}" if given is not None else "None"
    return TypeError(f"{who}: expected {expected}{where}, got {shown}")
