"""An array as a notebook shows it: a table of numbers, each with its gradient below it."""

from __future__ import annotations

import math
from html import escape
from typing import Any, Final

from smolml_array._shapes.nested import unravel
from smolml_array._showing.draw import size
from smolml_array.array import MLArray
from smolml_array.printing import shown
from smolml_value.extending.showing import colors, numeral, shape_text

_ROWS: Final = 5  # rows shown at each end of many
_COLUMNS: Final = 4


def array_html(x: MLArray) -> str:
    """Numbers and gradients as a table, large arrays abbreviated.

    The last axis are the columns; there is a row for each place on all other axes.
    """
    node = x._current_node()
    xp, shape = node.backend, node.shape
    width = shape[-1] if shape else 1
    height = math.prod(shape[:-1])
    notes = [f"shape {shape_text(shape)}", str(node.raw.dtype.name)]
    if not x.requires_grad:
        notes.append("requires_grad=False")
    title = f"MLArray <b>{escape(x.label)}</b>" if x.label else "MLArray"
    style = "text-align:left;white-space:nowrap"
    caption = f'<caption style="{style}">{title} ({escape(", ".join(notes))})</caption>'
    lines = ['<table class="smolml-array">', caption]
    if width * height == 0:
        return "\n".join([*lines, "</table>"])
    rows, columns = shown(height, _ROWS), shown(width, _COLUMNS)
    numbers = xp.reshape(node.raw, (height, width))
    grads = xp.reshape(x.grad()._current_node().raw, (height, width)) if x.requires_grad else None
    largest = 0.0 if grads is None else size(xp, xp.where(xp.isfinite(grads), grads, 0.0))
    if len(shape) > 1 or width > 1:
        heads = "".join(f"<th>{'⋯' if j < 0 else j}</th>" for j in columns)
        lines.append(f"<thead><tr>{'<th></th>' if len(shape) > 1 else ''}{heads}</tr></thead>")
    lines.append("<tbody>")
    for i in rows:
        place = "⋮" if i < 0 else ", ".join(map(str, unravel(i, shape[:-1])))
        head = f"<th>{place}</th>" if len(shape) > 1 else ""
        cells = [_cell(xp, numbers, grads, i, j, largest) for j in columns]
        lines.append(f"<tr>{head}{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def _cell(xp: Any, numbers: Any, grads: Any, i: int, j: int, largest: float) -> str:
    if i < 0 or j < 0:
        return f"<td>{'⋮' if j >= 0 else '⋯' if i >= 0 else '⋱'}</td>"
    number = _text(xp.to_flat(xp.index(numbers, (i, j)))[0])
    style = "text-align:right;padding:2px 8px"
    if grads is None:
        return f'<td style="{style}">{number}</td>'
    grad = float(xp.to_flat(xp.index(grads, (i, j)))[0])
    fill = colors.shade(abs(grad), largest)
    return (
        f'<td style="{style};background:{fill};color:{colors.INK}">{number}<br>'
        f'<small style="color:{colors.FAINT}">grad {numeral(grad)}</small></td>'
    )


def _text(number: Any) -> str:
    return str(number) if isinstance(number, bool | int) else numeral(float(number))


MLArray._repr_html_ = array_html
