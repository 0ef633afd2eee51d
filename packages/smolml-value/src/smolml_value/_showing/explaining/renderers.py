"""Steps as plain text, as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from smolml_value._showing import protocol
from smolml_value._showing.explaining.phrases import (
    contribution_text,
    grad_of,
    headline,
    now_text,
    partial_text,
    product_text,
)
from smolml_value._showing.explaining.steps import Step
from smolml_value._showing.explaining.translations import WORDS, Language


def text(steps: Sequence[Step], language: Language) -> str:
    """Numbered paragraphs."""
    lines = []
    for step in steps:
        lines.append(f"{step.number}. {headline(step, language)}")
        indent = " " * (len(str(step.number)) + 2)
        lines += [f"{indent}- {contribution_text(step, c, language)}" for c in step.contributions]
    return "\n".join(lines)


def markdown(steps: Sequence[Step], language: Language) -> str:
    """A numbered list, with a list of what is added under each step."""
    lines = []
    for step in steps:
        lines.append(f"{step.number}. {_literal(headline(step, language))}")
        lines += [
            f"    - {_literal(contribution_text(step, c, language))}" for c in step.contributions
        ]
    return "\n".join(lines) + "\n"


def _literal(text: str) -> str:
    """Text in which nothing is taken for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text)


def rows(steps: Sequence[Step], language: Language) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table: the step's number, and one cell for each column, or a single one."""
    for step in steps:
        if step.kind != "op" or not step.contributions:
            yield step.number, [headline(step, language)]
            continue
        for i, c in enumerate(step.contributions):
            first = [f"{step.name} = {step.expression}", protocol.short(step.cotangent)]
            yield (
                step.number,
                [
                    *(first if i == 0 else ["", ""]),
                    partial_text(step, c) if c.is_partial else "",
                    f"{grad_of(c.name)} += {product_text(step, c, language)}",
                    now_text(c, language).partition(" ")[2],
                ],
            )


def columns(language: Language) -> list[str]:
    """The heads of the columns of that table, the number's apart."""
    words = WORDS[language]
    return [words[name] for name in ("node", "cotangent", "partial", "sends", "gradient")]


def html(steps: Sequence[Step], language: Language) -> str:
    """A table."""
    heads = "".join(f"<th>{escape(h)}</th>" for h in [WORDS[language]["step"], *columns(language)])
    title = escape(WORDS[language]["title"].format(name=steps[0].name))
    lines = [
        '<table class="smolml-explanation">',
        f"<caption>{title}</caption>",
        f"<thead><tr>{heads}</tr></thead>",
        "<tbody>",
    ]
    before = 0
    for number, cells in rows(steps, language):
        shown = str(number) if number != before else ""
        before = number
        left = ' style="text-align:left;vertical-align:top"'
        if len(cells) == 1:
            body = f'<td colspan="{len(columns(language))}"{left}>{escape(cells[0])}</td>'
        else:
            body = "".join(f"<td{left}>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr><td>{shown}</td>{body}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])
