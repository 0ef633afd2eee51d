"""How arrays answer what detect_anomaly asks of nodes: their numbers and their operands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from smolml_array._derivatives.arguments import OutputNode
from smolml_array._derivatives.traced import all_examples
from smolml_array._graph.gathering import Part, whole
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.views import Element, ValuesNode
from smolml_array._shapes.nested import unravel
from smolml_array.array import MLArray
from smolml_value.extending import Node
from smolml_value.extending.anomaly import Misfit, inside, named, questions

inside("smolml_array")
inside("numpy")  # its functions of Python call our methods


@questions.misfit.register(ArrayNode)
def _(node: ArrayNode, c: Any) -> Misfit | None:
    xp, raw = node.backend, whole(node.backend, node.raw, _raw(c))
    if not hasattr(raw, "shape"):
        flat, shape = [float(raw)], ()
    elif not xp.isdtype(raw.dtype, "real floating") or bool(xp.all(xp.isfinite(raw))):
        return None
    else:
        flat, shape = xp.to_flat(raw), raw.shape
    bad = (i for i, x in enumerate(flat) if not math.isfinite(x))
    return next((Misfit(flat[i], unravel(i, shape)) for i in bad), None)


def _raw(c: Any) -> Any:
    return all_examples(c._current_node().raw if isinstance(c, MLArray) else c)


questions.made_by.register(ArrayNode, attrgetter("rule"))
questions.outcome.register(ArrayNode, attrgetter("out"))
questions.held.register(ArrayNode, ArrayNode.gathered)
questions.given.register(ArrayNode, lambda node: [*zip(node.operands, node.primals, strict=True)])

# An element is no result of an op, a part that of a whole function.
questions.outcome.register(OutputNode, questions.outcome.dispatch(object))
for kind in (ValuesNode, OutputNode, Element):
    questions.given.register(kind, questions.given.dispatch(object))


@questions.text.register(ArrayNode)
def _(node: ArrayNode, c: Any, operand: Node | None, place: Sequence[int] | None) -> str:
    xp, raw = node.backend, _raw(c)
    if isinstance(raw, dict | Part):
        return ""
    shape: Sequence[int] = getattr(raw, "shape", ())
    if not shape:
        return f"{float(raw)!r}{named(operand)}"
    text = f"an array of shape {shape}{named(operand)}"
    if place is None:
        return text
    own = place[len(place) - len(shape) :]
    index = tuple(0 if length == 1 else i for i, length in zip(own, shape, strict=True))
    return f"{text}, {float(xp.to_flat(xp.index(raw, index))[0])!r} at index {list(index)}"
