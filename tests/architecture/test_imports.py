"""Imports go one way: value <- array <- utils <- smolml, without cycles and without extras."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.architecture.source import INSTALLED, ORDER, imported_modules, source_files
from tests.children import printed

# What each package may import beside the standard library and the packages below it.
THIRD_PARTY = {
    # read by the compiler only; when a PNG is asked for; when rich itself asks for it
    "smolml_value": {"mypy_extensions", "resvg_py", "rich"},
    "smolml_array": {"numpy"},
    "smolml_utils": {"safetensors"},
    "smolml": {"IPython", "matplotlib", "numpy", "rich", "sklearn"},
}


@pytest.mark.parametrize("package", INSTALLED)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    below = set(ORDER[: ORDER.index(package) + 1])
    allowed = below | THIRD_PARTY[package] | sys.stdlib_module_names
    modules = source_files(package)
    wrong = {
        f"{name} imports {target}"
        for name, path in modules.items()
        for target in imported_modules(name, path, modules, at_import=False)
        if target.partition(".")[0] not in allowed
    }
    assert not wrong


def find_cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """A cycle of a directed graph as a list that begins and ends with the same node, or None."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack = [(start, iter(sorted(graph[start])))] if start not in done else []
        while stack:
            node, targets = stack[-1]
            if len(path) < len(stack):
                path.append(node)
            for target in targets:
                if target in path:
                    return [*path[path.index(target) :], target]
                if target in graph and target not in done:
                    stack.append((target, iter(sorted(graph[target]))))
                    break
            else:
                done.add(node)
                stack.pop()
                path.pop()
    return None


@pytest.mark.parametrize("package", INSTALLED)
def test_no_import_cycles_inside_a_package(package: str) -> None:
    modules = source_files(package)
    graph = {
        name: imported_modules(name, path, modules, at_import=True) & modules.keys()
        for name, path in modules.items()
    }
    assert find_cycle(graph) is None


def test_find_cycle_finds_cycles() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": set()}) is None
    assert find_cycle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) is None
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"a"}}) == ["a", "a"]


def test_imports_are_read_rightly(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "from . import b, name\n"
        "from .c import d\n"
        "if TYPE_CHECKING:\n    import e\n"
        "def f():\n    import g\n"
    )
    modules = dict.fromkeys(("p.m", "p.b", "p.c"), path)
    always = {"__future__", "typing", "p", "p.b", "p.c"}
    assert imported_modules("p.m", path, modules, at_import=True) == always
    assert imported_modules("p.m", path, modules, at_import=False) == always | {"e", "g"}


def _modules_loaded_by(package: str) -> set[str]:
    program = (
        "import json, sys; before = set(sys.modules)\n"
        f"import {package}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    return set(json.loads(printed(program)))


def test_value_loads_only_the_standard_library() -> None:
    loaded = {name.partition(".")[0] for name in _modules_loaded_by("smolml_value")}
    loaded = {name for name in loaded if not name.endswith("__mypyc")}  # of a compiled build
    assert loaded - sys.stdlib_module_names - {"mypy_extensions"} == {"smolml_value"}


@pytest.mark.skipif("smolml_array" not in INSTALLED, reason="smolml_array is not installed")
def test_array_works_where_numpy_cannot_be_imported() -> None:
    program = (
        "import sys\n"
        "sys.modules['numpy'] = None\n"  # makes `import numpy` raise ImportError
        "from smolml_array import MLArray\n"
        "x = MLArray([[1.0, 2.0], [3.0, 4.0]])\n"
        "w = MLArray([[0.5], [-0.5]])\n"
        "loss = (x @ w).tanh().sum()\n"
        "loss.backward()\n"
        "print(x.grad().shape, w.grad().shape, round(loss.item(), 6))\n"
    )
    assert printed(program).strip() == "(2, 2) (2, 1) -0.924234"


@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("smolml_array", {"matplotlib", "rich", "scipy", "sklearn"}),
        ("smolml_utils", {"matplotlib", "rich", "safetensors", "scipy", "sklearn"}),
        ("smolml", {"matplotlib", "rich", "scipy", "sklearn"}),
    ],
)
def test_an_import_loads_no_extras(package: str, unwanted: set[str]) -> None:
    if package not in INSTALLED:
        pytest.skip(f"{package} is not installed")
    loaded = {name.partition(".")[0] for name in _modules_loaded_by(package)}
    assert not loaded & unwanted
