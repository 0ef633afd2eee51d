"""An op as a notebook shows it: what it computes, its parameters and its partials."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from inspect import signature
from typing import Any

from smolml_value._ops.definition import VARIADIC
from smolml_value._showing.formulas import partial_formula
from smolml_value.op import Op


def op_html(op: Op) -> str:
    """A small table."""
    names = operand_names(op)
    params = [f"{name}={value!r}" for name, value in op.params.items()]
    call = f"{op.name}({', '.join([*names, *params])})"
    rows = [("", str(op.__doc__ or "").strip().partition("\n\n")[0])]
    if op.partials is not None:
        unknown = [None] * (len(names) + 1)
        for i, name in enumerate(names):
            formula = (
                "–" if op.partials[i] is None else partial_formula(op, i, names, "out", unknown)[0]
            )
            rows.append((f"∂out/∂{name}", formula or "…"))
    elif op.vjp is not None:
        rows.append(("vjp", "given as a whole"))
    else:
        rows.append(("∂out", "through the ops of its forward"))
    cells = "".join(
        f'<tr><td style="text-align:left">{escape(left)}</td>'
        f'<td style="text-align:left">{escape(right)}</td></tr>'
        for left, right in rows
    )
    return (
        f'<table class="smolml-op"><thead><tr><th colspan="2" style="text-align:left">'
        f"<code>{escape(call)}</code></th></tr></thead><tbody>{cells}</tbody></table>"
    )


def operand_names(op: Op) -> Sequence[str]:
    """What the author of an op calls its operands."""
    if op.arity == VARIADIC:
        return ["*args"]
    plain: Sequence[str] = [f"x{i + 1}" for i in range(op.arity)] if op.arity > 1 else ["x"]
    try:
        found: Any = list(signature(op.forward).parameters.values())[1 : 1 + op.arity]
    except (TypeError, ValueError):
        return plain
    names = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names if len(names) == op.arity else plain
