"""How arrays answer what drawings and explanations ask (see `smolml_value._showing.nodes`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from smolml_array._cotangents import cotangents_of, evaluated
from smolml_array._node import ArrayNode
from smolml_array._windows import Element, ValuesNode
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, Raw
from smolml_value import Op, Value, _derive
from smolml_value._node import Node
from smolml_value._showing import nodes
from smolml_value._showing.nodes import Constant, Look, Namer, Part
from smolml_value._showing.numerals import numeral, numerals, shortened
from smolml_value._showing.symbols import partial_formula
from smolml_value._showing.values import expression_of, is_ordered, op_text

_FEW: Final = 6  # elements that are written out

# Drawing ---------------------------------------------------------------------------------------


def summary(xp: Backend, raw: Raw, few: int = 3) -> str:
    """The numbers, if they are few and in a row; else the smallest and the largest."""
    size = math.prod(raw.shape)
    if size == 0:
        return "empty"
    if size == 1 or (size <= few and len(raw.shape) == 1):
        flat = [float(x) for x in xp.to_flat(raw)]
        return numeral(flat[0]) if not raw.shape else numerals(flat)
    low, high = _extremes(xp, raw)
    if math.isnan(low) or math.isnan(high):
        return "has nan"
    return f"{numeral(low, 3)} … {numeral(high, 3)}" if low != high else f"all {numeral(low, 3)}"


def _extremes(xp: Backend, raw: Raw) -> tuple[float, float]:
    if xp.isdtype(raw.dtype, "bool"):
        flat = xp.to_flat(raw)
        return float(min(flat)), float(max(flat))
    return float(xp.min(raw)), float(xp.max(raw))


def _size(xp: Backend, raw: Raw) -> float:
    if math.prod(raw.shape) == 0:
        return 0.0
    low, high = _extremes(xp, raw)
    return max(abs(low), abs(high))


@nodes.tag.register(ArrayNode)
def _(node: ArrayNode) -> tuple[str, str]:
    return "" if node.rule is None else node.rule.symbol, node.label


@nodes.tag.register(ValuesNode)
def _(node: ValuesNode) -> tuple[str, str]:
    return "array", node.label


@nodes.look.register(ArrayNode)
def _(node: ArrayNode) -> Look:
    xp, raw, grad = node.backend, node.current(), node.gradient()
    return Look(
        op=_op(node),
        label=node.label,
        data=summary(xp, raw),
        grad=summary(xp, grad),
        size=_size(xp, grad),
        shape=node.shape,
        more=f"data = {MLArray._constant(xp, raw)!r}\ngrad = {MLArray._constant(xp, grad)!r}"
        if raw.size <= 100
        else "",
        ordered=len(node.operands) > 1
        and (is_ordered(node.rule) if isinstance(node.rule, Op) else True)
        and not isinstance(node, ValuesNode),
    )


def _op(node: ArrayNode) -> str:
    if isinstance(node, ValuesNode):
        return "array"
    if isinstance(node.rule, Op) or node.rule is None:
        return op_text(node.rule)
    axis = node.params.get("axis")
    if node.rule.name == "getitem":
        return f"[{_key(node.params['key'])}]"
    return node.rule.name if axis is None else f"{node.rule.name}(axis={axis})"


@nodes.tag.register(Element)
def _(v: Element) -> tuple[str, str]:
    return "element", v.label


@nodes.look.register(Element)
def _(v: Element) -> Look:
    place = _place(v)
    grad = float(v.grad)
    title = f"{v._node.label}{place}"
    return Look(
        "element", v.label, numeral(v._data), numeral(grad), abs(grad), title=title, ordered=False,
        more=f"element {place}\ndata = {v._data!r}\ngrad = {grad!r}",
    )  # fmt: skip


def _place(v: Element) -> str:
    """Where an element stands: "[1, 0]"."""
    i = v._index
    place = []
    for length in reversed(v._node.shape):
        place.append(i % length)
        i //= length
    return f"[{', '.join(map(str, reversed(place)))}]"


@nodes.operands.register(ArrayNode)
def _(node: ArrayNode) -> Sequence[Node | Constant]:
    return [
        _constant(node.backend, primal) if operand is None else operand
        for operand, primal in zip(node.operands, node.primals, strict=True)
    ]


@nodes.operands.register(ValuesNode)
def _(node: ValuesNode) -> Sequence[Node | Constant]:
    return node.values


@nodes.operands.register(Element)
def _(v: Element) -> Sequence[Node | Constant]:
    return v._parents()


def _constant(xp: Backend, primal: Any) -> Constant:
    shape = getattr(primal, "shape", None)
    if shape is None or (shape == () and not xp.is_array(primal)):
        return Constant(numeral(float(primal)), number=float(primal))
    if shape == ():
        number = float(xp.to_flat(primal)[0])
        return Constant(numeral(number), number=number)
    return Constant(summary(xp, primal), id(primal), shape)


# Explaining ------------------------------------------------------------------------------------


def _axis(params: Mapping[str, Any]) -> str:
    axis = params.get("axis")
    return "" if axis is None else f", axis={axis}"


def _call(name: str) -> _Writer:
    return lambda args, params: f"{name}({', '.join(args)}{_axis(params)})"


_Writer = Callable[[Sequence[str], Mapping[str, Any]], str]
_WRITTEN: Final[dict[str, _Writer]] = {
    "matmul": lambda args, params: f"{args[0]} @ {args[1]}",
    "reshape": lambda args, params: f"reshape({args[0]}, {params['shape']})",
    "permute_dims": lambda args, params: (
        f"{args[0]}ᵀ"
        if tuple(params["axes"]) == (1, 0)
        else f"permute_dims({args[0]}, {params['axes']})"
    ),
    "getitem": lambda args, params: f"{args[0]}[{_key(params['key'])}]",
    "setitem": lambda args, params: f"{args[0]} with [{_key(params['key'])}] = {args[1]}",
    "broadcast_to": lambda args, params: f"broadcast_to({args[0]}, {params['shape']})",
    "astype": lambda args, params: f"astype({args[0]}, {params['dtype']})",
}


def _key(key: Any) -> str:
    """An index as one writes it."""
    if isinstance(key, tuple):
        return ", ".join(_key(k) for k in key)
    if isinstance(key, slice):
        ends = ["" if x is None else str(x) for x in (key.start, key.stop)]
        return ":".join(ends if key.step is None else [*ends, str(key.step)])
    return "..." if key is Ellipsis else shortened(str(key), 20)


@nodes.expression.register(ArrayNode)
def _(node: ArrayNode, args: Sequence[str]) -> str:
    if isinstance(node, ValuesNode):
        return f"MLArray of {shortened(', '.join(args), 30)}"
    if isinstance(node.rule, Op) or node.rule is None:
        return expression_of(node.rule, args)
    written = _WRITTEN.get(node.rule.name, _call(node.rule.name))
    return written(args, node.params)


@nodes.expression.register(Element)
def _(v: Element, args: Sequence[str]) -> str:
    return f"{args[0]}{_place(v)}"


@nodes.parts.register(ArrayNode)
def _(node: ArrayNode, g: Raw, namer: Namer) -> Sequence[Part]:
    rule = node.rule
    if rule is None:
        return []
    cotangents = node.backend.quietly(cotangents_of, node, g)
    operands = nodes.operands(node)
    names = [namer(x) for x in operands]
    found = []
    for i, (parent, primal, c) in enumerate(
        zip(node.operands, node.primals, cotangents, strict=True)
    ):
        if parent is None:
            continue
        if c is not None:
            c = float(c) if isinstance(parent, Value) else _as(node.backend, c, primal)
        if isinstance(rule, Op):
            formula, partial = _partial(node, rule, i, names, namer(node))
            shape = getattr(primal, "shape", ())
            is_same = shape == g.shape
            note, details = ("", "") if is_same else ("summed", str(shape).replace(",)", ")"))
            found.append(Part(formula, True, partial, c, note, details))
        else:
            formula, note, details = _flow(node, i, names, namer(node))
            found.append(Part(formula, False, None, c, note, details))
    return found


def _as(xp: Backend, c: Any, primal: Raw) -> Raw:
    c = c if xp.is_array(c) else xp.asarray(c)
    return c if c.dtype == primal.dtype else xp.astype(c, primal.dtype)


def _partial(node: ArrayNode, op: Op, i: int, names: Sequence[str], out: str) -> tuple[str, Any]:
    """The partial of an op to operand i as a formula and as a number or raw array."""
    if op.partials is None:
        return "", None
    numbers = [*(p if isinstance(p, float | int) else None for p in node.primals), None]
    formula, number = partial_formula(op, i, names, out, numbers)
    rule = op.partials[i]
    if not callable(rule):
        return formula, number
    xp = node.backend
    partial = xp.quietly(evaluated, rule, xp, node.out, node.primals)
    return formula, partial if xp.is_array(partial) else float(partial)


def _flow(node: ArrayNode, i: int, names: Sequence[str], out: str) -> tuple[str, str, str]:
    """What is done with the cotangent of an array operation on its way to operand i.

    As a formula, a note on what else happens, and what the note speaks of.
    """
    g, x = f"{out}.grad", names[0]
    params = node.params
    n = node.primals[0].size // max(node.out.size, 1) if node.primals else 0
    flows: dict[str, tuple[str, str, str]] = {
        "matmul": (f"{g} @ {names[-1]}ᵀ" if i == 0 else f"{x}ᵀ @ {g}", "", ""),
        "sum": (g, "each", ""),
        "mean": (f"{g} / {n}", "each", ""),
        "max": (g, "first_max", ""),
        "min": (g, "first_min", ""),
        "prod": (f"{g} · {out} / {x}", "", ""),
        "var": (f"{g} · 2 ({x} − mean({x})) / {_freedom(n, params)}", "", ""),
        "std": (f"{g} · ({x} − mean({x})) / ({_freedom(n, params)} · {out})", "", ""),
        "reshape": (g, "back", ""),
        "permute_dims": (g, "back", ""),
        "flip": (g, "back", ""),
        "broadcast_to": (g, "summed", str(node.primals[0].shape).replace(",)", ")")),
        "concat": (g, "part", ""),
        "stack": (g, "part", ""),
    }
    if "key" in params:
        place = f"[{_key(params['key'])}]"
        flows["getitem"] = (g, "at", place)
        flows["setitem"] = (g, "elsewhere" if i == 0 else "at", place)
        flows["index_add"] = (g, "", "") if i == 0 else (g, "at", place)
    return flows.get(node.rule.name if node.rule else "", (g, "", ""))


def _freedom(n: int, params: Mapping[str, Any]) -> str:
    """n - correction, the divisor of a variance."""
    return numeral(n - float(params.get("correction", 0.0)))


@nodes.parts.register(ValuesNode)
def _(node: ValuesNode, g: Raw, namer: Namer) -> Sequence[Part]:
    formula = f"{namer(node)}.grad"
    return [Part(formula, False, None, float(c), "element") for c in node.backend.to_flat(g)]


@nodes.parts.register(Element)
def _(v: Element, g: float, namer: Namer) -> Sequence[Part]:
    formula = f"{namer(v)}.grad"
    return [Part(formula, False, None, {v._index: g}, "at", _place(v)) for _ in v._parents()]


@nodes.seed.register(ArrayNode)
def _(node: ArrayNode) -> Raw:
    raw = node.raw
    return node.backend.ones(raw.shape, dtype=raw.dtype)


@nodes.zero.register(ArrayNode)
def _(node: ArrayNode) -> Raw:
    raw = node.raw
    return node.backend.zeros(raw.shape, dtype=raw.dtype)


@nodes.held.register(ArrayNode)
def _(node: ArrayNode) -> MLArray:
    return MLArray._constant(node.backend, node.gradient())


@nodes.shown.register(ArrayNode)
def _(node: ArrayNode, number: Any) -> Any:
    if number is None or isinstance(number, float | int):
        return number
    return MLArray._constant(node.backend, _derive.gathered(node, number))


@nodes.short.register(MLArray)
def _(x: MLArray) -> str:
    node = x._fetch()
    if node.shape == ():
        return numeral(float(x), 6)
    if 0 < node.raw.size <= _FEW:
        return _nested(x.to_list())
    shape = str(node.shape).replace(",)", ")")
    return f"{shape} {summary(node.backend, node.raw)}"


def _nested(numbers: Any) -> str:
    if isinstance(numbers, list):
        return "[" + ", ".join(_nested(x) for x in numbers) + "]"
    return numeral(float(numbers), 5)


@nodes.is_nonzero.register(MLArray)
def _(x: MLArray) -> bool:
    return bool((x != 0).any())


@nodes.handles.register(MLArray)
def _(x: MLArray) -> Sequence[Any]:
    node = x._fetch()
    return (node, node.raw)  # as a constant it is known by its numbers only
