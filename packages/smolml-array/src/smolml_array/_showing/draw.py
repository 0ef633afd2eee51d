"""How arrays answer what drawings ask (see `smolml_value._showing.protocol`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from smolml_array._graph.node import ArrayNode
from smolml_array._graph.views import Element, elements_at
from smolml_array._graph.walking import broadcast_from, sources, unit
from smolml_array._shapes.nested import unravel
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend
from smolml_array.backends.signatures import Raw
from smolml_value import Op, Value
from smolml_value.extending.showing import (
    Anatomy,
    Constant,
    Look,
    anatomy_by_step,
    is_ordered,
    numeral,
    op_text,
    protocol,
    shortened,
)

_MOST: Final = 12  # numbers that a box writes out,
_LINES: Final = 6  # on so many lines,
_IN_A_LINE: Final = 4  # of so many


def numbers(xp: Backend, raw: Raw) -> str:
    """All numbers, row by row, if they are few: whether they are, only the shape says."""
    width = raw.shape[-1] if raw.shape else 1
    lines = math.ceil(width / _IN_A_LINE) * math.prod(raw.shape[:-1])
    if not 0 < raw.size <= _MOST or lines > _LINES:
        return summary(xp, raw)
    texts = [numeral(float(x), 3 if raw.shape else 4) for x in xp.to_flat(raw)]
    if not raw.shape:
        return texts[0]
    longest = max(map(len, texts))
    padded = [text.rjust(longest, "\N{NO-BREAK SPACE}") for text in texts]
    rows = [padded[i : i + width] for i in range(0, raw.size, width)]
    return "\n".join(f"[{_in_lines(row)}]" for row in rows)


def _in_lines(row: Sequence[str]) -> str:
    parts = [row[i : i + _IN_A_LINE] for i in range(0, len(row), _IN_A_LINE)]
    return ",\n\N{NO-BREAK SPACE}".join(map(", ".join, parts))


def summary(xp: Backend, raw: Raw) -> str:
    """The smallest number and the largest.

    Words stand in braces: they are said in the reader's language.
    """
    if raw.size == 0:
        return "{empty}"
    low, high = _extremes(xp, raw)
    if math.isnan(low) or math.isnan(high):
        return "{has_nan}"
    return (
        f"{numeral(low, 3)} … {numeral(high, 3)}" if low != high else f"{{all}} {numeral(low, 3)}"
    )


def _extremes(xp: Backend, raw: Raw) -> tuple[float, float]:
    return float(xp.min(raw)), float(xp.max(raw))


def size(xp: Backend, raw: Raw) -> float:
    """The largest absolute value; 0 if there is none."""
    if math.prod(raw.shape) == 0:
        return 0.0
    low, high = _extremes(xp, raw)
    return max(abs(low), abs(high))


protocol.tag.register(ArrayNode, lambda node: (node.symbol, node.label))
protocol.tag.register(Element, lambda v: ("element", v.label))


@protocol.look.register(ArrayNode)
def _(node: ArrayNode) -> Look:
    xp, raw, grad = node.backend, node.current(), node.gradient()
    if node.let_go:  # a backward pass has not kept what nobody could see
        return Look(_op(node), node.label, "{not_kept}", "{not_kept}", 0.0, shape=node.shape)
    return Look(
        op=_op(node),
        label=node.label,
        data=numbers(xp, raw),
        grad=numbers(xp, grad),
        size=size(xp, grad),
        shape=node.shape,
        more=f"data = {MLArray._constant(xp, raw)!r}\ngrad = {MLArray._constant(xp, grad)!r}"
        if raw.size <= 100
        else "",
        ordered=len(node.primals) > 1 and is_ordered(node.rule),
    )


def _op(node: ArrayNode) -> str:
    if isinstance(node.rule, Op):
        return op_text(node.rule)
    if node.rule is None:
        return node.symbol
    if node.rule.name == "getitem":
        return f"[{written_key(node.params['key'])}]"
    axis = axis_text(node)
    return f"{node.rule.name}({axis})" if axis else node.rule.name


def axis_text(node: ArrayNode) -> str:
    """The axis that a rule was applied along: "axis=0", or ""."""
    axis = node.params.get("axis")
    if isinstance(axis, tuple) and len(axis) == 1:
        (axis,) = axis
    return "" if axis is None else f"axis={axis}"


@protocol.look.register(Element)
def _(v: Element) -> Look:
    place = place_of(v)
    grad = float(v.grad)
    title = f"{v._node.label}{place}"
    return Look(
        "element", v.label, numeral(v._data), numeral(grad), abs(grad), title=title, ordered=False,
        more=f"element {place}\ndata = {v._data!r}\ngrad = {grad!r}",
    )  # fmt: skip


@protocol.called.register(Element)
def _(v: Element, names: Mapping[int, str]) -> str:
    own = v.label or names.get(id(v), "")
    array = v._node.label or names.get(id(v._node), "")
    return own or (f"{array}{place_of(v)}" if array and v._node.shape else array)


@protocol.anatomy.register(Element)
def _(v: Element) -> Anatomy:
    node, rule = v._node, v._node.rule
    if rule is None or not node.tracked:
        return Anatomy(None)
    if not node.operands:  # the result of a function
        return anatomy_by_step(v)._replace(made_by=rule)
    xp = node.backend
    sent = iter(node._cotangents(unit(xp, node.out, v._index)))
    behind = iter(sources(node, v._index))
    found: list[tuple[Any, float]] = []
    for operand, primal in zip(node.operands, node.primals, strict=True):
        if operand is None:
            if isinstance(rule, Op):  # a constant, as an op of numbers has it
                place = broadcast_from(v._index, node.shape, getattr(primal, "shape", ()))
                found.append((float(_flat(xp, primal)[place]), 0.0))
            continue
        c, (_, places) = next(sent), next(behind)
        if isinstance(operand, Value):
            found.append((operand, c or 0.0))
        elif c is not None:
            parts = _flat(xp, c)
            values = elements_at(operand, places)
            found += [(v, float(parts[k])) for v, k in zip(values, places, strict=True)]
    return Anatomy(rule, [x for x, _ in found], [partial for _, partial in found])


def _flat(xp: Backend, numbers: Any) -> Sequence[float]:
    return xp.to_flat(numbers) if xp.is_array(numbers) else [numbers]


def place_of(v: Element) -> str:
    """Where an element stands: "[1, 0]"."""
    return str(list(unravel(v._index, v._node.shape)))


@protocol.constant.register(ArrayNode)
def _(node: ArrayNode, primal: Any) -> Constant:
    xp, shape = node.backend, getattr(primal, "shape", ())
    if shape != ():
        return Constant(numbers(xp, primal), id(primal), shape)
    number = float(xp.to_flat(primal)[0] if xp.is_array(primal) else primal)
    return Constant(numeral(number), number=number)


@protocol.handles.register(MLArray)
def _(x: MLArray) -> Sequence[Any]:
    node = x._current_node()
    return (node, node.raw)  # as a constant it is known by its numbers only


def written_key(key: Any) -> str:
    """An index as one writes it."""
    if isinstance(key, tuple):
        return ", ".join(written_key(k) for k in key)
    if isinstance(key, slice):
        ends = ["" if x is None else str(x) for x in (key.start, key.stop)]
        return ":".join(ends if key.step is None else [*ends, str(key.step)])
    return "..." if key is Ellipsis else shortened(str(key), 20)
