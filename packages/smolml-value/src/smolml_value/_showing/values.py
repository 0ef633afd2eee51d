"""How Values answer what drawings and explanations ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_value._derivatives.function_node import Hub
from smolml_value._derivatives.value_rules import PartValue
from smolml_value._ops.fused_rules import DOT
from smolml_value._showing import protocol
from smolml_value._showing.formulas import partial_formula
from smolml_value._showing.numerals import numeral
from smolml_value._showing.protocol import Constant, Look, Namer, Part
from smolml_value.fused import FusedValue
from smolml_value.graph import ScalarNode, product
from smolml_value.node import Node
from smolml_value.op import Op
from smolml_value.value import NaryValue, Value

_UNORDERED: Final = frozenset(
    {"add", "multiply", "maximum", "minimum", "hypot", "logaddexp", "fsum", "mean", "logsumexp"}
)
_INFIX: Final = {"+": "+", "-": "−", "*": "·", "/": "/"}

# Drawing ---------------------------------------------------------------------------------------


def is_ordered(made_by: object) -> bool:
    """Whether it matters which operand of an op is which."""
    return not (isinstance(made_by, Op) and (made_by.name in _UNORDERED or made_by.arity == 1))


def op_text(made_by: object) -> str:
    """The symbol of an op, with its parameters, as drawings show it."""
    if not isinstance(made_by, Op):
        return "" if made_by is None else str(getattr(made_by, "symbol", "?"))
    base = made_by._base
    changed = {
        k: v for k, v in made_by.params.items() if base is not None and base.params.get(k) != v
    }
    if not changed:
        return made_by.symbol
    return f"{made_by.symbol}({', '.join(f'{k}={v}' for k, v in changed.items())})"


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


@protocol.tag.register(Value)
def _(v: Value) -> tuple[str, str]:
    made_by = v._made_by
    return "" if made_by is None else made_by.symbol, v.label  # type: ignore[attr-defined]


@protocol.tag.register(Hub)
def _(node: Hub) -> tuple[str, str]:
    return "function", ""


@protocol.look.register(Hub)
def _(node: Hub) -> Look:
    return Look("function", "", "", "", 0.0, is_function=True)


@protocol.operands.register(Value)
def _(v: Value) -> Sequence[Node | Constant]:
    op, left, right = v._made_by, v._lhs, v._rhs
    if left is None and right is None:
        return v._parents()
    if left is not None and right is not None:
        return (left, right)
    if not isinstance(op, Op) or op.arity == 1:
        return v._parents()
    if left is not None:
        return (left, _constant(v._dr))
    return (_constant(v._dl), right)  # type: ignore[return-value]  # one of the two is a node


@protocol.operands.register(NaryValue)
def _(v: NaryValue) -> Sequence[Node | Constant]:
    return [
        a if isinstance(a, Value) else _constant(x)
        for a, x in zip(v._args, v._numbers, strict=False)  # the numbers end with the result
    ]


@protocol.operands.register(FusedValue)
def _(v: FusedValue) -> Sequence[Node | Constant]:
    return [a if isinstance(a, Value) else _constant(a) for a in v._operands()]


def _constant(x: float) -> Constant:
    return Constant(numeral(x), number=x)


# Explaining ------------------------------------------------------------------------------------


@protocol.expression.register(Value)
def _(v: Value, args: Sequence[str]) -> str:
    return expression_of(v._made_by, args)


@protocol.expression.register(PartValue)
def _(v: PartValue, args: Sequence[str]) -> str:
    return f"{op_text(v._made_by)}: {args[0]}"


def expression_of(made_by: object, args: Sequence[str]) -> str:
    """An op applied to operands, as one would write it."""
    symbol = op_text(made_by)
    if symbol in _INFIX and len(args) == 2:
        return f"{args[0]} {_INFIX[symbol]} {_bracketed(args[1])}"
    if symbol == "**" and len(args) == 2:
        return f"{_bracketed(args[0])} ** {_bracketed(args[1])}"
    if symbol in ("neg", "pos") and len(args) == 1:
        return f"{'−' if symbol == 'neg' else '+'}{_bracketed(args[0])}"
    if made_by is DOT:
        return " + ".join(f"{x} · {y}" for x, y in zip(args[0::2], args[1::2], strict=True))
    if isinstance(made_by, Op) and symbol.endswith(")"):
        name, _, params = symbol.partition("(")
        return f"{name}({', '.join(args)}, {params}"
    return f"{symbol}({', '.join(args)})"


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


@protocol.parts.register(Value)
def _(v: Value, g: float, namer: Namer) -> Sequence[Part]:
    op = v._made_by
    operands = protocol.operands(v)
    names = [namer(x) for x in operands]
    numbers = [x.number if isinstance(x, Constant) else _data(x) for x in operands]
    stored = (v._dl, v._dr)
    found = []
    for i, parent in enumerate(operands):
        if isinstance(parent, Constant):
            continue
        partial = stored[i] if v._rhs is not None or i == 0 else stored[1]
        if v._lhs is None and v._rhs is not None:
            partial = v._dr
        formula = _formula(op, i, names, namer(v), [*numbers, v._data], partial)
        found.append(Part(formula, True, partial, product(g, partial)))
    return found


def _data(x: Node) -> float | None:
    return x._data if isinstance(x, ScalarNode) else None


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
    text, number = partial_formula(made_by, i, names, out, numbers)
    if number is None or math.isclose(number, partial, rel_tol=1e-9) or number != number:
        return text
    # the data of an operand was set since: these numbers are not those that were computed with
    return partial_formula(made_by, i, names, out, [None] * len(numbers))[0]


@protocol.parts.register(NaryValue)
def _(v: NaryValue, g: float, namer: Namer) -> Sequence[Part]:
    op = v._made_by
    assert isinstance(op, Op)
    operands = protocol.operands(v)
    names = [namer(x) for x in operands]
    *numbers, out = v._numbers
    places = [i for i, x in enumerate(operands) if not isinstance(x, Constant)]
    if op.vjp is not None:
        given = op.scalar_vjp(g, out, numbers)
        units = op.scalar_vjp(1.0, out, numbers)
        return [Part("", True, units[i], given[i] if g != 0.0 else 0.0) for i in places]
    assert op.partials is not None
    found = []
    for i in places:
        if op.partials[i] is None:
            found.append(Part("", True, None, None))
            continue
        partial = op.scalar_partial(i, out, numbers)
        formula = _formula(op, i, names, namer(v), v._numbers, partial)
        found.append(Part(formula, True, partial, product(g, partial)))
    return found


_FUSED: Final[dict[str, Callable[[int, Sequence[str], str], str]]] = {
    "fsum": lambda i, names, out: "1",
    "mean": lambda i, names, out: f"1 / {len(names)}",
    "dot": lambda i, names, out: names[i ^ 1],  # its operands come in pairs
    "logsumexp": lambda i, names, out: f"exp({names[i]} − {out})",
}


@protocol.parts.register(FusedValue)
def _(v: FusedValue, g: float, namer: Namer) -> Sequence[Part]:
    op = v._made_by
    operands = protocol.operands(v)
    names = [namer(x) for x in operands]
    places = [i for i, x in enumerate(operands) if not isinstance(x, Constant)]
    formula = _FUSED.get(op.name, lambda i, names, out: "") if isinstance(op, Op) else None
    return [
        Part(
            "" if formula is None else formula(i, names, namer(v)),
            True,
            partial,
            product(g, partial),
        )
        for i, (_, partial) in zip(places, v._edges(), strict=True)
    ]


@protocol.parts.register(PartValue)
def _(v: PartValue, g: float, namer: Namer) -> Sequence[Part]:
    return [Part("1", True, 1.0, {v._index: Value(g)})]


@protocol.parts.register(Hub)
def _(node: Hub, g: Any, namer: Namer) -> Sequence[Part]:
    return [Part("", False, None, c) for c in node._cotangents(g)]


@protocol.zero.register(Hub)
def _(node: Hub) -> Any:
    return {}


@protocol.shown.register(Hub)
def _(node: Hub, number: Any) -> Any:
    return dict(number) if isinstance(number, dict) else number  # sums are made in place


@protocol.held.register(Value)
def _(v: Value) -> float:
    return float(v.grad)


@protocol.short.register(float)
@protocol.short.register(int)
def _(number: float) -> str:
    return numeral(number, 6)


@protocol.short.register(dict)
def _(number: dict[int, Any]) -> str:
    return ", ".join(
        protocol.short(float(x) if isinstance(x, Value) else x) for x in number.values()
    )


@protocol.handles.register(Node)
def _(x: Node) -> Sequence[Any]:
    return (x,)
