"""A character-level GPT on scalars: both builds of Value, a Value of tuples, and MLArray.

Run it: hatch run bench:microgpt [--steps N] [--png FILE] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import tuples
from benchmarks.builds import KINDS, build, load
from benchmarks.gpt import Size, Trainer
from benchmarks.gpt_array import ArrayTrainer
from benchmarks.picture import bars

BASE = "slots and tuples"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--steps", type=int, default=10, help="steps of training (10)")
    parser.add_argument("--png", type=Path, default=Path("microgpt.png"), help="(microgpt.png)")
    parser.add_argument("--keep", type=Path, help="a folder in which to keep the two builds")
    options = parser.parse_args()
    sys.setrecursionlimit(100_000)  # the Value of tuples recurses

    trainers: dict[str, Any] = {BASE: Trainer(tuples.Value)}
    pauses: dict[str, Callable[[], Any]] = {}
    for kind in KINDS:
        try:
            ours = load(kind, build(kind, options.keep))
        except RuntimeError as error:
            print(error)  # no C compiler: go on without
            continue
        trainers[f"smolml-value, {kind}"] = Trainer(ours.Value)
        paused = f"smolml-value, {kind}, paused_gc"
        trainers[paused] = Trainer(ours.Value)
        pauses[paused] = ours.package.paused_gc
    trainers["MLArray"] = ArrayTrainer()

    losses: dict[str, list[float]] = {name: [] for name in trainers}
    times: dict[str, list[float]] = {name: [] for name in trainers}
    whole: dict[str, list[float]] = {name: [] for name in trainers}
    gc.collect()
    gc.freeze()
    for _ in range(options.steps):
        for name, trainer in trainers.items():
            gc.collect()
            start = time.process_time()
            if name in pauses:
                with pauses[name]():
                    losses[name].append(trainer.step())
            else:
                losses[name].append(trainer.step())
            times[name].append(time.process_time() - start)
            gc.collect()  # a graph in reference cycles is still there; ours is gone by now
            whole[name].append(time.process_time() - start)

    size, wanted = Size(), losses[BASE]
    medians = {name: statistics.median(spent) for name, spent in times.items()}
    cleared = {name: statistics.median(spent) for name, spent in whole.items()}
    print(f"Python {platform.python_version()}, {platform.machine()}; {size}")
    print(f"{len(trainers[BASE].parameters)} parameters, {options.steps} steps of training")
    print(f"the loss goes from {wanted[0]:.6f} to {wanted[-1]:.6f}\n")
    print(f"{'':36}{'ms a step':>10}{'times faster':>14}{'memory cleared':>16}{'times faster':>14}")
    for name, t in medians.items():
        apart = max(abs(a - b) for a, b in zip(losses[name], wanted, strict=True))
        shown = f"{1e3 * t:10.1f}{medians[BASE] / t:14.2f}"
        clear = cleared[name]
        print(f"{name:36}{shown}{1e3 * clear:16.1f}{cleared[BASE] / clear:14.2f}")
        print(f"{'':36}  losses within {apart:.1e}")
        if not apart <= 1e-9:
            raise SystemExit(f"{name}: other losses than {BASE}")
    bars(
        options.png,
        "one step of training, ms",
        {"microgpt": {name: 1e3 * t for name, t in medians.items()}},
    )
    print(f"\nthe picture is {options.png}")


if __name__ == "__main__":
    main()
