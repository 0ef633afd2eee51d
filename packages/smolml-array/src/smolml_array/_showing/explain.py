"""How arrays answer what explanations ask (see `smolml_value._showing.protocol`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from smolml_array._derivatives.arguments import OutputNode
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule, call_plugin
from smolml_array._graph.views import Element, ValuesNode
from smolml_array._graph.vjps import evaluated
from smolml_array._showing.draw import axis_text, place_of, summary, written_key
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_value import Op
from smolml_value.extending import Node
from smolml_value.extending.derivatives import of
from smolml_value.extending.showing import (
    Namer,
    Part,
    expression_of,
    numeral,
    partial_formula,
    protocol,
    shape_text,
    shortened,
)

_FEW: Final = 6  # elements that are written out
_ANY: Final = "(∂{out}/∂{operand})ᵀ · {g}"  # the formula of a rule that has none

# How a result was computed -----------------------------------------------------------------------


_Writer = Callable[[Sequence[str], Mapping[str, Any]], str]
_WRITTEN: Final[dict[str, _Writer]] = {
    "matmul": lambda args, params: f"{args[0]} @ {args[1]}",
    "reshape": lambda args, params: f"reshape({args[0]}, {params['shape']})",
    "permute_dims": lambda args, params: (
        f"{args[0]}ᵀ"
        if tuple(params["axes"]) == (1, 0)
        else f"permute_dims({args[0]}, {params['axes']})"
    ),
    "getitem": lambda args, params: f"{args[0]}[{written_key(params['key'])}]",
    "setitem": lambda args, params: f"{args[0]} with [{written_key(params['key'])}] = {args[1]}",
    "broadcast_to": lambda args, params: f"broadcast_to({args[0]}, {params['shape']})",
    "astype": lambda args, params: f"astype({args[0]}, {params['dtype']})",
}


@protocol.expression.register(ArrayNode)
def _(node: ArrayNode, args: Sequence[str]) -> str:
    if isinstance(node.rule, Op) or node.rule is None:
        return expression_of(node.rule, args)
    written = _WRITTEN.get(node.rule.name)
    if written is not None:
        return written(args, node.params)
    axis = axis_text(node)
    return f"{node.rule.name}({', '.join([*args, axis] if axis else args)})"


protocol.expression.register(Element, lambda v, args: f"{args[0]}{place_of(v)}")
protocol.expression.register(OutputNode, lambda node, args: f"{node.name}: {args[0]}")
protocol.expression.register(
    ValuesNode, lambda node, args: f"MLArray of {shortened(', '.join(args), 30)}"
)


@protocol.parts.register(ArrayNode)
def _(node: ArrayNode, namer: Namer) -> Sequence[Part | None]:
    rule, out = node.rule, namer(node)
    names = [namer(x) for x in protocol.operands(node)]
    found: list[Part | None] = []
    for i, (parent, primal) in enumerate(zip(node.operands, node.primals, strict=True)):
        if parent is None:
            continue
        if isinstance(rule, Op):
            formula, partial = _partial(node, rule, i, names, out)
            shape = getattr(primal, "shape", ())
            note = ("", "") if shape == node.shape else ("summed", shape_text(shape))
            found.append(Part(formula, True, partial, *note))
        elif rule is not None:
            formula, *said = _flow(node, rule, i, names, out)
            found.append(Part(formula, False, None, *said))
    return found


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
    partial = call_plugin(xp, evaluated, rule, xp, node.out, node.primals)
    return formula, partial if xp.is_array(partial) else float(partial)


def _flow(
    node: ArrayNode, rule: Rule, i: int, names: Sequence[str], out: str
) -> tuple[str, str, str]:
    """What is done with the cotangent of an array operation on its way to operand i.

    As a formula, a note on what else happens, and what the note speaks of.
    """
    formula = rule.formula if isinstance(rule.formula, str) else rule.formula[min(i, 1)]
    first, params = node.primals[0], node.params
    n = first.size // max(node.out.size, 1)
    terms = {
        "g": f"{out}.grad",
        "x": names[0],
        "y": names[-1],
        "operand": names[i],
        "out": out,
        "n": n,
        "freedom": numeral(n - float(params.get("correction", 0.0))),
        "shape": shape_text(first.shape),
        "place": f"[{written_key(params.get('key'))}]",
    }
    text, _, note = (formula or _ANY).partition("; ")
    kind, _, details = note.partition(" ")
    return text.format_map(terms), kind, details.format_map(terms)


def _whole(node: Node, namer: Namer, note: str = "", details: str = "") -> Sequence[Part]:
    """Each parent gets what is its own of the cotangent, as it is."""
    return [Part(f"{namer(node)}.grad", False, None, note, details)] * len(node._parents())


protocol.parts.register(OutputNode, _whole)
protocol.parts.register(ValuesNode, lambda node, namer: _whole(node, namer, "element"))
protocol.parts.register(Element, lambda v, namer: _whole(v, namer, "at", place_of(v)))


@protocol.filled.register(ArrayNode)
def _(node: ArrayNode, number: float) -> Raw:
    fill = node.backend.ones if number else node.backend.zeros
    return fill(node.raw.shape, dtype=node.raw.dtype)


@protocol.shown.register(ArrayNode)
def _(node: ArrayNode, number: Any) -> Any:
    if number is None or type(number) is float:
        return number
    xp, raw = node.backend, of(node).finalize(node, number)
    return MLArray._constant(xp, raw if xp.is_array(raw) else xp.asarray(raw))


@protocol.short.register(MLArray)
def _(x: MLArray) -> str:
    node = x._current_node()
    if node.shape == ():
        return numeral(float(x), 6)
    if 0 < node.raw.size <= _FEW:
        return _nested(x.to_list())
    return f"{shape_text(node.shape)} {summary(node.backend, node.raw)}"


def _nested(numbers: Any) -> str:
    if isinstance(numbers, list):
        return "[" + ", ".join(_nested(x) for x in numbers) + "]"
    return numeral(float(numbers), 5)


protocol.held.register(ArrayNode, lambda node: MLArray._constant(node.backend, node.gradient()))
protocol.is_nonzero.register(MLArray, lambda x: bool((x != 0).any()))
