"""Threads, tasks and processes: each has its own modes, and all get the results of one alone.

What single parts promise is tested beside them: modes and forks in tests/value/test_modes.py,
passes in test_interrupts.py, backends in tests/array/test_backend_scope.py, plugins that two
threads load at once in tests/value/test_registry.py and tests/plugins/test_many.py. The long run
is `hatch run soak`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

import numpy as np
import pytest

from smolml import (
    MLArray,
    Value,
    cross_entropy,
    detect_anomaly,
    grad,
    grad_enabled,
    no_grad,
    replay,
    use_backend,
    value_and_grad,
    vmap,
)
from smolml_array.config import default_backend

METHODS = [m for m in multiprocessing.get_all_start_methods() if m != "forkserver"]


def loss(w: MLArray, x: MLArray) -> MLArray:
    return cross_entropy(x @ w, [0, 1])


def example(backend: str) -> tuple[MLArray, MLArray]:
    with use_backend(backend):
        w = MLArray([[0.5, -1.0], [2.0, 0.25]])
        return w, MLArray([[1.0, 2.0], [-1.0, 0.5]], requires_grad=False)


def all_paths(backend: str) -> list[Any]:
    """Gradients along all paths, as numbers."""
    w, x = example(backend)
    loss(w, x).backward()
    value, slope = value_and_grad(loss)(w, x)
    each = vmap(grad(lambda w, row: ((row @ w) ** 2).sum()), (None, 0))(w, x)
    v = Value(0.5)
    y = (v * v + v).tanh()
    y.backward()
    step = replay(lambda x: (x @ w).sum(), [w])
    found = [w.grad().to_list(), value.item(), slope.to_list(), each.to_list(), v.grad]
    w.zero_grad()
    return [*found, step(x).item(), w.grad().to_list(), default_backend().name, grad_enabled()]


def sent(w: MLArray, x: MLArray) -> Any:
    found, slope = value_and_grad(loss)(w, x)
    return found, slope, w.backend, os.getpid()


# Threads -----------------------------------------------------------------------------------------


def test_graphs_in_parallel() -> None:
    expected = {backend: all_paths(backend) for backend in ("pure", "numpy")}
    start = threading.Barrier(4)

    def work(backend: str) -> list[Any]:
        start.wait(30.0)
        return [all_paths(backend) for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        names = ["pure", "numpy"] * 2
        for backend, found in zip(names, pool.map(work, names), strict=True):
            assert found == [expected[backend]] * 3


def test_a_thread_begins_without_the_blocks_of_another() -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append((grad_enabled(), default_backend().name))

    before = default_backend().name
    other = "pure" if before == "numpy" else "numpy"
    with no_grad(), use_backend(other):
        look()
        in_a_copy = partial(copy_context().run, look)  # as asyncio.to_thread does
        for target in (look, in_a_copy):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [(False, other), (True, before), (False, other)]


# Tasks -------------------------------------------------------------------------------------------


async def _in_turn(turns: list[asyncio.Event], k: int) -> None:
    """Let the other task run up to its next turn."""
    turns[1 - k].set()
    await asyncio.wait_for(turns[k].wait(), 30.0)
    turns[k].clear()


def test_modes_of_a_task_are_not_seen_by_another() -> None:
    seen: dict[str, list[Any]] = {"in blocks": [], "outside": []}
    before = default_backend().name
    other = "pure" if before == "numpy" else "numpy"

    async def inside(turns: list[asyncio.Event]) -> None:
        with no_grad(), use_backend(other):
            await _in_turn(turns, 0)
            seen["in blocks"] = [grad_enabled(), default_backend().name]
        with detect_anomaly():
            await _in_turn(turns, 0)
            with pytest.raises(ArithmeticError):
                MLArray([0.0]).log()
        turns[1].set()

    async def outside(turns: list[asyncio.Event]) -> None:
        await asyncio.wait_for(turns[1].wait(), 30.0)
        turns[1].clear()
        seen["outside"] = [grad_enabled(), default_backend().name]
        assert all_paths(before) == expected
        await _in_turn(turns, 1)
        assert MLArray([0.0]).log().to_list() == [-float("inf")]
        turns[0].set()

    async def both() -> None:
        turns = [asyncio.Event(), asyncio.Event()]
        await asyncio.gather(inside(turns), outside(turns))

    expected = all_paths(before)
    asyncio.run(both())
    assert seen == {"in blocks": [False, other], "outside": [True, before]}


def test_a_task_that_is_started_in_a_block_is_in_it_until_it_ends() -> None:
    """A task takes a copy of the context that starts it; a block ends for all who are in it."""

    async def main() -> list[bool]:
        go_on = asyncio.Event()

        async def look() -> bool:
            await go_on.wait()
            return grad_enabled()

        with no_grad():
            held = asyncio.create_task(look())
            in_thread = await asyncio.to_thread(grad_enabled)
        after = asyncio.create_task(look())
        go_on.set()
        return [in_thread, await held, await after]

    in_thread, held, after = asyncio.run(main())
    assert (in_thread, held, after) == (False, True, True)


def test_a_cancelled_task_leaves_no_mode_behind() -> None:
    async def waiting() -> None:
        with no_grad(), use_backend("pure"):
            await asyncio.sleep(60.0)

    async def main() -> None:
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert grad_enabled()

    before = default_backend().name
    asyncio.run(main())
    assert default_backend().name == before


# Processes ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what is tried
@pytest.mark.parametrize("method", METHODS)
def test_a_worker_of_every_kind(method: str) -> None:
    w, x = example("numpy")
    expected = value_and_grad(loss)(w, x)
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        found, slope, backend, pid = pool.submit(sent, w, x).result(60.0)
        assert pool.submit(all_paths, "pure").result(60.0) == all_paths("pure")
    assert pid != os.getpid()
    assert (found.item(), backend) == (expected[0].item(), "numpy")
    np.testing.assert_array_equal(slope.to_list(), expected[1].to_list())


@pytest.mark.skipif("fork" not in METHODS, reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_threads_at_work_computes() -> None:
    """Forked while other threads are in passes and hold locks: the child waits for none."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            all_paths("pure")

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    context: Any = multiprocessing.get_context("fork")
    try:
        for _ in range(4):
            child = context.Process(target=all_paths, args=("pure",))
            child.start()
            child.join(60.0)
            assert child.exitcode == 0
    finally:
        done.set()
        for worker in workers:
            worker.join()


# Signals -----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_handler_may_compute_in_the_middle_of_a_pass() -> None:
    """A timer's handler has a graph of its own; the pass that it comes into is not disturbed."""
    found: list[Any] = []

    def handler(*args: Any) -> None:
        found.append(grad(lambda x: x * x)(3.0))
        signal.setitimer(signal.ITIMER_REAL, 0.002)  # once it is done: none comes into this one

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    try:
        v = Value(1.0)
        y = v
        for _ in range(3000):
            y = y * 1.0
        y.backward()
        w, x = example("pure")
        for _ in range(100):
            loss(w, x).backward()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert v.grad == 1.0
    assert w.grad().to_list()[0][0] == pytest.approx(100 * all_paths("pure")[0][0][0], rel=1e-12)
    assert set(found) == {6.0}
