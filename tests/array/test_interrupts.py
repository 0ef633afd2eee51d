"""Ctrl-C and errors in the middle of a backward pass, threads: leaves stay right."""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_array._graph.node import ArrayNode
from smolml_value import COMPILED, GraphError, Value, elementwise, no_grad, paused_gc
from tests.array.helpers import filled, gradient


class Fuse:
    """An op whose rule raises when it is lit."""

    def __init__(self, error: type[BaseException] | None = KeyboardInterrupt) -> None:
        self.error = error
        self.lit = False
        self.op = elementwise("fuse", lambda xp, x: x * 2.0, (self.partial,))

    def partial(self, xp: Any, out: Any, x: Any) -> Any:
        if self.lit and self.error is not None:
            raise self.error("lit")
        return xp.full_like(x, 2.0) if hasattr(x, "shape") else 2.0


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_an_error_in_a_rule_leaves_everything_usable(
    backend: str, error: type[BaseException]
) -> None:
    fuse = Fuse(error)
    x, w, v = filled((2, 3), "x"), filled((3,), "w"), Value(0.5)
    early = x * w
    y: Any = fuse.op(early)
    L = (y * v).sum() + (x @ w).sum() + x.data[0][0] * w.data[1]
    L.backward()
    leaves = [gradient(x), gradient(w), [v.grad]]
    inner = [gradient(early), gradient(y), gradient(L)]
    fuse.lit = True
    for _ in range(3):
        with pytest.raises(error):
            L.backward()
        assert [gradient(x), gradient(w), [v.grad]] == leaves
        assert [gradient(early), gradient(y), gradient(L)] == inner
    fuse.lit = False
    L.backward()
    assert [gradient(x), gradient(w), [v.grad]] == [[2.0 * g for g in row] for row in leaves]
    (x * w).sum().backward()  # other graphs over these leaves go on, too


def test_an_error_in_a_graph_of_arrays_alone_changes_nothing(backend: str) -> None:
    fuse = Fuse()
    x, w = filled((2, 3), "x"), filled((3,), "w")
    early = x * w
    y: Any = fuse.op(early)
    L = (y + x).sum() + (x @ w).sum()
    L.backward()
    leaves = [gradient(x), gradient(w)]
    inner = [gradient(early), gradient(y), gradient(L)]
    fuse.lit = True
    with pytest.raises(KeyboardInterrupt):
        L.backward()
    assert [gradient(x), gradient(w)] == leaves
    assert [gradient(early), gradient(y), gradient(L)] == inner
    fuse.lit = False
    L.backward()
    assert [gradient(x), gradient(w)] == [[2.0 * g for g in row] for row in leaves]


@pytest.mark.parametrize("begun", [0, 1])
def test_an_interrupt_while_nodes_are_marked(
    backend: str, monkeypatch: pytest.MonkeyPatch, begun: int
) -> None:
    x = MLArray([1.0, 2.0])
    y = x * x + Value(0.0)  # arrays alone have a pass of their own, which marks nothing
    y.backward()
    seen: list[ArrayNode] = []
    original = ArrayNode._begin

    def begin(self: ArrayNode) -> None:
        if len(seen) == begun:
            raise KeyboardInterrupt
        seen.append(self)
        original(self)

    with monkeypatch.context() as patched:
        patched.setattr(ArrayNode, "_begin", begin)
        with pytest.raises(KeyboardInterrupt):
            y.backward()
    assert gradient(x) == [2.0, 4.0]
    assert gradient(y) == [1.0, 1.0]
    y.backward()
    assert gradient(x) == [4.0, 8.0]


@contextmanager
def interrupt_after(seconds: float) -> Iterator[None]:
    """A real SIGINT, once, if it comes before the block is done."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_ctrl_c(backend: str) -> None:
    def ring(number: int, frame: object) -> None:
        signal.raise_signal(signal.SIGINT)

    # a shell starts background jobs with SIGINT ignored, and Python respects that
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        x = MLArray([1.0, 2.0])
        y = x
        for i in range(3000):
            y = y + x if i % 3 else (y.T + x[::-1][::-1])
        done = interrupted = 0
        draw = random.Random(1)
        for _ in range(25):
            try:
                # in a callback of the collector (Hypothesis has one) Ctrl-C would be lost
                with paused_gc(), interrupt_after(draw.uniform(1e-4, 0.02)):
                    y.backward()
            except KeyboardInterrupt:
                interrupted += 1
            else:
                done += 1
            assert gradient(x) == [3001.0 * done] * 2
        assert interrupted > 0 or COMPILED  # compiled code looks for signals when it is done
        y.backward()
        assert gradient(x) == [3001.0 * (done + 1)] * 2
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, heard)


def test_backward_inside_a_rule_is_refused(backend: str) -> None:
    x = MLArray([1.0, 2.0])

    def partial(xp: Any, out: Any, a: Any) -> Any:
        (x * x).backward()
        return 1.0

    op: Any = elementwise("nested", lambda xp, a: a * 1.0, (partial,))
    with pytest.raises(GraphError, match="backward: called while a backward pass is running"):
        op(x).backward()
    assert gradient(x) == [0.0, 0.0]


def test_four_threads_over_shared_leaves(backend: str) -> None:
    x, w, v = filled((2, 3), "x"), filled((3,), "w"), Value(0.5)

    def loss() -> Any:
        return ((x @ w) * v).tanh().sum() + x.data[1][1] * w.data[0]

    loss().backward()
    once = [gradient(x), gradient(w), [v.grad]]
    for leaf in (x, w):
        leaf.zero_grad()
    v.grad = 0.0
    steps = 25
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(steps):
                loss().backward()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for got, want in zip([gradient(x), gradient(w), [v.grad]], once, strict=True):
        assert got == pytest.approx([4 * steps * g for g in want], rel=1e-12)


def test_elements_looked_at_by_many_threads_are_the_same(backend: str) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads meet in the middle of everything
    try:
        for _ in range(20):
            check_that_threads_see_the_same(filled((20, 20)))
    finally:
        sys.setswitchinterval(before)


def test_an_element_set_while_many_threads_compute_is_seen_by_all(backend: str) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            check_that_threads_see_what_was_set(filled((6, 6)))
    finally:
        sys.setswitchinterval(before)


def check_that_threads_see_what_was_set(x: MLArray) -> None:
    x.data[1][2].data = 1000.0
    barrier = threading.Barrier(4)
    seen: list[float] = []

    def compute() -> None:
        barrier.wait()
        seen.append((x * 1.0).to_list()[1][2])

    threads = [threading.Thread(target=compute) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1000.0] * 4


def check_that_threads_see_the_same(x: MLArray) -> None:
    barrier = threading.Barrier(4)
    seen: list[Value] = []

    def look() -> None:
        barrier.wait()
        seen.append(x.data[3][4])

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert all(v is x.data[3][4] for v in seen)


def test_no_grad_holds_for_one_thread(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    made: list[MLArray] = []
    with no_grad():
        thread = threading.Thread(target=lambda: made.append(x * x))
        thread.start()
        thread.join()
        assert not (x * x).requires_grad
    made[0].backward()
    assert gradient(x) == [2.0, 4.0]
