"""What detect_anomaly asks of array nodes: their cotangents and their operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._anomaly.block import first_misfit, operand_text, said
from smolml_array._derivatives.arguments import PartNode
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.views import Element, ValuesNode
from smolml_array.array import MLArray
from smolml_value.extending.anomaly_answers import walk as walk


@walk.misfit.register(ArrayNode)
def _(node: ArrayNode, c: Any) -> str | None:
    if isinstance(c, dict):  # of single elements, by position in C order
        flat = [0.0] * node.raw.size
        for i, x in c.items():
            flat[i] = float(x)
        c = node.backend.from_flat(flat, node.shape, node.backend.float64)
    bad = first_misfit(node.backend, _raw(c))
    return None if bad is None else said(*bad)


@walk.held.register(ArrayNode)
def _(node: ArrayNode) -> Any:
    return node._cotangent


@walk.op_name.register(ArrayNode)
def _(node: ArrayNode) -> str:
    return "" if node.rule is None else node.rule.name


@walk.name_given.register(ArrayNode)
def _(node: ArrayNode) -> str:
    return node.label


@walk.text.register(ArrayNode)
def _(node: ArrayNode, c: Any) -> str:
    return "" if isinstance(c, dict) else operand_text(node.backend, _raw(c), None, None)


def _raw(c: Any) -> Any:
    return c._fetch().raw if isinstance(c, MLArray) else c


@walk.operand_texts.register(ArrayNode)
def _(node: ArrayNode) -> list[str]:
    return [
        operand_text(node.backend, raw, operand, None)
        for raw, operand in zip(node.primals, node.operands, strict=True)
    ]


@walk.operand_texts.register(ValuesNode)
@walk.operand_texts.register(PartNode)
@walk.operand_texts.register(Element)
def _(node: Any) -> list[str]:
    return []  # an element is no result of an op, a part that of a whole function


@walk.operand_numbers.register(ArrayNode)
def _(node: ArrayNode) -> Sequence[int]:
    return [i for i, operand in enumerate(node.operands) if operand is not None]


@walk.operand_numbers.register(PartNode)
@walk.operand_numbers.register(Element)
def _(node: Any) -> Sequence[int]:
    return [0]
