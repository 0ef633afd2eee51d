"""Hours in minutes: `python -m tests.fuzz.soak --minutes 10`, and memory must not grow.

Threads compute gradients on all paths, some of them fail on purpose, and the main thread does the
same while Ctrl-C comes every few milliseconds. Each job has one result, whoever computes it and
whatever else happens. Every now and then all stop and are counted: bytes of the process and of
Python, objects, nodes, locks. The exit status is 1 if a result was another one, or if something has
grown from the first half to the second.
"""

from __future__ import annotations

import argparse
import gc
import os
import pickle
import random
import signal
import statistics
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smolml import (
    Adam,
    AnomalyError,
    Generator,
    MLArray,
    Value,
    checkpoint,
    cross_entropy,
    detect_anomaly,
    draw,
    elementwise,
    explain,
    grad,
    hessian,
    no_grad,
    ops,
    replay,
    use_backend,
    value_and_grad,
    vmap,
    zeros,
)

SAMPLES = 20  # how often all are counted
GROWTH = {"bytes of the process": 0.05, "bytes of Python": 0.02, "objects": 0.02, "nodes": 0.02}
"""By how much the second half may be above the first. The process takes memory in pieces; Ctrl-C in
the callback for a dead object, where Python ignores it, leaves one small entry."""


class Planned(Exception):  # noqa: N818  # nothing is wrong
    """What a job raises in the middle of something."""


def _fail(*args: Any) -> Any:
    raise Planned


broken = elementwise("broken", lambda xp, x: x * 1.0, [_fail])


def chain() -> float:
    x = Value(0.5)
    y = x
    for _ in range(200):
        y = (y * x + 0.25).tanh()
    y.backward()
    return x.grad


def network() -> float:
    generator = Generator(0)
    w, b = generator.randn(4, 3), MLArray([0.0, 0.0, 0.0])
    x = generator.randn(8, 4, requires_grad=False)
    optimizer = Adam()
    for _ in range(3):
        optimizer.zero_grad([w, b])
        cross_entropy((x @ w + b).tanh(), [0, 1, 2, 0, 1, 2, 0, 1]).backward()
        optimizer.step([w, b])
    again, _ = pickle.loads(pickle.dumps(([w, b], optimizer)))
    return float(again[0].sum().item())


def transforms() -> float:
    f = checkpoint(lambda x: (x * x * x).sum())
    x = MLArray([1.0, -2.0, 0.5])
    found = vmap(value_and_grad(f))(MLArray([[1.0, 2.0], [3.0, 4.0]]))
    return float(hessian(f)(x).sum().item() + found[1].sum().item() + grad(grad(ops.tanh))(0.5))


def played() -> float:
    w = MLArray([[1.0], [2.0]])
    step = replay(lambda x: ((x @ w) ** 2).mean(), [w])
    total = sum(step([[1.0, float(i)]]).item() for i in range(3))
    return float(total + w.grad().sum().item())


def elements() -> float:
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    x.data[0][1].data = 5.0
    y = x.data[0][1] * x.sum() + x[1, 0]
    y.backward()
    return float(x.grad().sum().item())


def pictures() -> float:
    v = Value(2.0, label="v")
    y = (v * v + 1.0).log()
    return float(len(draw(y).svg) + len(str(explain(y))))


def refused() -> float:
    """Errors everywhere, after each of which all is as it was."""
    x = MLArray([1.0, 2.0])
    with suppress(Planned):
        broken(x * 2.0).sum().backward()
    with suppress(Planned):
        grad(lambda v: _fail(v * v))(1.0)
    with suppress(Planned), no_grad(), use_backend("pure"):
        vmap(_fail)(x)
    with suppress(AnomalyError), detect_anomaly():
        (x * 0.0).log().sum().backward()
    with suppress(ValueError):
        x + MLArray([1.0, 2.0, 3.0])
    with suppress(MemoryError):
        zeros(10**13)
    (x * x).sum().backward()
    return float(x.grad().sum().item())


JOBS: list[Callable[[], float]] = [
    *(chain, network, transforms, played, elements, pictures, refused),
]


def expected() -> dict[tuple[str, Callable[[], float]], float]:
    """What each job gives on each backend while nobody else is there."""
    found = {}
    for backend in ("pure", "numpy"):
        with use_backend(backend):
            found.update({(backend, job): job() for job in JOBS})
    return found


def counted() -> dict[str, float]:
    """What must not grow, when all have stopped."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
    objects = gc.get_objects()
    nodes = sum(str(type(x).__module__).startswith("smolml") for x in objects)
    return {
        "bytes of the process": pages * (os.sysconf("SC_PAGESIZE") if pages else 0),
        "bytes of Python": tracemalloc.get_traced_memory()[0],
        "objects": len(objects),
        "nodes": nodes,
    }


class Interrupts:
    """Ctrl-C for the main thread, but only in the middle of a job."""

    def __init__(self) -> None:
        self.armed = False
        self.count = 0

    def arrive(self, *args: Any) -> None:
        """The handler of the signal."""
        if self.armed:
            self.armed = False
            self.count += 1
            raise KeyboardInterrupt

    def endure(self, job: Callable[[], Any]) -> None:
        """Do the job, or what there is time for."""
        with suppress(KeyboardInterrupt):
            self.armed = True
            job()
            self.armed = False

    @contextmanager
    def coming(self) -> Iterator[None]:
        """They come from a thread, every few milliseconds."""
        done = threading.Event()

        def send() -> None:
            rng = random.Random(0)
            while not done.wait(rng.uniform(0.001, 0.03)):
                os.kill(os.getpid(), signal.SIGINT)

        before = signal.signal(signal.SIGINT, self.arrive)
        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            self.armed = False
            done.set()
            thread.join()
            signal.signal(signal.SIGINT, before)


def stretch(seconds: float, threads: int, known: dict[Any, float], interrupts: Interrupts) -> int:
    """All work for so long; how many jobs were done, each with its result."""
    until, done, wrong = time.monotonic() + seconds, [0] * threads, []

    def work(k: int) -> None:
        rng = random.Random(k)
        while time.monotonic() < until:
            backend, job = rng.choice(list(known))
            with use_backend(backend):
                found = job()
            if found != known[backend, job]:
                wrong.append(f"{job.__name__} on {backend}: {found!r}, not {known[backend, job]!r}")
            done[k] += 1

    workers = [threading.Thread(target=work, args=(k,)) for k in range(threads)]
    for worker in workers:
        worker.start()
    rng, tried = random.Random(-1), 0
    with interrupts.coming():
        while time.monotonic() < until:
            interrupts.endure(rng.choice(JOBS))
            tried += 1
    for worker in workers:
        worker.join()
    if wrong:
        raise AssertionError("; ".join(wrong[:3]))
    if expected() != known:
        raise AssertionError("after the interrupts a job has another result")
    return sum(done) + tried


def grown(samples: list[dict[str, float]]) -> list[str]:
    """What was more in the second half than in the first, by more than it may be."""
    half = len(samples) // 2
    found = []
    for name, share in GROWTH.items():
        before, after = (
            statistics.median(s[name] for s in part) for part in (samples[:half], samples[half:])
        )
        if after > before * (1 + share):
            found.append(f"{name}: {before:,.0f} -> {after:,.0f}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Soak, print what was counted; return the exit status."""
    parser = argparse.ArgumentParser(prog="hatch run soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=3)
    given = parser.parse_args(arguments)
    known, interrupts, samples, jobs = expected(), Interrupts(), [], 0
    tracemalloc.start()
    seconds = given.minutes * 60 / (SAMPLES + 2)
    for i in range(-2, SAMPLES):  # two to warm up
        jobs += stretch(seconds, given.threads, known, interrupts)
        sample = counted()
        if i >= 0:
            samples.append(sample)
        told = ", ".join(f"{n:,.0f} {name}" for name, n in sample.items())
        print(f"{jobs:8,} jobs, {interrupts.count:6,} interrupts: {told}", flush=True)
    tracemalloc.stop()
    found = grown(samples)
    print(f"grown: {'; '.join(found)}" if found else "nothing has grown")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
