"""Nested containers of numbers and operands: lists, tuples (also named ones) and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def _children(tree: Any) -> list[Any] | None:
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if isinstance(tree, list | tuple) else None


def leaves(tree: Any) -> list[Any]:
    """What stands in the containers, in order.

    >>> leaves({"w": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    children = _children(tree)
    return [tree] if children is None else [x for child in children for x in leaves(child)]


def rebuild(tree: Any, new: list[Any]) -> Any:
    """The same containers around other leaves.

    >>> rebuild({"w": [1.0, 2.0], "b": 3.0}, [4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    return _rebuild(tree, iter(new))


def _rebuild(tree: Any, new: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _rebuild(child, new) for key, child in tree.items()}
    if isinstance(tree, list):
        return [_rebuild(child, new) for child in tree]
    if isinstance(tree, tuple):
        items = [_rebuild(child, new) for child in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return next(new)


def same_structure(a: Any, b: Any) -> bool:
    """Whether two trees have the same containers and number of leaves."""
    left, right = _children(a), _children(b)
    if left is None or right is None:
        return left is right
    keys = isinstance(a, dict) and (not isinstance(b, dict) or list(a) != list(b))
    return (
        not keys
        and isinstance(a, dict) == isinstance(b, dict)
        and len(left) == len(right)
        and all(map(same_structure, left, right))
    )


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same containers around f of each leaf.

    >>> map_leaves(float, (1, [2]))
    (1.0, [2.0])
    """
    return rebuild(tree, [f(x) for x in leaves(tree)])
