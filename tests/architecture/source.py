"""Reads the installed SmolML sources: files, module names, imports, code lines."""

from __future__ import annotations

import ast
import importlib.util
import io
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

ORDER = ("smolml_value", "smolml_array", "smolml_utils", "smolml")
"""The packages, lowest first: each may import those before it."""


_HAS_DOCS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


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


def imports(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Every module that a module imports: its absolute name, and how it is imported.

    How: at "import", "inside" a function, for "types" alone (below `if TYPE_CHECKING`), or by a
    "string" that is the name of one of `modules`, as `import_module` takes it. ``from . import x``
    names the module ``x`` where there is one among `modules`, else the package itself.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    todo: list[tuple[ast.AST, str]] = [(parse(path), "import")]
    while todo:
        node, how = todo.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, how) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield (full if full in modules else base), how
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "." in node.value and node.value in modules:
                yield node.value, "string"
        elif isinstance(node, ast.If) and _is_type_checking(node):
            todo += [(child, "types") for child in node.body]
            todo += [(child, how) for child in node.orelse]
            continue
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            how = "inside" if how == "import" else how
        todo += [(child, how) for child in ast.iter_child_nodes(node)]


def imported_modules(
    name: str, path: Path, modules: Mapping[str, Path], *, at_import: bool
) -> set[str]:
    """Absolute names of the modules that a module imports; with `at_import`, as it is imported."""
    hows = {"import"} if at_import else {"import", "inside", "types"}
    return {target for target, how in imports(name, path, modules) if how in hows}


def code_lines(path: Path) -> int:
    """How many lines of a file hold code: no docstrings, no comments, no blank lines."""
    text = path.read_text(encoding="utf-8")
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _HAS_DOCS) and ast.get_docstring(node, clean=False) is not None:
            docs.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docs)
