"""The labels of nodes, kept beside the graph: few nodes have one, and all would pay for a field."""

from __future__ import annotations

from smolml_value._runtime.identity_map import WeakIdentityDict

_labels: WeakIdentityDict[str] = WeakIdentityDict()


def label_of(node: object) -> str:
    """The label of a node, "" if it has none."""
    return _labels.get(node) or ""


def set_label(node: object, label: object) -> None:
    """Give a node a label, or with "" take it away.

    Raises:
        TypeError: the label is not a str.
    """
    if not isinstance(label, str):
        raise TypeError(f"Value: label must be a str, got {type(label).__name__}")
    if label:
        _labels.set(node, label)
    else:
        _labels.remove(node)
