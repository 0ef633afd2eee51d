"""The lists of ops and backends: a table on a terminal, plain columns elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from smolml import OpInfo, SmolMLError, ops
from smolml.errors import CommandError
from smolml_array.extending import BackendInfo, backends

Info = OpInfo | BackendInfo
STYLES = {"broken": "red", "conflicting": "red", "disabled": "dim", "registered": "green"}


def show_ops(console: Console | None = None) -> None:
    """Print name, arity, distribution and status of every op; what is wrong with one, under it.

    >>> import io
    >>> text = io.StringIO()
    >>> show_ops(Console(file=text))
    >>> [line.split() for line in text.getvalue().splitlines() if line.startswith("tanh ")]
    [['tanh', '1', 'smolml-value', '0.1.0', 'built-in']]
    """
    _show("ops", ops.info(), console or Console())


def show_backends(console: Console | None = None) -> None:
    """Print name, distribution and status of every backend; what is wrong with one, under it.

    >>> import io
    >>> text = io.StringIO()
    >>> show_backends(Console(file=text))
    >>> [line.split() for line in text.getvalue().splitlines() if line.startswith("pure ")]
    [['pure', 'smolml-array', '0.1.0', 'built-in']]
    """
    _show("backends", backends.info(), console or Console())


def show_why(name: str) -> None:
    """Print what is called so, wherever from, with why it is not chosen, and what comes of it.

    Raises:
        CommandError: no op comes of it.

    >>> show_why("tanh")
    built-in, registered at run time or of plugins: 1
    name  arity  from                status
    tanh  1      smolml-value 0.1.0  built-in
    ops['tanh'] is <op tanh(x)>
    """
    found = [row for row in ops.info() if row.name == name.rpartition(":")[2]]
    sys.stdout.write(f"built-in, registered at run time or of plugins: {len(found)}\n")
    if found:
        _show("ops", found, Console())
    try:
        sys.stdout.write(f"ops[{name!r}] is {ops[name]!r}\n")
    except SmolMLError as error:
        raise CommandError(str(error), 1 if found else 2) from error


def _show(what: str, infos: Sequence[Info], console: Console) -> None:
    if console.is_terminal:
        console.print(_table(what, infos))
    else:
        for line in _plain(infos):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _row(info: Info) -> dict[str, str]:
    row = {"name": info.name}
    if isinstance(info, OpInfo):  # the arity is not known before it is loaded
        row["arity"] = "?" if info.arity is None else str(info.arity)
    return {**row, "from": f"{info.distribution} {info.version}".strip(), "status": info.status}


def _plain(infos: Sequence[Info]) -> list[str]:
    rows = [tuple(_row(infos[0])), *(tuple(_row(info).values()) for info in infos)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, error in zip(rows, ["", *(info.error for info in infos)], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        note = f"  {' '.join(error.split())}" if error else ""
        lines.append(("  ".join(cells) + note).rstrip())
    return lines


def _table(what: str, infos: Sequence[Info]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, caption=f"{len(infos)} {what}", caption_justify="left")
    for title in _row(infos[0]):
        style = "bold" if title == "name" else ""
        table.add_column(title, justify="right" if title == "arity" else "left", style=style)
    for info in infos:
        *cells, status = _row(info).values()
        state = Text(status, style=STYLES.get(status, ""))
        if info.error:
            state.append(f"\n{info.error}", style="dim")
        table.add_row(*map(Text, cells), state)
    return table
