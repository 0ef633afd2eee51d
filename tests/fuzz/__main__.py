"""Random programs, compared along all paths: `python -m tests.fuzz --minutes 10`.

Everything that a program does is drawn from its seed. A failure is shrunk, printed, and the run
goes on; the exit status is 1 if there was any. With PyTorch installed it is the oracle, otherwise
differences are.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter

from tests.fuzz.checks import CHECKS, Failure, chosen, torch, verify
from tests.fuzz.program import Program, draw, nudged, shrunk
from tests.fuzz.steps import NAMES, story

_SHOWN = 2  # failures of one kind that are made small


def examine(
    seed: int, names: list[str] | None, counts: Counter[str]
) -> tuple[Program, Failure] | None:
    """A program by its seed, and what is wrong with it, if it is not a tie of rounding."""
    program = draw(seed, NAMES)
    checks = names or chosen(random.Random(f"checks {seed}"))
    failure = verify(program, checks, lambda name: counts.update([name]))
    if failure is None:
        return None
    if not program.edges and not all(fails(nudged(program, k), failure) for k in range(3)):
        counts["ties of rounding"] += 1
        return None
    return program, failure


def fails(program: Program, failure: Failure) -> bool:
    """Whether a program fails the same check."""
    found = verify(program, [failure.check] if failure.check in CHECKS else [])
    return found is not None and found.check == failure.check


def told(seed: int, program: Program, failure: Failure) -> str:
    """The failure and the smallest program that is found which has it."""
    small = shrunk(program, lambda other: fails(other, failure))
    now = verify(small, [failure.check] if failure.check in CHECKS else [])
    lines = [f"seed {seed}, {failure.check}: {now.message if now else failure.message}"]
    return "\n".join([*lines, *story(small), str(small)])


def main(arguments: list[str] | None = None) -> int:
    """Run the programs of consecutive seeds; return the exit status."""
    parser = argparse.ArgumentParser(prog="hatch run fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long at most")
    parser.add_argument("--programs", type=int, help="how many, however long it takes")
    parser.add_argument("--seed", type=int, help="of the first program; by default from the clock")
    parser.add_argument("--check", action="append", help="only these checks", choices=CHECKS)
    parser.add_argument("--until-found", action="store_true", help="stop at the first failure")
    given = parser.parse_args(arguments)
    first = given.seed if given.seed is not None else time.time_ns() // 10**6 % 10**9 * 1000
    oracle = "PyTorch" if torch() else "differences"
    print(f"seeds from {first}; the oracle is {oracle}", flush=True)
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    start, done = time.monotonic(), 0
    end = start + 60 * given.minutes
    try:
        while done < given.programs if given.programs else time.monotonic() < end:
            if failures and given.until_found:
                break
            found = examine(first + done, given.check, counts)
            done += 1
            if found is not None:
                kind = f"{found[1].check}: {re.sub(r'[0-9.e+-]+', '#', found[1].message)[:60]}"
                failures[kind] += 1
                if failures[kind] <= _SHOWN:
                    print(told(first + done - 1, *found), flush=True)
                else:
                    print(f"seed {first + done - 1}, {kind}", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)  # and what was done until then is told
    seconds = time.monotonic() - start
    for name in ("backward", "ties of rounding", *CHECKS):
        if counts[name]:
            print(f"{counts[name]:8}  {name}")
    print(f"{done} programs in {seconds:.0f} s, {failures.total()} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
