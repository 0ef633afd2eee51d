"""Interleaved medians: every contestant runs a little in every round, so noise hits all alike."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[], Any]


def medians(steps: Mapping[str, Step], budget: float, slice_: float = 2e-3) -> dict[str, float]:
    """Seconds per step of each contestant: the median over rounds.

    Args:
        steps: what to time.
        budget: seconds to spend on each contestant, warming up apart.
        slice_: seconds of one contestant in one round, at least one step.
    """
    counts = {}
    for name, step in steps.items():
        step()
        start = time.perf_counter()
        step()
        took = time.perf_counter() - start
        counts[name] = max(1, int(slice_ / max(took, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    rounds = max(5, min(400, int(budget / slice_)))
    deadline = time.perf_counter() + budget * len(steps)
    for i in range(rounds):
        if i >= 5 and time.perf_counter() > deadline:
            break
        for name, step in steps.items():
            gc.collect(0)  # the garbage of one is not paid for by the next
            repeat = range(counts[name])
            start = time.perf_counter()
            for _ in repeat:
                step()
            times[name].append((time.perf_counter() - start) / counts[name])
    return {name: statistics.median(found) for name, found in times.items()}


def peak(step: Step) -> int:
    """The most bytes in use during a step beyond what was in use before (NumPy's included)."""
    step()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - before
