"""One training on many processes: each computes the gradient of a part of the batch.

The network and the digits are those of `smolml demo digits`. Every batch is cut into shards, as
many as the option says, however many workers there are. A worker gets the parameters and a shard,
and gives back its share of the loss and of the gradients; these are added up in the order of the
shards. So the numbers of a training do not depend on how many workers there are, nor on which of
them was quicker: it prints the same losses with none (all shards computed here), one or four. A
shard whose worker dies is computed again by another one, from the same numbers.

The workers are processes of this machine, or those of a Dask cluster: with --dask one is started
here, --scheduler names one that is there already.

Run it: python examples/data_parallel.py --workers 2 (needs smolml[demo]; --dask: distributed)
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

from smolml import Adam, Generator, MLArray, cross_entropy, value_and_grad
from smolml.demo.digits import initial_parameters, logits, predict

HIDDEN = 64
RETRIES = 3

Engine = Callable[..., Sequence[Any]]  # what map() does, on whatever computes: results in order


def loss(parameters: Sequence[MLArray], x: MLArray, t: Sequence[int], share: float) -> MLArray:
    """A shard's part of the mean cross-entropy of a batch, of which it is such a share."""
    return cross_entropy(logits(x, parameters), t) * share


GRADIENT = value_and_grad(loss)  # pickled as that: a few bytes


def shards(batch: Sequence[int], count: int) -> list[Sequence[int]]:
    """The batch cut into so many pieces, as equal as can be; fewer if it is short.

    >>> shards([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4, 5]]
    """
    cuts = [len(batch) * i // count for i in range(count + 1)]
    return [batch[a:b] for a, b in pairwise(cuts) if a < b]


def train(
    engine: Engine,
    parameters: Sequence[MLArray],
    x: MLArray,
    t: Sequence[int],
    batches: Iterable[Sequence[int]],
    count: int,
    gradient: Callable[..., Any] = GRADIENT,
) -> Iterator[float]:
    """Adam's steps along the gradients of all shards; yields the loss of every step."""
    optimizer = Adam(learning_rate=0.003)
    for batch in batches:
        pieces = shards(batch, count)
        found = engine(
            gradient,
            [parameters] * len(pieces),
            [x[list(piece)] for piece in pieces],
            [[t[i] for i in piece] for piece in pieces],
            [len(piece) / len(batch) for piece in pieces],
        )
        losses, gradients = zip(*found, strict=True)  # in the order of the shards
        grads = [sum(parts[1:], parts[0]) for parts in zip(*gradients, strict=True)]
        optimizer.step(parameters, grads)
        yield sum(part.item() for part in losses)


# Where it is computed ----------------------------------------------------------------------------


def here(f: Callable[..., Any], *lists: Sequence[Any]) -> list[Any]:
    """All in this process, one after the other."""
    return list(map(f, *lists))


@contextmanager
def processes(workers: int) -> Iterator[Engine]:
    """In so many processes of this machine.

    If one dies, so does the pool. A new one then computes all of the step again: it depends on its
    arguments alone, and nothing has changed yet.
    """

    def start() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, get_context("spawn"))  # no thread's lock is copied

    pool = start()

    def engine(f: Callable[..., Any], *lists: Sequence[Any]) -> list[Any]:
        nonlocal pool
        for left in reversed(range(RETRIES)):
            try:
                return list(pool.map(f, *lists))
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                pool = start()
                if not left:
                    raise
        raise AssertionError

    try:
        yield engine
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def dask(workers: int, scheduler: str | None = None) -> Iterator[Engine]:
    """On a Dask cluster: the one at this address, or one that is started here.

    Dask itself gives the task of a worker that has died to another one.
    """
    from distributed import Client, LocalCluster

    cluster = nullcontext(scheduler)
    if scheduler is None:
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with cluster as address, Client(address) as client:
        # not pure: what looks alike is not taken for done
        yield lambda f, *lists: client.gather(client.map(f, *lists, pure=False))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Digits, trained on many processes.")
    parser.add_argument("--workers", type=int, default=2, help="0: all in this process")
    parser.add_argument("--dask", action="store_true", help="on a Dask cluster, started here")
    parser.add_argument("--scheduler", help="the address of a Dask cluster that is there")
    parser.add_argument("--shards", type=int, default=4, help="into which a batch is cut")
    parser.add_argument("--batch", type=int, default=256, help="images in a batch")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training set")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights and batches")
    options = parser.parse_args(argv)

    from smolml.demo.data import load  # here: the workers need no scikit-learn

    # each worker counts as one core: its BLAS starts no threads of its own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    generator = Generator(options.seed)
    digits = load(generator)
    parameters = initial_parameters(HIDDEN, generator)
    engine: AbstractContextManager[Engine] = nullcontext(here)
    if options.dask or options.scheduler:
        engine = dask(options.workers, options.scheduler)
    elif options.workers:
        engine = processes(options.workers)
    size = options.batch
    with engine as run:
        for epoch in range(options.epochs):
            order = generator.permutation(len(digits.train_labels))
            batches = [order[i : i + size] for i in range(0, len(order), size)]
            losses = list(
                train(
                    run,
                    parameters,
                    digits.train_images,
                    digits.train_labels,
                    batches,
                    options.shards,
                )
            )
            print(f"epoch {epoch + 1}: mean loss {sum(losses) / len(losses):.12f}", flush=True)
    read = predict(digits.test_images, parameters)
    right = sum(a == b for a, b in zip(read, digits.test_labels, strict=True))
    print(f"held-out images read right: {right / len(read):.1%}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
