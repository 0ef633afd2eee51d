"""Reads the installed SmolML sources: files, imports, module names."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

ORDER = ("smolml_value", "smolml_array", "smolml_utils", "smolml")
"""The packages, lowest first: each may import those before it."""


def package_folder(package: str) -> Path | None:
    """The folder of an installed package, or None."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


INSTALLED = [name for name in ORDER if package_folder(name)]


def source_files(package: str) -> dict[str, Path]:
    """Module name -> file, for every module of a package."""
    folder = package_folder(package)
    assert folder is not None
    modules = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [package, *path.relative_to(folder).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        modules[".".join(parts)] = path
    return modules


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _is_type_checking(node: ast.If) -> bool:
    test = node.test
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def statements(tree: ast.Module, *, at_import: bool) -> Iterator[ast.AST]:
    """Every node of a module; with `at_import`, only what runs when it is imported."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if at_import and isinstance(node, ast.If) and _is_type_checking(node):
            todo += node.orelse
            continue
        todo += ast.iter_child_nodes(node)


def imported_modules(
    name: str, path: Path, modules: dict[str, Path], *, at_import: bool
) -> set[str]:
    """Absolute names of the modules that a module imports.

    ``from . import x`` names the module ``x`` where there is one among `modules`, else the
    package itself.
    """
    found: set[str] = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(parse(path), at_import=at_import):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                kept = parents[: len(parents) - node.level + 1]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.add(full if full in modules else base)
    return found
