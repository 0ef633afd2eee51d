"""What a gradient of scalars costs: forward + backward against the same on plain floats.

Run it: hatch run bench:scalar [--rounds N] [--png FILE] [--keep FOLDER] [PROGRAM ...]
"""

from __future__ import annotations

import argparse
import math
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.builds import KINDS, build, load
from benchmarks.contestants import Contestant, Floats, others, ours
from benchmarks.memory import measured
from benchmarks.picture import bars
from benchmarks.programs import PROGRAMS, Program
from benchmarks.timing import Run, medians, warm_up

WARM_UP = PROGRAMS[-1]  # small graphs

Row = dict[str, tuple[float, float]]
"""For each contestant the seconds of forward, and of forward + backward."""


def same(got: Sequence[float], wanted: Sequence[float]) -> bool:
    return len(got) == len(wanted) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(got, wanted, strict=True)
    )


def time_program(program: Program, contestants: Sequence[Contestant], rounds: int) -> Row:
    """Everybody who can run the program, after a look at their gradients."""
    floats = Floats()
    prepared = floats.prepare(program)
    wanted = prepared[2]()
    runs: dict[str, Run] = {floats.name: prepared[1]}
    for contestant in contestants:
        theirs = contestant.prepare(program)
        if theirs is None:
            continue
        forward, both, gradient = theirs
        try:
            found = gradient()
        except RecursionError:
            print(f"{program.name}: {contestant.name} does not get through (RecursionError)")
            continue
        if not same(found, wanted):
            raise SystemExit(f"{program.name}: {contestant.name} has another gradient")
        runs[f"{contestant.name} forward"] = forward
        runs[contestant.name] = both
    times = medians(runs, rounds)
    return {
        name: (times.get(f"{name} forward", t), t)
        for name, t in times.items()
        if not name.endswith(" forward")
    }


def print_row(program: Program, row: Row, unit: float) -> None:
    """Microseconds of forward, of backward, of both, and how many times the floats both take."""
    print(f"\n{program.name}")
    print(f"  {'':26}{'forward':>12}{'backward':>12}{'both, us':>12}{'x floats':>10}")
    for name, (forward, both) in row.items():
        cells = (
            f"{'':12}{'':12}"
            if name == Floats.name
            else f"{1e6 * forward:12.1f}{1e6 * (both - forward):12.1f}"
        )
        print(f"  {name:26}{cells}{1e6 * both:12.1f}{both / unit:10.2f}")
    if program.repeat > 1:
        each = {n: 1e9 * b / program.repeat for n, (_, b) in row.items() if n != Floats.name}
        print("  for each of them: " + ", ".join(f"{n} {t:.0f} ns" for n, t in each.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="some of them by name")
    parser.add_argument("--rounds", type=int, default=15, help="turns for everybody (15)")
    parser.add_argument("--png", type=Path, default=Path("scalar.png"), help="(scalar.png)")
    parser.add_argument("--keep", type=Path, help="a folder in which to keep the two builds")
    options = parser.parse_args()
    chosen = [p for p in PROGRAMS if not options.programs or p.name in options.programs]
    if len(chosen) < len(options.programs):
        parser.error(f"a program is one of {', '.join(p.name for p in PROGRAMS)}")

    folders = {}
    for kind in KINDS:
        try:
            folders[kind] = build(kind, options.keep)
        except RuntimeError as error:
            print(error)  # no C compiler: go on without
    contestants = [ours(kind, load(kind, folder)) for kind, folder in folders.items()] + [*others()]
    print(f"Python {platform.python_version()}, {platform.machine()}, {options.rounds} rounds")

    for contestant in contestants:
        ready = contestant.prepare(WARM_UP)
        assert ready is not None
        warm_up(ready[1], 1.0)
    ratios: dict[str, dict[str, float]] = {}
    for program in chosen:
        row = time_program(program, contestants, options.rounds)
        unit = row[Floats.name][1]
        print_row(program, row, unit)
        ratios[program.name] = {
            name: both / unit for name, (_, both) in row.items() if name != Floats.name
        }

    if not options.programs:
        print("\nbytes a node (resident, over a million nodes)")
        for contestant in contestants:
            kind = contestant.name.removeprefix("smolml-value, ")
            if kind != "autograd":  # it has no nodes to hold on to
                print(f"  {contestant.name:26}{measured(kind, folders.get(kind)):12.0f}")
    bars(options.png, "forward + backward, in multiples of plain floats by hand", ratios)
    print(f"\nthe picture is {options.png}")


if __name__ == "__main__":
    main()
