"""What with blocks set: entered twice, ended in any order, interrupted anywhere, after a fork."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from smolml_value import (
    COMPILED,
    Value,
    checkpoint,
    detect_anomaly,
    grad,
    grad_enabled,
    hessian,
    jvp,
    no_grad,
    paused_gc,
)
from smolml_value._anomaly.state import checking
from smolml_value._derivatives import nesting
from smolml_value._runtime.modes import Mode, Setting
from smolml_value.graph import _RUNNING, LOCK, Pass
from smolml_value.recording import MODE
from tests.interrupting import everywhere


def check_that_nothing_is_set() -> None:
    assert grad_enabled()
    assert not checking()
    assert MODE.special == MODE.watched == 0
    assert nesting._depth.get() == 0
    assert not _RUNNING.locked()
    assert LOCK.acquire(blocking=False)
    LOCK.release()
    assert gc.isenabled()


# Blocks ----------------------------------------------------------------------------------------

BLOCKS: dict[str, tuple[Callable[[], AbstractContextManager[None]], Callable[[], bool]]] = {
    "no_grad": (no_grad, lambda: not grad_enabled()),
    "detect_anomaly": (detect_anomaly, checking),
}


@pytest.fixture(params=BLOCKS)
def kind(request: pytest.FixtureRequest) -> Any:
    return BLOCKS[request.param]


def test_one_object_may_be_entered_again(kind: Any) -> None:
    make, is_on = kind
    block = make()
    for _ in range(2):
        with block:
            assert is_on()
            with block:
                assert is_on()
            assert is_on()
        assert not is_on()
    check_that_nothing_is_set()


def test_one_object_in_two_threads(kind: Any) -> None:
    make, is_on = kind
    block, inside, done = make(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        seen.append(is_on())
        with block:
            seen.append(is_on())
            inside.set()
            done.wait()
            seen.append(is_on())
        seen.append(is_on())

    thread = threading.Thread(target=other)
    with block:
        thread.start()
        inside.wait()
    assert not is_on()
    done.set()
    thread.join()
    assert seen == [False, True, True, False]
    check_that_nothing_is_set()


def test_blocks_may_end_in_any_order(kind: Any) -> None:
    make, is_on = kind

    def opened() -> Any:
        with make():
            yield

    first, second = opened(), opened()
    next(first)
    next(second)
    first.close()
    assert is_on()
    second.close()
    assert not is_on()
    check_that_nothing_is_set()


def test_an_exit_stack(kind: Any) -> None:
    make, is_on = kind
    block = make()
    with ExitStack() as stack:
        stack.enter_context(block)
        stack.enter_context(block)
        assert is_on()
    assert not is_on()
    check_that_nothing_is_set()


def test_a_block_that_cannot_be_opened_is_not_open() -> None:
    def refuse(block: object) -> None:
        raise KeyboardInterrupt

    mode: Mode[int] = Mode("a mode", 0)
    with pytest.raises(KeyboardInterrupt), Setting(mode, 1, refuse):
        pass
    assert mode.get() == 0


def test_to_end_a_block_that_is_not_open_does_nothing(kind: Any) -> None:
    make, is_on = kind
    block = make()
    type(block).__exit__(block, None, None, None)
    assert not is_on()
    with block:
        assert is_on()
    check_that_nothing_is_set()


def test_a_decorated_function_may_call_itself(kind: Any) -> None:
    make, is_on = kind

    @make()  # type: ignore[untyped-decorator]
    def count(n: int) -> bool:
        return bool(is_on()) and (n == 0 or count(n - 1))

    assert count(3)
    check_that_nothing_is_set()


# Interrupts ------------------------------------------------------------------------------------


def computing() -> Any:
    v = Value(2.0)
    with no_grad(), detect_anomaly():
        y = v * v
        with no_grad():
            y = y.exp()
    return y + v


def in_a_checkpoint() -> None:
    y = checkpoint(lambda x: x * x)(Value(2.0))
    y.backward()


PROGRAMS: dict[str, Callable[[], object]] = {
    "blocks": computing,
    "decorated": no_grad()(lambda: Value(2.0) * 3.0),
    "paused_gc": paused_gc()(lambda: Value(2.0) * 3.0),
    "backward": lambda: (Value(2.0) * 3.0).backward(),
    "grad": lambda: grad(lambda x: x * x)(2.0),
    "watched grad": detect_anomaly()(lambda: grad(lambda x: x * x)(2.0)),
    "gradient of a gradient": lambda: grad(grad(lambda x: x * x))(2.0),
    "jvp": lambda: jvp(lambda x: x * x, (2.0,), (1.0,)),
    "hessian": lambda: hessian(lambda p: p[0] * p[1])([2.0, 3.0]),
    "checkpoint": in_a_checkpoint,
}


LONG = [PROGRAMS[name] for name in ("gradient of a gradient", "hessian", "checkpoint", "jvp")]

# Python drops what is raised while it closes a generator
lost = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@lost
@pytest.mark.parametrize("run", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.skipif(COMPILED, reason="compiled code cannot be traced")
def test_an_interrupt_anywhere_leaves_every_mode_as_it_was(run: Callable[[], object]) -> None:
    run()  # what is made at the first time is made
    for _ in everywhere(run, step=7 if run in LONG else 1):
        check_that_nothing_is_set()


@lost
@pytest.mark.skipif(COMPILED, reason="compiled code cannot be traced")
def test_an_interrupt_anywhere_adds_all_of_a_gradient_or_nothing() -> None:
    x, w = Value(2.0), Value(3.0)
    y = (x * w).exp() + x * x
    y.backward()
    once = [x.grad, w.grad]
    for _ in everywhere(y.backward):
        got = [x.grad, w.grad]
        assert got in (once, [2 * g for g in once])
        x.grad, w.grad = once


@pytest.mark.skipif(COMPILED, reason="compiled classes cannot be changed")
def test_what_a_pass_left_that_was_interrupted_twice_goes_before_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    x = Value(3.0)
    y = x * x
    made = Value(y.data, (y,), "by hand")
    made._backward = interrupt
    with monkeypatch.context() as patch:
        patch.setattr(Pass, "commit_or_restore", interrupt)
        with pytest.raises(KeyboardInterrupt):
            (made + x).backward()
    (x * 5.0).backward()
    assert x.grad == 5.0
    check_that_nothing_is_set()


# Other processes -------------------------------------------------------------------------------


def in_a_child(check: Callable[[], object]) -> None:
    """Run a check in a forked child, where it may hang."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(10)
            check()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def meanwhile() -> Any:
    """Holds `held` in another thread, from when this returns to the end of the test."""
    threads, done = [], threading.Event()

    def hold(held: AbstractContextManager[Any]) -> None:
        inside = threading.Event()

        def work() -> None:
            with held:
                inside.set()
                done.wait()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        inside.wait()

    yield hold
    done.set()
    for thread in threads:
        thread.join()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@needs_fork
def test_a_child_is_not_in_the_pass_of_another_thread(meanwhile: Any) -> None:
    def check() -> None:
        v = Value(3.0)
        (v * v).backward()
        assert v.grad == 6.0

    meanwhile(LOCK)
    meanwhile(_RUNNING)
    in_a_child(check)


@needs_fork
@pytest.mark.parametrize("make", [no_grad, detect_anomaly, paused_gc])
def test_a_child_is_not_in_the_blocks_of_other_threads(meanwhile: Any, make: Any) -> None:
    meanwhile(make())
    in_a_child(check_that_nothing_is_set)


@needs_fork
@pytest.mark.parametrize("make", [no_grad, detect_anomaly, paused_gc])
def test_a_child_of_another_thread_is_not_in_the_blocks_of_this_one(make: Any) -> None:
    done: list[bool] = []

    def work() -> None:
        in_a_child(check_that_nothing_is_set)
        done.append(True)

    thread = threading.Thread(target=work)
    with make():
        thread.start()
        thread.join()
    assert done


@needs_fork
def test_a_child_is_in_the_blocks_of_its_own_thread() -> None:
    def check() -> None:
        assert not grad_enabled()

    with no_grad():
        in_a_child(check)
    check_that_nothing_is_set()


@needs_fork
def test_every_lock_is_free_in_a_child(meanwhile: Any) -> None:
    from smolml_value import ops
    from smolml_value._runtime.forks import _locks

    def check() -> None:
        for lock in _locks:
            assert lock.acquire(blocking=False)
            lock.release()
        assert "tanh" in ops.names()
        with paused_gc(), no_grad():
            pass

    for lock in [*_locks]:
        meanwhile(lock)
    in_a_child(check)


def test_blocks_that_have_ended_are_not_kept() -> None:
    for _ in range(100):
        with no_grad():
            pass
    assert len(MODE.blocks) <= 1
