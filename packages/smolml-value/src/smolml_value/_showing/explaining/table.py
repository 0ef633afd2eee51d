"""An explanation as a table in a terminal; imported by nothing but rich's own printing."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from smolml_value._showing.explaining.renderers import columns, rows
from smolml_value._showing.explaining.steps import Step
from smolml_value._showing.explaining.translations import WORDS, Language


def table(steps: Sequence[Step], language: Language) -> RenderableType:
    """The steps with operations as one table, what comes before and after as lines."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", justify="right", style="bold")
    styles = ("bold", "", "cyan", "yellow", "green")
    for head, style in zip(columns(language), styles, strict=True):
        made.add_column(Text(head), style=style, overflow="fold")
    before: list[Text] = []
    after: list[Text] = []
    for number, cells in rows(steps, language):
        if len(cells) > 1:
            made.add_row(number, *map(Text, cells))
        else:
            (after if made.row_count else before).append(Text(f"{number}. {cells[0]}"))
    title = Text(WORDS[language]["title"].format(name=steps[0].name), style="bold")
    middle = [made] if made.row_count else []
    return Group(title, *before, *middle, *after)
