"""Runs the Python blocks of a Markdown file and checks the output that the file states."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line of the file on which the text begins."""

    language: str
    text: str
    line: int


class OutputError(AssertionError):
    """A block printed something else than the file says."""


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown text, in order."""
    for match in _FENCE.finditer(markdown):
        yield Block(match[1], match[2], markdown.count("\n", 0, match.start(2)) + 1)


def run(markdown: str, name: str) -> int:
    """Run every ``python`` block in one namespace; return how many there were.

    What a block prints must stand in an ``output`` block right after it. A block that begins
    with ``>>>`` is a doctest. Raises OutputError, or whatever a block raises; the line
    numbers are those of the file.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    found = [b for b in blocks(markdown) if b.language in ("python", "output")]
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.language == "output":
            continue
        count += 1
        if block.text.startswith(">>>"):
            _run_doctest(block, namespace, name)
            continue
        printed = _execute(block, namespace, name)
        stated = after.text if after is not None and after.language == "output" else ""
        if printed.rstrip() != stated.rstrip():
            raise OutputError(
                f"{name}:{block.line}: the block prints\n{printed}\nbut the file says\n{stated}"
            )
    return count


def run_file(path: Path) -> int:
    """Run the blocks of one file; see `run`."""
    return run(path.read_text(encoding="utf-8"), str(path))


def _execute(block: Block, namespace: dict[str, Any], name: str) -> str:
    padded = "\n" * (block.line - 1) + block.text  # so that tracebacks name the file's line
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(padded, name, "exec"), namespace)
    return printed.getvalue()


def _run_doctest(block: Block, namespace: dict[str, Any], name: str) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, namespace, name, name, block.line - 1)
    report = io.StringIO()
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.write, clear_globs=False)
    namespace.update(test.globs)
    if result.failed:
        raise OutputError(report.getvalue())
