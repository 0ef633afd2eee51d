"""Random programs, compared along all paths: `python -m tests.fuzz --minutes 10`.

Everything that a program does is drawn from its seed. A failure is shrunk, printed, and the run
goes on; the exit status is 1 if there was any. With PyTorch installed it is the oracle, otherwise
differences are. `--beside PATH` runs each program on another build of smolml-value, too.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter

from tests.fuzz.beside import ANOTHER
from tests.fuzz.checks import CHECKS, chosen, verify
from tests.fuzz.program import Program, draw, nudged, shrunk
from tests.fuzz.steps import NAMES, story
from tests.fuzz.subject import Failure, torch

_SHOWN = 2  # failures of one kind that are made small
_NUDGES, _ROUNDINGS = 3, 48


def examine(
    seed: int, names: list[str] | None, counts: Counter[str], second: bool = False
) -> tuple[Program, Failure] | None:
    """A program by its seed, and what is wrong with it, if it is not a tie of rounding."""
    program = draw(seed, NAMES)
    checks = names or chosen(random.Random(f"checks {seed}"), second)
    failure = verify(program, checks, lambda name: counts.update([name]))
    if failure is None:
        return None
    if is_tie(program, failure):
        counts["ties of rounding"] += 1
        return None
    return program, failure


def is_tie(program: Program, failure: Failure) -> bool:
    """Whether a rounding decides: then there are two right answers, and each machine has one.

    It does where the check holds at numbers nearby; or if PyTorch gives our numbers, all of them,
    once its results on the way are rounded otherwise, as they would be on another machine.
    """
    nearby = [(nudged(program, k), 0) for k in range(_NUDGES) if not program.edges]
    tries = [*nearby, *((program, k) for k in range(1, _ROUNDINGS + 1))]
    return any(holds(other, failure.check, rounding) for other, rounding in tries)


def holds(program: Program, check: str, rounding: int) -> bool:
    """Whether a program passes a check that compares something."""
    compared: Counter[str] = Counter()
    names = [check] if check in CHECKS else []
    failure = verify(program, names, lambda name: compared.update([name]), rounding)
    return failure is None and compared[check] > 0


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
    parser.add_argument("--second", action="store_true", help="second derivatives of them all")
    parser.add_argument("--until-found", action="store_true", help="stop at the first failure")
    parser.add_argument("--beside", metavar="PATH", help="a wheel of another build, unpacked")
    given = parser.parse_args(arguments)
    ANOTHER.path = given.beside or ""
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
            found = examine(first + done, given.check, counts, given.second)
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
    seconds, busy = time.monotonic() - start, time.process_time()
    for name in ("backward", "ties of rounding", *CHECKS):
        if counts[name]:
            print(f"{counts[name]:8}  {name}")
    print(f"{done} programs in {seconds:.0f} s, {failures.total()} failures; {busy:.0f} s of CPU")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
