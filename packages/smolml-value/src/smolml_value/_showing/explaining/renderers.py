"""Steps as plain text, as Markdown, as HTML, and as data to be played over a drawing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from smolml_value._derivatives.rules import node_of
from smolml_value._showing import protocol
from smolml_value._showing.explaining import phrases
from smolml_value._showing.explaining.steps import Step, Walk
from smolml_value._showing.explaining.translations import WORDS, Language, said
from smolml_value._showing.numerals import numeral
from smolml_value.node import OperandBase


def text(steps: Sequence[Step], language: Language) -> str:
    """Numbered paragraphs."""
    return "\n".join(_lines(steps, language))


def markdown(steps: Sequence[Step], language: Language) -> str:
    """A numbered list, with a list of what is added under each step."""
    return "\n".join(_lines(steps, language, "    ", _literal)) + "\n"


def _lines(
    steps: Sequence[Step],
    language: Language,
    indent: str | None = None,
    written: Callable[[str], str] = str,
) -> Iterator[str]:
    for step in steps:
        number = f"{step.number}. "
        yield number + written(phrases.headline(step, language))
        before = " " * len(number) if indent is None else indent
        for c in step.contributions:
            yield f"{before}- {written(phrases.contribution_text(step, c, language))}"


def _literal(text: str) -> str:
    """Text in which nothing is taken for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text)


def rows(steps: Sequence[Step], language: Language) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table: the step's number where it begins, and its cells or a single one."""
    for step in steps:
        if step.kind != "op" or not step.contributions:
            yield str(step.number), [phrases.headline(step, language)]
            continue
        number = str(step.number)
        first = [f"{step.name} = {step.expression}", phrases.short(step.cotangent, language)]
        for c in step.contributions:
            partial = phrases.partial_text(step, c, language) if c.is_partial else ""
            sends = f"{phrases.grad_of(c.name)} += {phrases.product_text(step, c, language)}"
            yield number, [*first, partial, sends, phrases.now_text(c, language).partition(" ")[2]]
            number, first = "", ["", ""]


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
    for number, cells in rows(steps, language):
        left = ' style="text-align:left;vertical-align:top"'
        if len(cells) == 1:
            body = f'<td colspan="{len(columns(language))}"{left}>{escape(cells[0])}</td>'
        else:
            body = "".join(f"<td{left}>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr><td>{number}</td>{body}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def frames(
    walk: Walk, language: Language, shown_by: Sequence[int], keys: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The steps one amount at a time, as JSON has it: what is said, and where it shows.

    `node` and `edge` are the numbers of a box and an arrow in the drawing, which may stand for
    several: `shown_by` and `keys` say for which. Along the arrow goes `amount`, times `factor`;
    `grad` is what stands in the box where it lands afterwards, which is the node's own in the
    first step. Where steps are left out, the last one has in `grads` what stands in each box.
    """
    is_all = all(step.kind != "folded" for step in walk.steps)
    for step in walk.steps:
        told = replace(step, gradients=tuple(replace(x, before=0.0) for x in step.gradients))
        words = {"text": f"{step.number}. {phrases.headline(told, language)}"}
        own: dict[str, Any] = {}
        if step.kind == "start":
            own["grad"] = in_box(step.cotangent, language)
        elif step.kind == "end" and not is_all:
            boxes = [i for i in dict.fromkeys(shown_by) if i >= 0]
            own["grads"] = {i: in_box(walk.gradient(walk.nodes[i]), language) for i in boxes}
        node = shown_by[step.place] if step.kind in ("start", "op") else -1
        yield {"node": node, **words, **own}
        for c in step.contributions:
            frame: dict[str, Any] = {"node": node}
            if edge := keys.get(c.edge):
                frame["edge"] = edge
                frame["factor"] = phrases.partial_text(step, c, language)
                frame["amount"] = in_box(c.contribution, language)
                if c.place >= 0 and shown_by[c.place] == c.place:
                    frame["grad"] = in_box(c.gradient, language)
            yield frame | {"more": phrases.contribution_text(step, c, language)}


def in_box(x: Any, language: Language) -> str:
    """A gradient as boxes of drawings show it."""
    if isinstance(x, OperandBase):
        return said(protocol.look(node_of(x)).data, language)
    return numeral(x) if isinstance(x, float) else phrases.short(x, language)
