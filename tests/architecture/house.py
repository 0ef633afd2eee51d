"""The figures of the house: sizes, circles, closures, reaches into private rooms, and their limits.

`hatch run house` prints them beside their goals; `test_house.py` holds them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

from tests.architecture.source import INSTALLED, ORDER, code_lines, imports, source_files


class Limit(NamedTuple):
    """What a figure should be at most, and what it may be at most for now: it only falls."""

    goal: int
    most: int


class Figure(NamedTuple):
    """A number and what it is made of."""

    number: int
    parts: list[str]


LINES_OF_A_FILE: Final = 400

LIMITS: Final = {
    "code lines of smolml_value": Limit(6900, 7652),
    "code lines of smolml_array": Limit(7900, 10474),
    "code lines of smolml_utils": Limit(930, 1141),
    "code lines of smolml": Limit(1250, 1455),
    "lines of the longest file": Limit(LINES_OF_A_FILE, LINES_OF_A_FILE),
    "files at the root of smolml_value": Limit(18, 18),
    "files at the root of smolml_array": Limit(14, 14),
    "modules in circles at import": Limit(0, 0),
    "modules in circles with imports inside functions or by string": Limit(0, 0),
    "modules in circles of any kind": Limit(0, 0),
    "code lines that smolml_value.value imports": Limit(1250, 1384),
    "code lines that smolml_array.array imports": Limit(2400, 4042),
    "imports of the guests in the core": Limit(0, 0),
    "imports of another package's private modules": Limit(0, 0),
    "imports of another package's undeclared modules": Limit(0, 0),
    "files in which roll is written": Limit(5, 5),
    "files in which tile is written": Limit(5, 5),
    "files in which cumulative_sum is written": Limit(5, 5),
    "files in which take_along_axis is written": Limit(5, 5),
}

GUESTS: Final = {
    "smolml_value": ("_derivatives", "_showing", "_checking", "_anomaly"),
    "smolml_array": ("_derivatives", "_showing", "_checking", "_anomaly", "_replay", "_namespaces"),
}
"""Folders of which the core imports nothing: they register themselves with it."""

DOORS: Final = {
    "smolml_value": ("extending", "testing", "transforms"),
    "smolml_array": ("extending", "testing"),
}
"""Public modules that hand out what others hold, a guest among them: no part of the core."""

DECLARED: Final = {
    "smolml_value": (
        "",
        ".errors",
        ".extending",
        ".extending.anomaly",
        ".extending.derivatives",
        ".extending.showing",
        ".scalar",  # functions of floats by name
        ".table",  # ops by name
        ".testing",
        ".transforms",
    ),
    "smolml_array": ("", ".extending", ".testing"),
    "smolml_utils": (
        "",
        ".activations",
        ".initializers",
        ".losses",
        ".normalization",
        ".optimizers",
    ),
    "smolml": ("",),
}
"""What a package may import of another: the package itself, and these modules of it."""

FILES: Final = {name: path for package in INSTALLED for name, path in source_files(package).items()}
LINES: Final = {name: code_lines(path) for name, path in FILES.items()}
IMPORTS: Final = {
    name: {(target, how) for target, how in imports(name, path, FILES) if target in FILES}
    for name, path in FILES.items()
}


def package_of(module: str) -> str:
    return module.partition(".")[0]


def reach(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """All that can be reached from a node along edges; the node itself only by a circle."""
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        node = todo.pop()
        if node in graph and node not in seen:
            seen.add(node)
            todo += graph[node]
    return seen


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Sets of nodes each of which reaches all others of its set, the largest first."""
    reached = {node: reach(graph, node) for node in graph}
    rings = {
        frozenset(m for m in reached[node] if node in reached[m])
        for node in graph
        if node in reached[node]
    }
    return sorted(map(sorted, rings), key=len, reverse=True)


def _circles(*hows: str) -> Figure:
    """Among the modules; an `__init__`, where everything comes together, is left out."""
    modules = [name for name, path in FILES.items() if path.name != "__init__.py"]
    graph = {
        name: {m for m, how in IMPORTS[name] if how in hows and m in modules and m != name}
        for name in modules
    }
    rings = circles(graph)
    return Figure(sum(map(len, rings)), [" ".join(ring) for ring in rings])


def _closure(start: str) -> Figure:
    """The module and all modules of its package that are imported when it is."""
    package = package_of(start)
    graph = {
        name: [m for m, how in edges if how == "import"]
        for name, edges in IMPORTS.items()
        if package_of(name) == package != name
    }
    near = reach(graph, start) | {start}
    return Figure(sum(LINES[name] for name in near), [f"{LINES[n]} {n}" for n in sorted(near)])


def is_of_the_core(module: str) -> bool:
    """Whether a module is neither a guest nor a door, nor the package that ties them together."""
    package, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    return bool(rest) and first not in (*GUESTS[package], *DOORS[package])


def _guests_in_the_core() -> list[tuple[str, str]]:
    return [
        (name, target)
        for name in IMPORTS
        if package_of(name) in GUESTS and is_of_the_core(name)
        for target, _ in IMPORTS[name]
        if package_of(target) == package_of(name) != target and not is_of_the_core(target)
    ]


def _across(wrong: Iterable[str]) -> list[tuple[str, str]]:
    """Imports of those modules in other packages than theirs."""
    forbidden = set(wrong)
    return [
        (name, target)
        for name, edges in IMPORTS.items()
        for target, _ in edges
        if package_of(target) != package_of(name) and target in forbidden
    ]


def _private() -> Iterable[str]:
    return (m for m in FILES if any(part.startswith("_") for part in m.split(".")))


def _undeclared() -> Iterable[str]:
    return (m for m in FILES if m not in {package_of(m) + end for end in DECLARED[package_of(m)]})


def _pairs(pairs: list[tuple[str, str]]) -> Figure:
    found = sorted({f"{name} imports {target}" for name, target in pairs})
    return Figure(len(found), found)


def _written(word: str) -> Figure:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    found = [n for n, path in FILES.items() if pattern.search(path.read_text(encoding="utf-8"))]
    return Figure(len(found), found)


@cache
def figures() -> dict[str, Figure]:
    """Every figure by its name in `LIMITS`, as far as the packages are installed."""
    found = {f"code lines of {p}": _code(p) for p in INSTALLED}
    long = {n: len(p.read_text(encoding="utf-8").splitlines()) for n, p in FILES.items()}
    found["lines of the longest file"] = Figure(
        max(long.values()), [max(long, key=long.__getitem__)]
    )
    for package in (package for package in GUESTS if package in INSTALLED):
        here = FILES[package].parent
        root = [n for n, path in FILES.items() if path.parent == here]
        found[f"files at the root of {package}"] = Figure(len(root), root)
    found["modules in circles at import"] = _circles("import")
    found["modules in circles with imports inside functions or by string"] = _circles(
        "import", "inside", "string"
    )
    found["modules in circles of any kind"] = _circles("import", "inside", "string", "types")
    for start in ("smolml_value.value", "smolml_array.array"):
        if package_of(start) in INSTALLED:
            found[f"code lines that {start} imports"] = _closure(start)
    found["imports of the guests in the core"] = _pairs(_guests_in_the_core())
    found["imports of another package's private modules"] = _pairs(_across(_private()))
    found["imports of another package's undeclared modules"] = _pairs(_across(_undeclared()))
    for word in ("roll", "tile", "cumulative_sum", "take_along_axis"):
        found[f"files in which {word} is written"] = _written(word)
    return found


def _code(package: str) -> Figure:
    """Its code lines, and how they are spread over its folders."""
    lines: dict[str, int] = {}
    for name, count in LINES.items():
        if package_of(name) == package:
            folder = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
            lines[folder] = lines.get(folder, 0) + count
    return Figure(sum(lines.values()), [f"{count:5} {folder}" for folder, count in lines.items()])


def main(arguments: list[str]) -> int:
    """Print the figures, with `-v` what each is made of; 1 if one is beyond its goal."""
    short = 0
    for name, (number, parts) in figures().items():
        goal = LIMITS[name].goal
        short += number > goal
        print(f"{'ok   ' if number <= goal else 'SHORT'} {name}: {number} (goal <= {goal})")
        if "-v" in arguments or (number > goal and number == len(parts)):
            print(*(f"        {part}" for part in parts), sep="\n")
    total = sum(LINES.values())
    print(f"      code lines of {len(INSTALLED)} of {len(ORDER)} packages: {total}")
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
