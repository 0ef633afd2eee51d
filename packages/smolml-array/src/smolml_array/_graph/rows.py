"""The rows of an array, one after another: the windows that `_window` makes, in less time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smolml_array._graph.alone import FEW, WORTH_IT
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode, init_node, new_node
from smolml_array._graph.rule import Rule
from smolml_array._graph.windows import ViewOf
from smolml_array.backends.signatures import references
from smolml_value.extending import MODE


def rows(x: Any, getitem: Rule) -> Iterator[Any]:
    """x[0], x[1], ..., each made when it is asked for, by the rule of x[i].

    Small rows of a large array are all made alike: what they have in common is looked up once, and
    again if x has another node.
    """
    kind: Any = type(x)
    new: Any = kind.__new__
    known: ArrayNode | None = None
    for i in range(x.shape[0]):
        params = {"key": i}
        node: ArrayNode = x._node
        if node is not known or HOOKS.on_read is not None or MODE.special:
            row = x._window(getitem, params)
            yield row
            shared, small = x._behind, node.raw.size >= WORTH_IT and row._node.raw.size <= FEW
            if small and shared is not None and shared.nodes[0] is node:
                known, (nodes, stand_ins) = node, shared
                xp, tracked, as_array = node.backend, node.tracked, node.backend.silence.as_array
                index, copy = xp.silence.plain.index, xp.silence.plain.positive
            continue
        raw = node.raw
        held = references(raw)
        out = index(raw, i)
        if references(raw) > held:
            out = copy(out)
        row = new(kind)
        row._look = row._list = row._behind = None
        row._node = made = new_node(ArrayNode)
        if tracked:
            init_node(made, xp, as_array(out), True, getitem, nodes, stand_ins, params)
        else:
            init_node(made, xp, as_array(out), False)
        made.is_live = True
        row._view = tuple.__new__(ViewOf, (x, nodes, node.version, getitem, params, None))
        yield row
