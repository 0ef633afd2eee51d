"""Twelve planted faults, each to be found: `python -m tests.fuzz.planted --programs 4000`.

Every fault is one change of one file, made in a copy of the tree; the fuzz runs there until it
finds a disagreement. It prints after how many programs, and the exit status is 1 if one is missed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.planting import copy_of_the_tree


class Fault(NamedTuple):
    """What is wrong, and the text that stands in the place of another, in which file."""

    what: str
    file: str
    old: str
    new: str


_VALUE, _ARRAY = "smolml-value/src/smolml_value", "smolml-array/src/smolml_array"
FAULTS: tuple[Fault, ...] = (
    Fault(
        "the slope of atan2 in x has the wrong sign",
        f"{_VALUE}/table.py",
        "_share_of_square(xp, -1.0 * y, x)",
        "_share_of_square(xp, y, x)",
    ),
    Fault(
        "a tie of maximum counts twice",
        f"{_VALUE}/table.py",
        "xp.where(x == y, 0.5, xp.where(out == x, 1.0, 0.0))",
        "xp.where(out == x, 1.0, 0.0)",
    ),
    Fault(
        "a Value that is both operands gets one of two cotangents",
        f"{_VALUE}/graph.py",
        "                    part = v._dr * g",
        "                    part = 0.0 if v._rhs is v._lhs else v._dr * g",
    ),
    Fault(
        "positions that repeat do not add up",
        f"{_ARRAY}/backends/numpy/indexing.py",
        "    if is_basic(key):\n        out[key] += v",
        "    if is_basic(key) or out.ndim == 1:\n        out[key] += v",
    ),
    Fault(
        "the array pass writes into a cotangent that another node holds",
        f"{_ARRAY}/_graph/backward.py",
        "                elif parent in owned:\n",
        "                elif True:\n",
    ),
    Fault(
        "transforms keep the last of several cotangents of an array",
        f"{_ARRAY}/_graph/gathering.py",
        "return Total(xp.add(total, c))",
        "return Total(xp.add(c, 0.0))",
    ),
    Fault(
        "elements of one array overwrite each other's cotangents",
        f"{_ARRAY}/_graph/gathering.py",
        "        total.update(c)  # it",
        "        total = c  # it",
    ),
    Fault(
        "the variance forgets the correction in backward",
        f"{_ARRAY}/functions/reductions.py",
        'reduced_count(x.shape, axis, "var") - correction',
        'reduced_count(x.shape, axis, "var") - 0.0',
    ),
    Fault(
        "the right operand of a product of matrices gets a thousandth too much",
        f"{_ARRAY}/functions/linalg.py",
        "    return xp.sum_to_shape(xp.cotangent_matmul(_swap(xp, a), g), b.shape)",
        "    return xp.sum_to_shape(xp.cotangent_matmul(_swap(xp, a) * 1.001, g), b.shape)",
    ),
    Fault(
        "softmax sums its cotangents along the last axis, whichever is meant",
        "smolml-utils/src/smolml_utils/_rules.py",
        "    return part - xp.cotangent_product(xp.sum(part, axis=axis, keepdims=True), out)",
        "    return part - xp.cotangent_product(xp.sum(part, axis=-1, keepdims=True), out)",
    ),
    Fault(
        "a recording takes what is computed beside a constant for one",
        f"{_ARRAY}/_replay/recording.py",
        "if name in _OF_SHAPES or all(x.number is None for x in met):",
        "if name in _OF_SHAPES or any(x.number is None for x in met):",
    ),
    Fault(
        "a recording forgets what its conditions were",
        f"{_ARRAY}/_replay/program.py",
        "    if bool(condition) is not truth:\n        raise DiffersError",
        "    if bool(condition) is not truth:\n        return",
    ),
)


def until_found(fault: Fault, programs: int, seed: int) -> int | None:
    """After how many programs the fuzz finds it; None if it does not."""
    with tempfile.TemporaryDirectory() as folder:
        environ = copy_of_the_tree(Path(folder))
        path = Path(folder, "packages", fault.file)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.fuzz", "--until-found"]
            + ["--programs", str(programs), "--seed", str(seed)],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    done = re.search(r"^(\d+) programs in \d+ s, (\d+) failures", run.stdout, re.MULTILINE)
    if done is None:
        raise RuntimeError(f"{fault.what}: the fuzz broke off:\n{run.stdout}{run.stderr}")
    return int(done[1]) if int(done[2]) else None


def main(arguments: list[str] | None = None) -> int:
    """Plant one fault after another; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.planted", description=__doc__)
    parser.add_argument("--programs", type=int, default=4000, help="how many at most for each")
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--only", type=int, action="append", help="faults by number, from 0")
    given = parser.parse_args(arguments)
    missed = 0
    for k in given.only or range(len(FAULTS)):
        found = until_found(FAULTS[k], given.programs, given.seed)
        missed += found is None
        after = f"not in {given.programs} programs" if found is None else f"after {found} programs"
        print(f"{k}: {FAULTS[k].what}: {after}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
