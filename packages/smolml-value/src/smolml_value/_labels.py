"""The labels of nodes, kept beside the graph: few nodes have one, and all would pay for a field."""

from __future__ import annotations

from functools import partial
from weakref import ref

_labels: dict[int, tuple[ref[object], str]] = {}  # by identity; an entry goes with its node


def label_of(node: object) -> str:
    """The label of a node, "" if it has none."""
    entry = _labels.get(id(node))
    return "" if entry is None else entry[1]


def set_label(node: object, label: object) -> None:
    """Give a node a label, or with "" take it away.

    Raises:
        TypeError: the label is not a str.
    """
    if not isinstance(label, str):
        raise TypeError(f"Value: label must be a str, got {type(label).__name__}")
    key = id(node)
    if label:
        _labels[key] = (ref(node, partial(_forget, key)), label)
    else:
        _labels.pop(key, None)


def _forget(key: int, dead: ref[object]) -> None:
    entry = _labels.get(key)
    if entry is not None and entry[0] is dead:
        del _labels[key]
