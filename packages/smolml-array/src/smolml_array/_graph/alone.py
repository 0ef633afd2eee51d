"""Buffers that may be written to: CPython says that nobody else sees their numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from smolml_array._graph.free_buffers import reads
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OUT
from smolml_array.backends.signatures import references

WORTH_IT = 2**10
"""Elements from which taking over the buffer of a result is worth its time: a copy takes longer."""


def _held(node: Any) -> bool:
    """Whether the numbers are of this node alone, which has them once or twice."""
    held = _TWICE if node.out is node.raw else _TWICE - 1
    return not node.is_live and node.backend.adopts is None and references(node.raw) == held


def alone(node: ArrayNode) -> bool:
    """Whether nobody but its handle and its elements sees the numbers: no rule will read them."""
    unread = node.rule is None or node.out is not node.raw
    return node.__class__ is ArrayNode and unread and _held(node)


def to_be_forgotten(x: Any) -> bool:
    """Whether all that a node of a result is there for, once `x` moves on, is to send cotangents.

    Only the handle `x` holds it, no rule reads its numbers, and they take more than a look at this.
    """
    return (
        references(x._node) == _IN_HAND
        and x._node.rule is not None
        and x._node.raw.size >= WORTH_IT
        and x._node.out is x._node.raw
        and _held(x._node)
        and not reads(x._node.rule, OUT)
    )


_sample: Final = SimpleNamespace(raw=object(), _node=object())
_sample.out = _sample.raw
_TWICE: Final = references(_sample.raw)
_IN_HAND: Final = references(_sample._node)
