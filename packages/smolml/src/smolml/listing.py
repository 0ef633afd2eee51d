"""The list of the registered ops, as a table on a terminal and as plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from smolml import OpInfo, ops

HEADER = ("name", "arity", "from", "status")
STYLES = {"broken": "red", "conflicting": "red", "disabled": "dim", "registered": "green"}


def show_ops(console: Console | None = None) -> None:
    """Print name, arity, distribution and status of every op; what is wrong with one, under it.

    >>> import io
    >>> text = io.StringIO()
    >>> show_ops(Console(file=text))
    >>> [line.split() for line in text.getvalue().splitlines() if line.startswith("tanh ")]
    [['tanh', '1', 'smolml-value', '0.1.0', 'built-in']]
    """
    console = console or Console()
    infos = ops.info()
    if console.is_terminal:
        console.print(_table(infos))
    else:
        for line in _plain(infos):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _row(info: OpInfo) -> tuple[str, str, str, str]:
    arity = "?" if info.arity is None else str(info.arity)  # not known before it is loaded
    return info.name, arity, f"{info.distribution} {info.version}".strip(), info.status


def _plain(infos: Sequence[OpInfo]) -> list[str]:
    rows = [HEADER, *map(_row, infos)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, error in zip(rows, ["", *(info.error for info in infos)], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        note = f"  {' '.join(error.split())}" if error else ""
        lines.append(("  ".join(cells) + note).rstrip())
    return lines


def _table(infos: Sequence[OpInfo]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, caption=f"{len(infos)} ops", caption_justify="left")
    for name in HEADER:
        table.add_column(name, justify="right" if name == "arity" else "left")
    for info in infos:
        name, arity, source, status = _row(info)
        state = Text(status, style=STYLES.get(info.status, ""))
        if info.error:
            state.append(f"\n{info.error}", style="dim")
        table.add_row(Text(name, style="bold"), arity, source, state)
    return table
