"""When do more processes pay? Steps of examples/data_parallel.py over batch size and workers.

Run it from the root of the repository: python -m benchmarks.parallel

For each width of the network and each size of the batch: the time of a step that is computed here,
with one call for all of the batch, and how many times as fast it is on so many workers, each with
one shard. All take turns, and the quickest of some steps counts. A worker counts as one core, so
BLAS gets one thread everywhere.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported, here and there

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import repeat

from examples.data_parallel import Engine, here, processes, train
from smolml import Generator
from smolml.demo.digits import initial_parameters


def steps_of(engine: Engine, shards: int, hidden: int, batch: int) -> Iterator[float]:
    """Steps of one training without an end, each in seconds."""
    generator = Generator(0)
    x = generator.randn(batch, 64, requires_grad=False)
    t = [i % 10 for i in range(batch)]
    parameters = initial_parameters(hidden, generator)
    losses = train(engine, parameters, x, t, repeat(range(batch)), shards)
    while True:
        begin = time.perf_counter()
        next(losses)
        yield time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 512, 4096, 16384])
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--steps", type=int, default=9)
    given = parser.parse_args(argv)
    print(f"{os.cpu_count()} cores")
    head = "".join(f"{n:>4} worker{'s' if n > 1 else ' '}" for n in given.workers)
    print(f"hidden   batch   here, ms {head}")
    with ExitStack() as stack:
        engines = [(here, 1), *((stack.enter_context(processes(n)), n) for n in given.workers)]
        for hidden in given.hidden:
            for batch in given.batches:
                runs = [steps_of(engine, n, hidden, batch) for engine, n in engines]
                rounds = [[next(run) for run in runs] for _ in range(given.steps + 1)]
                alone, *others = map(min, zip(*rounds[1:], strict=True))  # the first warms up
                cells = "".join(f"{alone / other:>11.2f}x" for other in others)
                print(f"{hidden:6} {batch:7} {1e3 * alone:10.1f} {cells}", flush=True)


if __name__ == "__main__":
    main()
