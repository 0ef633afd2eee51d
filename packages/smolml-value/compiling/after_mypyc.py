"""A mypy plugin that looks at the C that mypyc has written, just before it is compiled."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from collector import with_untracked_values
from docstrings import with_docstrings
from mypy.plugin import Plugin
from weak_references import CLASS, with_weak_references


def _compile_after(run: Any) -> Any:
    """The `run` of setuptools' build_ext, with a last look at the C."""

    def look_and_run(command: Any) -> None:
        seen = 0
        for path in {Path(source) for ext in command.extensions for source in ext.sources}:
            c = path.read_text(encoding="utf-8")
            if CLASS.search(c):  # the modules are compiled together: one file has them all
                seen += 1
                package = Path("src/smolml_value")
                c = with_untracked_values(with_weak_references(c), package)
                c = with_docstrings(c, package)
                path.write_text(c, encoding="utf-8")
        if seen != 1:
            raise RuntimeError(
                f"found Value in {seen} C files, expected 1; compile from a clean tree"
            )
        run(command)

    return look_and_run


def plugin(version: str) -> type[Plugin]:
    """What mypy asks a plugin for; this one has nothing to say about types."""
    # setup() looks the command up only after mypyc has run
    command = import_module("setuptools.command.build_ext").build_ext
    command.run = _compile_after(command.run)
    return Plugin
