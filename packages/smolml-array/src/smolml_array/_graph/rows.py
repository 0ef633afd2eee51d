"""The rows of an array, one after another: the windows that `_window` makes, in less time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smolml_array._graph.alone import FEW, WORTH_IT
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.node import ArrayNode, init_node, new_node
from smolml_array._graph.rule import Rule
from smolml_array._graph.windows import Behind, ViewOf
from smolml_array.backends.signatures import references
from smolml_value.extending import MODE


def rows(x: Any, getitem: Rule) -> Iterator[Any]:
    """x[0], x[1], ..., each made when it is asked for, by the rule of x[i].

    Small rows of a large array are all made alike: what they have in common is looked up once, and
    again if x moves on. Between two rows nothing here holds the node or its numbers: who assigns
    to x may write into them.
    """
    kind: Any = type(x)
    new: Any = kind.__new__
    shared: Behind | None = None
    for i in range(x.shape[0]):
        params = {"key": i}
        if shared is None or x._behind is not shared or HOOKS.on_read is not None or MODE.special:
            row = x._window(getitem, params)
            shared = (
                x._behind if x._node.raw.size >= WORTH_IT and row._node.raw.size <= FEW else None
            )
            if shared is not None:
                nodes, stand_ins = shared
                xp, tracked = x._node.backend, x._node.tracked
                index, copy = xp.silence.plain.index, xp.silence.plain.positive
                as_array = xp.silence.as_array
        else:
            raw, version = x._node.raw, x._node.version
            held = references(raw)
            out = index(raw, i)
            if references(raw) > held:
                out = copy(out)
            del raw
            row = new(kind)
            row._look = row._list = row._behind = None
            row._node = made = new_node(ArrayNode)
            if tracked:
                init_node(made, xp, as_array(out), True, getitem, nodes, stand_ins, params)
            else:
                init_node(made, xp, as_array(out), False)
            made.is_live = True
            row._view = tuple.__new__(ViewOf, (x, nodes, version, getitem, params, None))
        yield row
