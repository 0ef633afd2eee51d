"""The graph of single numbers behind a graph of arrays, as Values that drawings can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smolml_value._runtime.labels import set_label
from smolml_value._showing import protocol
from smolml_value.fused import FusedValue
from smolml_value.node import topological
from smolml_value.recording import recording
from smolml_value.value import Value


def unfolded(who: str, root: Any, names: Mapping[int, str]) -> dict[Value, Value]:
    """A copy, Value by Value along `_prev`, of all that a Value or an array of one was made from.

    Numbers, gradients, ops and partials are those of the graph; names become labels.

    Returns:
        For each Value its copy, the root last.

    Raises:
        GraphError: an array of more than one element; `who` was given it.
    """
    twins: dict[Value, Value] = {}
    start: Value = root if isinstance(root, Value) else root._only_value(who)
    order: list[Any] = topological([start], before=lambda v: reversed(v._children))
    with recording():
        for v in order:
            made = protocol.anatomy(v)
            if made.made_by is None:
                twin = Value(v._data)
            else:
                args = [twins[x] if isinstance(x, Value) else x for x in made.operands]
                twin = FusedValue(v._data, made.made_by, args, list(made.partials))
            twin.grad = v.grad
            set_label(twin, protocol.called(v, names))
            twins[v] = twin
    return twins
