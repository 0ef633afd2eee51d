"""House rules for files: a docstring first, an honest `__all__`, small, typed."""

from __future__ import annotations

import ast
import importlib
import re
import warnings
from pathlib import Path

import pytest

from tests.architecture.house import LINES_OF_A_FILE
from tests.architecture.source import INSTALLED, package_folder, parse, source_files

FILES = {name: path for package in INSTALLED for name, path in source_files(package).items()}
MOST_LINES = LINES_OF_A_FILE
MANY_LINES = 250


@pytest.mark.parametrize("name", FILES)
def test_a_file_begins_by_saying_what_it_is_for(name: str) -> None:
    docstring = ast.get_docstring(parse(FILES[name]))
    assert docstring, f"{name} has no docstring"
    assert docstring.splitlines()[0].strip()


def _declares_all(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "__all__"
        for node in parse(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )


@pytest.mark.parametrize("name", [n for n in FILES if n in INSTALLED or _declares_all(FILES[n])])
def test_all_names_resolve_once(name: str) -> None:
    # Their order is the linter's business (ruff RUF022).
    module = importlib.import_module(name)
    names = list(module.__all__)
    assert len(names) == len(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


@pytest.mark.parametrize("package", INSTALLED)
def test_a_package_says_what_is_public(package: str) -> None:
    public = importlib.import_module(package).__all__
    assert [n for n in public if n.startswith("_") and n != "__version__"] == []


@pytest.mark.parametrize("package", INSTALLED)
def test_a_package_is_typed_and_has_a_version(package: str) -> None:
    folder = package_folder(package)
    assert folder is not None
    assert (folder / "py.typed").is_file()
    assert re.fullmatch(r"\d+\.\d+\.\d+", importlib.import_module(package).__version__)


@pytest.mark.filterwarnings("default")
def test_files_are_small() -> None:
    lines = {n: len(p.read_text(encoding="utf-8").splitlines()) for n, p in FILES.items()}
    long = {n: count for n, count in lines.items() if MANY_LINES < count <= MOST_LINES}
    if long:
        warnings.warn(f"longer than {MANY_LINES} lines: {long}", stacklevel=1)
    assert {n: count for n, count in lines.items() if count > MOST_LINES} == {}
