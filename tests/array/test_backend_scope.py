"""use_backend: for a block of one thread or task, for the process; interrupted anywhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from smolml_array import MLArray, config, use_backend, zeros
from tests.interrupting import everywhere

pytest.importorskip("numpy")


@pytest.fixture(autouse=True)
def numpy_for_the_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(config, "_chosen", [])
    use_backend("numpy")
    yield
    assert now() == "numpy"


def now() -> str:
    made, also = zeros(1), MLArray([1.0])
    assert made.backend == also.backend
    return made.backend


def test_one_object_may_be_entered_again() -> None:
    block = use_backend("pure")
    for _ in range(2):
        with block, use_backend("numpy"):
            assert now() == "numpy"
            with block:
                assert now() == "pure"
            assert now() == "numpy"
        assert now() == "numpy"
    with ExitStack() as stack:
        stack.enter_context(block)
        assert now() == "pure"


def test_a_statement_is_for_every_thread_that_is_in_no_block() -> None:
    seen: list[str] = []

    def look() -> None:
        thread = threading.Thread(target=lambda: seen.append(now()))
        thread.start()
        thread.join()

    with use_backend("pure"):
        look()  # a block is for its own thread
    use_backend("pure")
    look()
    with use_backend("numpy"):
        assert now() == "numpy"
        look()
    assert now() == "pure"
    assert seen == ["numpy", "pure", "pure"]
    use_backend("numpy")


def test_blocks_of_two_threads_overlap() -> None:
    first, second = threading.Event(), threading.Event()
    seen: list[str] = []

    def early() -> None:
        with use_backend("pure"):
            first.set()
            second.wait()
            seen.append(now())
        seen.append(now())
        first.clear()

    def late() -> None:
        first.wait()
        with use_backend("numpy"):
            second.set()
            threads[0].join()
            seen.append(now())

    threads = [threading.Thread(target=early), threading.Thread(target=late)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["pure", "numpy", "numpy"]


def test_blocks_of_two_tasks_overlap() -> None:
    async def early(a: asyncio.Event, b: asyncio.Event) -> str:
        with use_backend("pure"):
            a.set()
            await b.wait()
            return now()

    async def late(a: asyncio.Event, b: asyncio.Event) -> str:
        await a.wait()
        with use_backend("numpy"):
            b.set()
            await asyncio.sleep(0.0)
            return now()

    async def both() -> list[str]:
        events = asyncio.Event(), asyncio.Event()
        return [*await asyncio.gather(early(*events), late(*events))]

    assert asyncio.run(both()) == ["pure", "numpy"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_anywhere_leaves_the_backend_as_it_was() -> None:
    block = use_backend("pure")
    with block:
        now()

    def run() -> None:
        with block:
            zeros(1)
            with block:
                MLArray([1.0])

    for _ in everywhere(run):
        assert now() == "numpy"
