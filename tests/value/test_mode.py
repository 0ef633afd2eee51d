"""no_grad: nothing is recorded inside; it nests, ends with its block, and holds for one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from smolml_value import GraphError, Value, elementwise, fused, grad_enabled, no_grad, ops
from smolml_value.transforms import stop_gradient

COMPOSITE = elementwise("composite", lambda xp, x: xp.exp(x) * x)
WITH_VJP = elementwise("with_vjp", lambda xp, x: x * x, vjp=lambda xp, g, out, x: (2 * x * g,))

MADE: dict[str, Callable[[Value], Value]] = {
    "v + v": lambda v: v + v,
    "v - 1": lambda v: v - 1,
    "3 * v": lambda v: 3 * v,
    "1 / v": lambda v: 1 / v,
    "v ** 2": lambda v: v**2,
    "2 ** v": lambda v: 2**v,
    "-v": lambda v: -v,
    "abs(v)": abs,
    "tanh": lambda v: v.tanh(),
    "clip": lambda v: v.clip(0.0, 1.0),
    "hypot": lambda v: v.hypot(v),
    "where": lambda v: ops.where(v, v, 0.0),
    "composite": COMPOSITE,
    "vjp": WITH_VJP,
}


@pytest.mark.parametrize("f", MADE.values(), ids=MADE.keys())
def test_results_are_constants_of_the_same_number(f: Callable[[Value], Value]) -> None:
    v = Value(0.7)
    recorded = f(v)
    with no_grad():
        constant = f(v)
    assert constant.data == recorded.data
    assert constant._prev == set()
    assert constant._op == ""
    assert recorded._prev == {v} or recorded._op == "*"
    with pytest.raises(GraphError, match="computed inside no_grad"):
        constant.backward()
    assert v.grad == 0.0
    (constant * v).backward()  # a leaf to what is made of it
    assert constant.grad == v.data


def test_what_is_cut_off_has_no_backward() -> None:
    v = Value(3.0)
    with no_grad():
        made = Value(2.0)
        mean = fused.mean([v, made])
    for cut in (mean, stop_gradient(v), stop_gradient(v * v)):
        with pytest.raises(GraphError, match=r"make a leaf of it: Value\(y.data\)"):
            cut.backward()
    made.backward()  # a leaf is one wherever it was made
    Value(mean.data).backward()
    assert (v.grad, made.grad) == (0.0, 1.0)


def test_a_result_is_a_leaf_for_later_computations() -> None:
    v = Value(3.0)
    with no_grad():
        frozen = v * v
    (frozen * v).backward()
    assert v.grad == 9.0
    assert frozen.grad == 3.0


def test_rules_are_not_run() -> None:
    def forbidden(*args: object) -> float:
        raise AssertionError("a partial was computed")

    op = elementwise("op", lambda xp, x: x, (forbidden,))
    with no_grad():
        assert op(Value(2.0)).data == 2.0


def test_backward_inside_works_on_what_was_recorded_outside() -> None:
    v = Value(3.0)
    y = v * v
    with no_grad():
        y.backward()
    assert v.grad == 6.0


def test_it_nests() -> None:
    assert grad_enabled()
    with no_grad():
        assert not grad_enabled()
        with no_grad():
            assert not grad_enabled()
        assert not grad_enabled()
        assert (Value(1.0) + 1)._prev == set()
    assert grad_enabled()
    assert (Value(1.0) + 1)._prev != set()


def test_an_exception_ends_it() -> None:
    def fail() -> None:
        with no_grad(), no_grad():
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert grad_enabled()
    assert (Value(1.0) + 1)._prev != set()


def test_it_decorates_a_function() -> None:
    @no_grad()
    def predict(v: Value) -> Value:
        return v * 2.0

    v = Value(1.0)
    assert predict(v)._prev == set()
    assert (v * 2.0)._prev == {v}


def test_other_threads_go_on_recording() -> None:
    seen: list[bool] = []
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait()
        seen.append(grad_enabled())
        seen.append((Value(1.0) + 1)._prev != set())
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad():
        inside.set()
        done.wait()
        assert not grad_enabled()
    thread.join()
    assert seen == [True, True]


def test_a_block_in_another_thread_does_not_stop_this_one() -> None:
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with no_grad():
            inside.set()
            done.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    v = Value(3.0)
    y = v * v
    done.set()
    thread.join()
    y.backward()
    assert v.grad == 6.0


def test_other_tasks_go_on_recording() -> None:
    async def silent(inside: asyncio.Event, done: asyncio.Event) -> bool:
        with no_grad():
            inside.set()
            await done.wait()
            return grad_enabled()

    async def recording(inside: asyncio.Event, done: asyncio.Event) -> bool:
        await inside.wait()
        recorded = (Value(1.0) + 1)._prev != set()
        done.set()
        return recorded

    async def both() -> list[bool]:
        inside, done = asyncio.Event(), asyncio.Event()
        return [*await asyncio.gather(silent(inside, done), recording(inside, done))]

    assert asyncio.run(both()) == [False, True]
    assert grad_enabled()
