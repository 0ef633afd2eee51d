"""Plants small faults in a file, one at a time, and asks whether its tests find them.

    python -m tests.mutants.run [--sample N] [--seed S] FILE ...

FILE is one of `TESTS` below, which says with what tests it is tried. The faults are cosmic-ray's,
which works on a copy of the tree; `--sample` tries so many, drawn at random. What survives is
printed as a diff: a test is missing, or the fault changes nothing that can be seen, and then it
stands in `equivalent.toml` with the reason. Exit status 1: something survived that doesn't.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

from tests.planting import copy_of_the_tree

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

LOSSES: Final = ("losses", "loss_errors", "loss_limits", "cross_entropy_options")
OPTIMIZERS: Final = ("optimizers", "optimizer_errors", "optimizer_state", "schedules", "step_grads")
TESTS: Final = {
    "smolml_utils/losses.py": [f"tests/utils/test_{name}.py" for name in LOSSES],
    "smolml_utils/optimizers.py": [f"tests/utils/test_{name}.py" for name in OPTIMIZERS],
    "smolml_utils/initializers.py": ["tests/utils/test_initializers.py"],
    "smolml_utils/_rules.py": ["tests/utils"],
    "smolml_value/graph.py": ["tests/value"],
    "smolml_value/table.py": ["tests/value"],
    "smolml_value/op.py": ["tests/value"],
    "smolml_value/fused.py": ["tests/value"],
}

CONFIG: Final = """
[cosmic-ray]
module-path = "{module}"
timeout = 300.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider {tests}"

[cosmic-ray.distributor]
name = "local"
"""


class Mutant(NamedTuple):
    """A planted fault: whether the tests survived it, and the lines that it took out and put in."""

    survived: bool
    change: tuple[str, ...]


def draw(session: Path, sample: int, seed: int) -> None:
    """Leave so many of the mutants in a session, drawn at random; all of them for 0.

    Those of `|` are left out: that is written in annotations, which nothing evaluates.
    """
    with sqlite3.connect(session) as data:
        rows = data.execute(
            "SELECT job_id, operator_name FROM mutation_specs "
            "ORDER BY operator_name, start_pos_row, start_pos_col, occurrence"
        ).fetchall()
        jobs = [job for job, operator in rows if "BinaryOperator_BitOr_" not in operator]
        kept = set(random.Random(seed).sample(jobs, min(sample or len(jobs), len(jobs))))
        gone = [(job,) for job, _ in rows if job not in kept]
        data.executemany("DELETE FROM mutation_specs WHERE job_id = ?", gone)
        data.executemany("DELETE FROM work_items WHERE job_id = ?", gone)


def changed(diff: str) -> tuple[str, ...]:
    """The lines of a diff that say what it changes."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    changes = [(line[0], line[1:].strip()) for line in lines if line.startswith(("+", "-"))]
    return tuple(f"{sign} {text}" for sign, text in changes if text)


def tried(file: str, sample: int, seed: int) -> list[Mutant]:
    """Every mutant of a file, or a sample of them, and how the tests met it."""
    module = f"packages/{file.partition('/')[0].replace('_', '-')}/src/{file}"
    with tempfile.TemporaryDirectory(prefix="smolml-mutants-") as name:
        folder = Path(name)
        environ = copy_of_the_tree(folder) | {"HYPOTHESIS_PROFILE": "default"}
        config, session = folder / "mutants.toml", folder / "mutants.sqlite"
        text = CONFIG.format(module=module, python=sys.executable, tests=" ".join(TESTS[file]))
        config.write_text(text, "utf-8")

        def cosmic_ray(*command: str) -> str:
            return subprocess.run(
                ["cosmic-ray", *command],
                check=True,
                cwd=folder,
                env=environ,
                stdout=subprocess.PIPE,
                text=True,
                stdin=subprocess.DEVNULL,
            ).stdout

        cosmic_ray("baseline", str(config))  # the tests pass on what is there
        cosmic_ray("init", str(config), str(session))
        draw(session, sample, seed)
        cosmic_ray("exec", str(config), str(session))
        rows = [json.loads(line) for line in cosmic_ray("dump", str(session)).splitlines()]
    return [
        Mutant(result["test_outcome"] == "survived", changed(result["diff"]))
        for _, result in rows
        if result
    ]


def equivalents(file: str) -> dict[tuple[str, ...], str]:
    """Change -> why nothing can see it."""
    rows = tomllib.loads(EQUIVALENT.read_text("utf-8")).get(file, [])
    return {tuple(row["change"]): row["reason"] for row in rows}


def main(arguments: list[str]) -> int:
    """Try the files, print the scores and what survived; return the exit status."""
    parser = argparse.ArgumentParser("mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE", choices=TESTS, help=", ".join(TESTS))
    parser.add_argument("--sample", type=int, default=0, help="so many of them (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args(arguments)
    missed = 0
    for file in options.files:
        mutants, known = tried(file, options.sample, options.seed), equivalents(file)
        survivors = [mutant.change for mutant in mutants if mutant.survived]
        new = [change for change in survivors if change not in known]
        missed += len(new)
        killed = len(mutants) - len(survivors)
        print(
            f"{file}: {len(mutants)} mutants, {killed} found by the tests, "
            f"{len(survivors) - len(new)} known to be equivalent, {len(new)} survived"
        )
        for change in new:
            print(*("    " + line for line in change), "", sep="\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
