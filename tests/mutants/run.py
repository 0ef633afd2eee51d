"""Plants small faults in files, one at a time, and asks whether their tests find them.

    python -m tests.mutants.run [--sample N] [--seed S] [--seconds T] [FILE ...]

FILE is a path below `src`, or a pattern of such; the tests of its package and of the one above are
tried on it. Without one it is all of `GOALS`. The faults are cosmic-ray's; `--sample` tries so many
of each file, drawn at random. What survives is printed as a diff: a test is missing, or the fault
changes nothing that can be seen, and then it stands in `equivalent.toml` with the reason. Exit
status 1: something survived that doesn't.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.faults import Fault, faults
from tests.mutants.trials import OPTIONS, SIGNATURES, Trials
from tests.planting import ROOT

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

TESTS: Final = {
    "smolml_value": ("tests/value", "tests/array"),
    "smolml_array": ("tests/array", "tests/utils"),
    "smolml_utils": ("tests/utils",),
}
"""The tests of a package, and of the one that is built on it."""

_GOALS: Final = {
    "smolml_value": "fused graph op recording scalar table",
    "smolml_value/_derivatives": "forward reverse rules value_rules",
    "smolml_value/_ops": "fused_rules",
    "smolml_array/functions": "*",
    "smolml_array/_graph": "apply arithmetic backward gathering gradients rule views vjps walking",
    "smolml_utils": "_loss_ops _optimizer _rules activations initializers losses normalization "
    "optimizers",
}
GOALS: Final = [f"{folder}/{name}.py" for folder in _GOALS for name in _GOALS[folder].split()]
"""Ops, rules, functions of arrays, the graph, losses, optimizers and the like: what must hold."""


def named(patterns: Sequence[str]) -> list[str]:
    """The files that patterns name, relative to `src`."""
    found: list[str] = []
    for pattern in patterns:
        package = pattern.partition("/")[0]
        source = ROOT / "packages" / package.replace("_", "-") / "src"
        files = sorted(str(path.relative_to(source)) for path in source.glob(pattern))
        if package not in TESTS or not files:
            raise SystemExit(
                f"mutants: no file {pattern!r} in {', '.join(TESTS)}; "
                "give a path below src, such as smolml_utils/losses.py"
            )
        found += [file for file in files if Path(file).name != "__init__.py"]
    return found


def path_of(file: str) -> str:
    """Where a file is."""
    return str(ROOT / "packages" / file.partition("/")[0].replace("_", "-") / "src" / file)


def equivalents(file: str) -> dict[tuple[str, ...], str]:
    """Change -> why nothing can see it."""
    rows = tomllib.loads(EQUIVALENT.read_text("utf-8")).get(file, [])
    return {tuple(row["change"]): row["reason"] for row in rows}


class Report:
    """What was found, printed file by file."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    def __call__(self, file: str, fault: Fault, survived: bool) -> None:
        """Note one fault; print it if it survived and isn't known to be equivalent."""
        known = survived and fault.change in equivalents(file)
        kind = "equivalent" if known else "survived" if survived else "found"
        count = self.counts.setdefault(file, Counter())
        count[kind] += 1
        print(f"{file}: {count.total()}", end="\r", file=sys.stderr, flush=True)
        if kind == "survived":
            head = f"{file}:{fault.line}"
            print(head, *("    " + line for line in fault.change), "", sep="\n", flush=True)

    def summary(self) -> int:
        """Print the scores; the number of faults that survived."""
        for file, count in self.counts.items():
            print(
                f"{file}: {count.total()} faults, {count['found']} found by the tests, "
                f"{count['equivalent']} known to be equivalent, {count['survived']} survived"
            )
        return sum(count["survived"] for count in self.counts.values())


def main(arguments: list[str]) -> int:
    """Try the files, print the scores and what survived; return the exit status."""
    parser = argparse.ArgumentParser("mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="below src (default: GOALS)")
    parser.add_argument("--sample", type=int, default=0, help="so many of each (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--seconds", type=float, default=20.0, help="of tests for one fault")
    parser.add_argument("--tests", action="append", help="these, not all of the package")
    parser.add_argument("--measured", type=Path, help="a folder for what may be used again")
    options = parser.parse_args(arguments)
    # For the tests: few examples, always the same, and no threads, for all is forked.
    os.environ |= {"HYPOTHESIS_PROFILE": "planted", "OPENBLAS_NUM_THREADS": "1"}
    report, goals, chosen = Report(), named(GOALS), named(options.files or GOALS)
    with tempfile.TemporaryDirectory(prefix="smolml-mutants-") as name:
        for package, tests in TESTS.items():
            files = [file for file in chosen if file.startswith(f"{package}/")]
            known = [file for file in goals if file.startswith(f"{package}/")]
            if files:
                trials = Trials(
                    [path_of(file) for file in dict.fromkeys([*known, *files])],
                    {path_of(file): faults_of(file, options) for file in files},
                    lambda path, *found: report(path.partition("/src/")[2], *found),
                    options.seconds,
                    (options.measured or Path(name)) / f"{package}.pickle",
                )
                paths = [str(ROOT / path) for path in options.tests or tests]
                pytest.main([*OPTIONS, *paths, str(ROOT / SIGNATURES)], plugins=[trials])
    return int(report.summary() > 0)


def faults_of(file: str, options: argparse.Namespace) -> list[Fault]:
    """The faults that are tried in a file."""
    return faults(Path(path_of(file)).read_text("utf-8"), options.sample, options.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
