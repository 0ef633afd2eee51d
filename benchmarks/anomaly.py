"""What detect_anomaly costs: while it is on, and while it is off against a source without it.

Run it: python -m benchmarks.anomaly [PATH/TO/packages OF A TREE WITHOUT IT]

The contestants run in processes of their own, one short round after the other, so that all meet
the same noise; the best and the middle round of each count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 15
PACKAGES = Path(__file__).parents[1] / "packages"


def chain(x: Any) -> Any:
    """400 scalar ops and their backward pass."""
    y = x
    for _ in range(100):
        y = (y * 1.01 + x) / 1.02 - 0.001
    y.backward()
    return y


def step(x: Any, w: Any) -> Any:
    """A training step of a small network."""
    loss = ((x @ w).tanh() @ w).relu().sum()
    loss.backward()
    return loss


def programs() -> dict[str, Callable[[], Any]]:
    """The programs by name."""
    from smolml_array import MLArray
    from smolml_value import Value, no_grad, ops

    value = Value(1.0)
    rows = [[0.01 * (i + j) for j in range(16)] for i in range(16)]
    x, w = MLArray(rows), MLArray(rows)
    big = MLArray([[0.001 * (i - j) for j in range(100)] for i in range(100)])

    def untaped() -> None:
        with no_grad():
            y = value
            for _ in range(100):
                y = (y * 1.01 + value) / 1.02 - 0.001

    def nary() -> None:
        y = value
        for _ in range(100):
            y = ops.where(True, y, value)
        y.backward()

    return {
        "400 scalar ops": lambda: chain(value),
        "400 scalar ops in no_grad": untaped,
        "100 ops of three operands": nary,
        "array step 16 x 16": lambda: step(x, w),
        "array step 100 x 100": lambda: step(big, big),
    }


def serve() -> None:
    """Answer each line `name on|off` with the seconds of one run of that program."""
    found = programs()
    print("ready", flush=True)
    for line in sys.stdin:
        name, mode = line.strip().rsplit(" ", 1)
        run = found[name]
        if mode == "on":
            from smolml_value import detect_anomaly

            block: Any = detect_anomaly()
        else:
            block = nullcontext()
        with block:
            run()
            count, begin = 0, time.perf_counter()
            while time.perf_counter() - begin < 0.04:
                run()
                count += 1
            took = (time.perf_counter() - begin) / count
        print(took, flush=True)


class Contestant:
    """A process that runs the programs on one tree."""

    def __init__(self, packages: Path) -> None:
        path = os.pathsep.join(str(folder / "src") for folder in sorted(packages.iterdir()))
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # one thread: what many do on a busy machine is not what is measured
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def seconds(self, name: str, mode: str) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name} {mode}\n")
        self._process.stdin.flush()
        return float(self._read())


def main() -> None:
    """Print the table."""
    new = Contestant(PACKAGES)
    contestants: dict[str, tuple[Contestant, str]] = {"off": (new, "off"), "on": (new, "on")}
    if len(sys.argv) > 1:
        contestants = {"before": (Contestant(Path(sys.argv[1])), "off"), **contestants}
    print(f"{'microseconds: best / median':28}", *(f"{who:>21}" for who in contestants))
    for name in programs():
        times: dict[str, list[float]] = {who: [] for who in contestants}
        for _ in range(ROUNDS):
            for who, (contestant, mode) in contestants.items():
                times[who].append(contestant.seconds(name, mode) * 1e6)
        cells = [f"{min(t):9.1f} / {median(t):9.1f}" for t in times.values()]
        line = f"{name:28} " + " ".join(cells)
        if "before" in times:
            before, off = times["before"], times["off"]
            line += (
                f"   off/before {min(off) / min(before):.3f} / {median(off) / median(before):.3f}"
            )
        print(line)


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["--serve"] else main()
