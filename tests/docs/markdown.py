"""Runs the Python blocks of a Markdown file and checks the output that the file states."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>\w+)(?P<info>[^\n]*)\n"
    r"(?P<text>.*?)^(?P=indent)(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
EXTRAS = frozenset(
    {"matplotlib", "nbclient", "scipy", "sklearn", "smolml_special", "smolml_torch", "torch"}
)
"""What a block may need that is not always installed. Without it the block is left out."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: what stands right after the fence.
        text: what is in it, without the indentation of the fence.
        line: the line of the file on which the text begins.
        info: the rest of the fence's line.
    """

    language: str
    text: str
    line: int
    info: str = ""


@dataclass
class Outcome:
    """What running a page gave.

    Attributes:
        count: how many blocks of Python there were.
        pictures: what the `draw` blocks drew, as SVG.
        left_out: the blocks that could not run, and which extra each needs.
    """

    count: int = 0
    pictures: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class OutputError(AssertionError):
    """A block printed something else than the file says."""


class Words(ast.NodeTransformer):
    """Takes out what a translation may change: text that is printed, and `language="es"`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [word for word in node.keywords if word.arg != "language"]
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            for inner in ast.walk(node):
                if isinstance(inner, ast.JoinedStr):
                    inner.values = [v for v in inner.values if not isinstance(v, ast.Constant)]
                elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    inner.value = ""
        return self.generic_visit(node)


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown text, in order."""
    for match in _FENCE.finditer(markdown):
        indent = match["indent"]
        text = re.sub(f"^{indent}", "", match["text"], flags=re.MULTILINE)
        line = markdown.count("\n", 0, match.start("text")) + 1
        yield Block(match["language"], text, line, match["info"].strip())


def run(markdown: str, name: str, drawing: ModuleType | None = None) -> Outcome:
    """Run every ``python`` block in one namespace, and what the ``draw`` blocks draw.

    What a block prints must stand in an ``output`` block right after it. A block that begins
    with ``>>>`` is a doctest. A ``draw`` block is an expression that has an `.svg`, or is one; it
    sees the public names of the module `drawing` too. Raises OutputError, or whatever a block
    raises; the line numbers are those of the file.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    extra = {} if drawing is None else {key: getattr(drawing, key) for key in drawing.__all__}
    outcome = Outcome()
    found = [b for b in blocks(markdown) if b.language in ("python", "output", "draw")]
    for block, after in zip_longest(found, found[1:]):
        if block.language == "output":
            continue
        outcome.count += block.language == "python"
        try:
            if block.language == "draw":
                outcome.pictures.append(_draw(block, {**extra, **namespace}, name))
            elif block.text.startswith(">>>"):
                _run_doctest(block, namespace, name)
            else:
                printed = _execute(block, namespace, name)
                stated = after.text if after is not None and after.language == "output" else ""
                if printed.rstrip() != stated.rstrip():
                    raise OutputError(
                        f"{name}:{block.line}: the block prints\n{printed}\n"
                        f"but the file says\n{stated}"
                    )
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in EXTRAS:
                raise
            outcome.left_out.append(f"{name}:{block.line} needs {missing}")
    return outcome


def run_file(path: Path, drawing: ModuleType | None = None) -> Outcome:
    """Run the blocks of one file; see `run`."""
    return run(path.read_text(encoding="utf-8"), str(path), drawing)


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


def _draw(block: Block, namespace: dict[str, Any], name: str) -> str:
    padded = "\n" * (block.line - 1) + "(" + block.text.strip() + ")"
    drawn = eval(compile(padded, name, "eval"), namespace)
    svg = str(getattr(drawn, "svg", drawn))
    if ElementTree.fromstring(svg).tag.rpartition("}")[2] != "svg":
        raise OutputError(f"{name}:{block.line}: the block draws no SVG, but\n{svg:.200}")
    return svg
