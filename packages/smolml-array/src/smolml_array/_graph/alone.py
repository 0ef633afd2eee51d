"""Buffers that may be written to: CPython says that nobody else sees their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from smolml_array._graph.free_buffers import reads
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OUT, Rule
from smolml_array.backends.signatures import Raw, references
from smolml_value.extending import MODE

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

WORTH_IT = 2**6
"""Elements from which a buffer is not copied for an assignment if nobody sees it."""
FEW: Final = 2**10
"""Elements up to which a window onto some of many has a copy of them: it takes next to no time.

Fewer than LARGE: its rule could not make numbers again that a pass lets go of.
"""


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

    Only the handle `x` and its windows hold it, and no rule reads its numbers: windows have theirs.
    """
    shared = x._behind is not None and x._behind.nodes[0] is x._node
    return (
        references(x._node) == _IN_HAND + shared
        and not MODE.special
        and HOOKS.on_move is None
        and x._node.rule is not None
        and x._node.raw.size >= WORTH_IT
        and x._node.out is x._node.raw
        and _held(x._node)
        and not reads(x._node.rule, OUT)
    )


def shown(
    xp: Backend, raw: Raw, rule: Rule, params: Mapping[str, Any], stand_ins: list[Raw]
) -> tuple[Raw, list[Raw]]:
    """What a window shows of numbers, and these as its rule remembers them.

    A few of many are a copy, and the rule, which reads no more than their shape, remembers a
    stand-in: then the window does not see the buffer. (`detect_anomaly` looks at the numbers.)
    """
    silence, held = xp.silence, references(raw)
    out = rule.forward(silence.plain, raw, **params)
    if not out.ndim:  # NumPy makes scalars of elements
        out = silence.as_array(out)
    if rule.into is None or out.size > FEW or raw.size < WORTH_IT or MODE.watched:
        return out, [raw]
    if references(raw) > held:
        out = silence.as_array(silence.plain.positive(out))
    return out, stand_ins


_sample: Final = SimpleNamespace(raw=object(), _node=object())
_sample.out = _sample.raw
_TWICE: Final = references(_sample.raw)
_IN_HAND: Final = references(_sample._node)
