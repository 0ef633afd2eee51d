"""Interleaved timing: contestants take turns in one process, and medians are compared."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping

Run = Callable[[], object]
TURN = 0.01
"""How long a turn should last, in seconds: what is shorter is run several times."""


def medians(
    runs: Mapping[str, Run], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """The median time of one call of each, in seconds; of the processor unless `clock` says else.

    In each round everybody has one turn, so that whatever else the machine does meets all alike.
    The garbage collector is on, as it is for users, but does not look at what was there before.
    """
    calls = {name: _calls(run, clock) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for name, run in runs.items():
                gc.collect()
                times[name].append(_turn(run, calls[name], clock) / calls[name])
    finally:
        gc.unfreeze()
    return {name: statistics.median(found) for name, found in times.items()}


def warm_up(run: Run, seconds: float) -> None:
    """Run it for so long, for whoever prepares for long work only when there is some."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        run()


def _turn(run: Run, calls: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(calls):
        run()
    return clock() - start


def _calls(run: Run, clock: Callable[[], float]) -> int:
    run()  # warm up
    once = min(_turn(run, 1, clock) for _ in range(3))
    return max(1, round(TURN / max(once, 1e-7)))
