"""An op as a notebook shows it: what it computes, its parameters and its partials."""

from __future__ import annotations

from html import escape
from inspect import signature

from smolml_value._showing.formulas import partial_formula
from smolml_value.op import Op


def op_html(op: Op) -> str:
    """A small table."""
    parameters = signature(op).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    call = f"{op.name}({', '.join(map(str, parameters))})"
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
