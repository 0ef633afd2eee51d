"""The house stays in order: its figures (see `house.py`) keep within their limits."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.house import LIMITS, circles, figures, main, reach
from tests.architecture.source import INSTALLED, ORDER, code_lines, imports


@pytest.mark.parametrize("name", figures())
def test_a_figure_keeps_within_its_limit(name: str) -> None:
    number, parts = figures()[name]
    assert number <= LIMITS[name].most, "\n".join([f"{name}: {number}", *parts])


def test_every_limit_is_measured_and_none_is_below_its_goal() -> None:
    assert set(figures()) <= LIMITS.keys()
    if tuple(INSTALLED) == ORDER:
        assert set(figures()) == LIMITS.keys()
    assert {name: limit for name, limit in LIMITS.items() if limit.most < limit.goal} == {}


def test_the_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-v"]) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    for name, (number, parts) in figures().items():
        assert any(f" {name}: {number} (goal" in line for line in lines)
        assert all(f"        {part}" in lines for part in parts)


def test_circles_are_found() -> None:
    graph = {"a": ["b"], "b": ["c", "x"], "c": ["b"], "d": ["a", "e"], "e": ["f"], "f": ["g"]}
    graph["g"] = ["e"]
    assert circles(graph) == [["e", "f", "g"], ["b", "c"]]
    assert reach(graph, "d") == {"a", "b", "c", "e", "f", "g"}
    assert reach(graph, "a") == {"b", "c"}


def test_imports_of_every_kind_are_read(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(
        "import p.a\n"
        "if TYPE_CHECKING:\n    import p.b\nelse:\n    import p.c\n"
        "def f():\n    from p import d\n    if TYPE_CHECKING:\n        import p.e\n"
        "where = 'p.f'\nother = 'p.nowhere'\n"
    )
    modules = dict.fromkeys(("p.a", "p.b", "p.c", "p.d", "p.e", "p.f"), path)
    kinds = {"p.a": "import", "p.b": "types", "p.c": "import", "p.d": "inside", "p.e": "types"}
    assert dict(imports("p.m", path, modules)) == kinds | {"p.f": "string"}


def test_only_lines_of_code_count(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(
        '"""Docs,\n\nmore."""\n\n# a comment\nX = (\n    1,  # one\n)\n\n\n'
        'def f() -> str:\n    """Docs."""\n    return """two\n    lines"""\n'
    )
    assert ast.get_docstring(ast.parse(path.read_text())) == "Docs,\n\nmore."
    assert code_lines(path) == 6
