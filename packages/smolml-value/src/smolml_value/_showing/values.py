"""How Values answer what drawings and explanations ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.value_rules import FunctionOutput
from smolml_value._ops.fused_rules import DOT, FSUM, LOGSUMEXP, MEAN
from smolml_value._ops.hand_made import added
from smolml_value._showing import protocol
from smolml_value._showing.formulas import partial_formula
from smolml_value._showing.numerals import bracketed, numeral
from smolml_value._showing.protocol import Anatomy, Constant, Look, Namer, Part
from smolml_value.op import Op
from smolml_value.value import NaryValue, Value

_UNORDERED: Final = frozenset(
    {"add", "multiply", "maximum", "minimum", "hypot", "logaddexp", "fsum", "mean", "logsumexp"}
)
_INFIX: Final = {"+": "+", "-": "−", "*": "·", "/": "/"}

# The partials of ops that have no rule for each operand, since they take any number of them.
_FUSED: Final[dict[object, Callable[[int, Sequence[str], str], str]]] = {
    FSUM: lambda i, names, out: "1",
    MEAN: lambda i, names, out: f"1 / {len(names)}",
    DOT: lambda i, names, out: names[i ^ 1],  # its operands come in pairs
    LOGSUMEXP: lambda i, names, out: f"exp({names[i]} − {out})",
}

# Drawing ---------------------------------------------------------------------------------------


def is_ordered(made_by: object) -> bool:
    """Whether it matters which operand of an op is which."""
    return not (isinstance(made_by, Op) and (made_by.name in _UNORDERED or made_by.arity == 1))


def op_text(made_by: object) -> str:
    """The symbol of an op, with its parameters, as drawings show it."""
    if not isinstance(made_by, Op):
        return "" if made_by is None else str(getattr(made_by, "symbol", "?"))
    base = made_by._base
    changed = [
        f"{k}={v}"
        for k, v in made_by.params.items()
        if base is not None and base.params.get(k) != v
    ]
    return f"{made_by.symbol}({', '.join(changed)})" if changed else made_by.symbol


@protocol.look.register(Value)
def _(v: Value) -> Look:
    grad = float(v.grad)
    return Look(
        op=op_text(v._made_by),
        label=v.label,
        data=numeral(v._data),
        grad=numeral(grad),
        size=abs(grad),
        more=f"data = {v._data!r}\ngrad = {grad!r}",
        ordered=is_ordered(v._made_by),
    )


@protocol.look.register(FunctionNode)
def _(node: FunctionNode) -> Look:
    return Look("function", "", "", "", 0.0, is_function=True)


protocol.tag.register(Value, lambda v: (v._op, v.label))
protocol.tag.register(FunctionNode, lambda node: ("function", ""))


# Unfolding -------------------------------------------------------------------------------------


@protocol.anatomy.register(Value)
def _(v: Value) -> Anatomy:
    if v._made_by is None:
        return Anatomy(None)
    operands = v._operands()
    partials = iter([partial for _, partial in v._edges()])
    each = [next(partials) if isinstance(x, Value) else 0.0 for x in operands]
    return Anatomy(v._made_by, operands, each)


@protocol.anatomy.register(FunctionOutput)
def anatomy_by_step(v: Value) -> Anatomy:
    """Of a Value of a kind that has no partials: what its own `_backward` does."""
    children = v._children
    return Anatomy(v._made_by, children, added(v, children, v._backward))


# Explaining ------------------------------------------------------------------------------------


def expression_of(made_by: object, args: Sequence[str]) -> str:
    """An op applied to operands, as one would write it."""
    symbol = op_text(made_by)
    if symbol in _INFIX and len(args) == 2:
        return f"{args[0]} {_INFIX[symbol]} {bracketed(args[1])}"
    if symbol == "**" and len(args) == 2:
        return f"{bracketed(args[0])} ** {bracketed(args[1])}"
    if symbol in ("neg", "pos") and len(args) == 1:
        return f"{'−' if symbol == 'neg' else '+'}{bracketed(args[0])}"
    if made_by is DOT:
        return " + ".join(f"{x} · {y}" for x, y in zip(args[0::2], args[1::2], strict=True))
    if isinstance(made_by, Op) and symbol.endswith(")"):
        name, _, params = symbol.partition("(")
        return f"{name}({', '.join(args)}, {params}"
    return f"{symbol}({', '.join(args)})"


protocol.expression.register(Value, lambda v, args: expression_of(v._made_by, args))


@protocol.parts.register(Value)
def _(v: Value, namer: Namer) -> Sequence[Part | None]:
    operands: Sequence[Any] = protocol.operands(v)
    names = [namer(x) for x in operands]
    numbers: Sequence[float | None]
    if isinstance(v, NaryValue):
        numbers = v._numbers  # that it was computed with, and what it gave
    else:
        numbers = [x.number if isinstance(x, Constant) else x._data for x in (*operands, v)]
    places = [i for i, x in enumerate(operands) if not isinstance(x, Constant)]
    return [
        None
        if _is_condition(v, i)
        else Part(_formula(v._made_by, i, names, namer(v), numbers, partial), True, partial)
        for i, (_, partial) in zip(places, v._edges(), strict=True)
    ]


def _is_condition(v: Value, i: int) -> bool:
    """Whether the op has no partial to an operand, as where() to what it chooses by."""
    partials = v._made_by.partials if isinstance(v._made_by, Op) else None
    return isinstance(v, NaryValue) and partials is not None and partials[i] is None


def _formula(
    made_by: object,
    i: int,
    names: Sequence[str],
    out: str,
    numbers: Sequence[float | None],
    partial: float,
) -> str:
    """The partial as a formula; of the branch that was taken, where the numbers tell."""
    if not isinstance(made_by, Op):
        return ""
    if made_by in _FUSED:
        return _FUSED[made_by](i, names, out)
    text, number = partial_formula(made_by, i, names, out, numbers)
    if number is None or math.isclose(number, partial, rel_tol=1e-9) or number != number:
        return text
    # the data of an operand was set since: these numbers are not those that were computed with
    return partial_formula(made_by, i, names, out, [None] * len(numbers))[0]


# A result of a function hands its gradient on to the function, which has one for each result.
protocol.expression.register(FunctionOutput, lambda v, args: f"{op_text(v._made_by)}: {args[0]}")
protocol.parts.register(FunctionOutput, lambda v, namer: [Part("1", True, 1.0)])
protocol.filled.register(FunctionNode, lambda node, number: {})


@protocol.shown.register(FunctionNode)
def _(node: FunctionNode, number: Any) -> Any:
    return dict(number) if isinstance(number, dict) else number  # sums are made in place


@protocol.short.register(dict)
def _(number: dict[int, Any]) -> str:
    return ", ".join(
        protocol.short(float(x) if isinstance(x, Value) else x) for x in number.values()
    )
