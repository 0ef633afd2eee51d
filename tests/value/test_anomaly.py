"""detect_anomaly on Values: its block, what it keeps, what it leaves as it was."""

from __future__ import annotations

import asyncio
import gc
import inspect
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smolml_value import (
    AnomalyError,
    SmolMLError,
    Value,
    custom_vjp,
    detect_anomaly,
    elementwise,
    fused,
    grad,
    gradients,
    no_grad,
    ops,
)
from smolml_value._anomaly.source import _lines
from smolml_value._anomaly.state import checking
from smolml_value.recording import MODE


def planted() -> None:
    Value(-1.0).log()


def line_of(end: str) -> int:
    """The number of the one line of this file that ends so."""
    with open(__file__, encoding="utf-8") as file:
        (line,) = [i for i, line in enumerate(file, 1) if line.rstrip().endswith(end)]
    return line


# The error -------------------------------------------------------------------------------------


def test_what_the_error_is() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        planted()
    error = caught.value
    assert isinstance(error, ArithmeticError)
    assert isinstance(error, SmolMLError)
    assert (error.op, error.direction, error.operand) == ("log", "forward", None)
    assert (error.file, error.code) == (__file__, "Value(-1.0).log()")
    assert error.line == inspect.getsourcelines(planted)[1] + 1
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.op, again.file, again.line) == (error.op, error.file, error.line)


def test_the_message_in_forward() -> None:
    a, b = Value(0.0, "a"), Value(0.0)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        a / b  # the division
    line = line_of("# the division")
    assert str(caught.value).splitlines() == [
        "divide: the result is nan",
        "  operand 0: 0.0 (a)",
        "  operand 1: 0.0",
        f"  at {__file__}:{line}, in test_the_message_in_forward: a / b  # the division",
    ]


def test_the_message_in_backward() -> None:
    def length(x: Value) -> Value:
        square = x * x  # square
        return square.sqrt()  # its root

    with detect_anomaly():
        y = 3.0 * length(Value(0.0))
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    file, square, root = __file__, line_of("x * x  # square"), line_of("# its root")
    assert str(caught.value).splitlines() == [
        "sqrt: in backward its cotangent for operand 0 is inf",
        "  operand 0: 0.0",
        "  cotangent of the result: 3.0",
        f"  operand 0 is made by multiply at {file}:{square}, in length: square = x * x  # square",
        f"  the node was made at {file}:{root}, in length: return square.sqrt()  # its root",
    ]


def test_the_line_of_a_result_of_custom_rules() -> None:
    @custom_vjp
    def square(x: Any) -> Any:
        return x * x

    square.defvjp(lambda x: (x * x, None), lambda _, g: (0.0,))
    with detect_anomaly():
        y = square(Value(0.0))  # by rules of its own
        with pytest.raises(AnomalyError) as caught:
            y.sqrt().backward()
    line = line_of("# by rules of its own")
    assert f"  operand 0 is made by square at {__file__}:{line}, in" in str(caught.value)


def test_which_operand_is_said() -> None:
    first = elementwise("first", lambda xp, x, y: y, (1.0, lambda xp, out, x, y: 1 / y))
    x, y = Value(1.0), Value(0.0, "y")
    for left in (x, 1.0):
        with detect_anomaly(), pytest.raises(AnomalyError, match=r"operand 1 \(y\) is inf") as got:
            first(left, y).backward()
        assert got.value.operand == 1
    with detect_anomaly(), pytest.raises(AnomalyError) as got:
        (fused.dot([x, y], [2.0, Value(1e200)]) * 1e200).backward()
    assert got.value.operand == 2  # of the pairs x, 2 and y, 1e200


def test_many_operands_are_not_all_shown() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        fused.fsum([Value(1e308)] * 1000)
    assert "  and 994 more\n" in str(caught.value)
    assert str(caught.value).count("\n") == 8


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_data_that_was_given_is_reported_where_it_enters(bad: float) -> None:
    with detect_anomaly():
        given = Value(bad)
        assert (2.0 / Value(math.inf)).data == 0.0  # it does not stay
        with pytest.raises(AnomalyError, match=f"was {bad} before: it was given as data"):
            given + 1.0
        with pytest.raises(AnomalyError, match=f"operand 1 was {bad} before: a constant"):
            Value(1.0) * bad
    made = given * 1.0
    with detect_anomaly(), pytest.raises(AnomalyError, match="made by multiply outside detect_an"):
        made + 1.0


def test_a_sum_of_finite_cotangents() -> None:
    x = Value(0.0, "x")
    with detect_anomaly():
        y = x * 1e308 + x * 1e308
        with pytest.raises(AnomalyError, match=r"leaf: in backward the cotangent .* \(x\) is inf"):
            y.backward()
        z = (x * 1.0) * 1.0
        w = z * 1e308 + z * 1e308  # an inner node
        with pytest.raises(AnomalyError, match=r"multiply: .* what its consumers sent is too"):
            w.backward()
    assert x.grad == 0.0


def test_a_cotangent_that_was_given() -> None:
    x = Value(2.0)
    with detect_anomaly():
        y = x * x
        with pytest.raises(AnomalyError, match="multiply: in backward"):
            gradients(y, [x], Value(math.inf))


Program = list[tuple[int, int, int]]

STEPS: list[Callable[[Value, Value], Value]] = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: x.log(),
    lambda x, y: x.sqrt(),
    lambda x, y: (x * 300.0).exp(),
    lambda x, y: x**1.5,
    lambda x, y: ops.where(x > 0.5, y, x.relu()),
    lambda x, y: fused.dot([x, y], [y, 2.0]),
    lambda x, y: ops.clip(x, min=-1.0, max=1.0),
]


def performed(program: Program, start: list[float]) -> list[Value]:
    """The nodes of a program, the last one its result."""
    nodes = [Value(number) for number in start]
    for which, i, j in program:
        nodes.append(STEPS[which](nodes[i % len(nodes)], nodes[j % len(nodes)]))
    return nodes


@given(
    st.lists(
        st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from([0.0, 1.0, -1.0, 0.3, 2.5, -2.0]), min_size=2, max_size=3),
)
def test_it_raises_where_a_number_is_not_finite_and_nowhere_else(
    program: Program, start: list[float]
) -> None:
    def everything(nodes: list[Value]) -> set[Value]:
        found: set[Value] = set()
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if node not in found:
                found.add(node)
                stack += node._prev
        return found

    made = performed(program, start)
    made[-1].backward()
    nodes = everything(made)
    in_forward = not all(math.isfinite(v.data) for v in nodes)
    in_backward = not all(math.isfinite(v.grad) for v in nodes)
    direction = "forward" if in_forward else "backward" if in_backward else ""
    raised = ""
    with detect_anomaly():
        try:
            performed(program, start)[-1].backward()
        except AnomalyError as error:
            raised = error.direction
    assert raised == direction


# The block -------------------------------------------------------------------------------------


def test_it_ends_with_the_block() -> None:
    with detect_anomaly():
        assert checking()
    assert not checking()
    assert MODE.special == MODE.watched == 0
    assert math.isnan(Value(-1.0).log().data)


def test_it_nests() -> None:
    with detect_anomaly():
        with detect_anomaly():
            assert checking()
        assert checking()
        with pytest.raises(AnomalyError):
            planted()
        assert checking()
        with no_grad():
            assert checking()
            with pytest.raises(AnomalyError, match="log"):
                planted()
            assert (Value(1.0) + 1.0)._prev == set()
    assert not checking()


def test_no_grad_around_it_and_in_it() -> None:
    with no_grad(), detect_anomaly():
        assert (Value(1.0) + 1.0)._prev == set()
    with detect_anomaly():
        assert (Value(1.0) + 1.0)._prev != set()


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, AnomalyError])
def test_an_exception_ends_it(error: type[BaseException]) -> None:
    def fail() -> None:
        with detect_anomaly(), detect_anomaly():
            raise error("x")

    with pytest.raises(error):
        fail()
    assert not checking()
    assert MODE.special == MODE.watched == 0


def test_it_decorates_a_function() -> None:
    decorated = detect_anomaly()(planted)
    for _ in range(2):
        with pytest.raises(AnomalyError) as caught:
            decorated()
        assert caught.value.code == "Value(-1.0).log()"
    planted()


def test_other_threads_are_left_alone() -> None:
    seen: list[float] = []
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait()
        before = len(_lines)
        x = Value(0.0)
        y = x.sqrt()
        y.backward()
        seen.extend([Value(-1.0).log().data, x.grad, grad(lambda v: v.sqrt())(0.0)])
        seen.append(len(_lines) - before)
        done.set()

    gc.collect()
    thread = threading.Thread(target=other)
    thread.start()
    with detect_anomaly():
        inside.set()
        done.wait()
        with pytest.raises(AnomalyError):
            planted()
    thread.join()
    assert math.isnan(seen[0])
    assert seen[1:] == [math.inf, math.inf, 0]


def test_tasks_have_their_own() -> None:
    async def watched(entered: asyncio.Event, leave: asyncio.Event) -> None:
        with detect_anomaly():
            entered.set()
            await leave.wait()
            with pytest.raises(AnomalyError):
                planted()

    async def main() -> None:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(watched(entered, leave))
        await entered.wait()
        planted()
        leave.set()
        await task

    asyncio.run(main())


# What it keeps ---------------------------------------------------------------------------------


def test_lines_go_with_their_nodes() -> None:
    x = Value(1.5)
    gc.collect()
    before = len(_lines)
    with detect_anomaly():
        y = x
        for _ in range(100):
            y = y * 1.0
        total = fused.dot([y, y], [x, 2.0]) + ops.where(True, y, x)
        assert len(_lines) == before + 103
        grad(lambda v: v * v)(1.0)
        assert len(_lines) == before + 103
    kept = x * x  # made outside: nothing is kept
    assert len(_lines) == before + 103
    del y, total, kept
    assert len(_lines) == before


def test_nothing_is_kept_inside_no_grad() -> None:
    before = len(_lines)
    with detect_anomaly(), no_grad():
        made = [Value(1.0) * 2.0, fused.fsum([Value(1.0)]), Value(1.0).relu()]
        assert len(_lines) == before
    assert len(made) == 3


def test_lines_are_known_in_a_later_block() -> None:
    x = Value(0.0)
    with detect_anomaly():
        y = x.sqrt()  # in the first block
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        y.backward()
    assert caught.value.line == line_of("# in the first block")
    y.backward()
    assert x.grad == math.inf


def test_other_leaves_keep_their_gradients() -> None:
    x, w = Value(0.0), Value(2.0)
    (w * 3.0).backward()
    with detect_anomaly():
        y = w * 5.0 + x.sqrt()
        with pytest.raises(AnomalyError):
            y.backward()
        assert (w.grad, x.grad) == (3.0, 0.0)
        (w * 5.0).backward()
    assert (w.grad, x.grad) == (8.0, 0.0)


def test_a_deep_graph() -> None:
    x = Value(0.0)
    with detect_anomaly():
        y = x.sqrt()  # at the bottom of it
        for _ in range(20_000):
            y = y + 1.0
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    assert caught.value.line == line_of("# at the bottom of it")


def test_lines_are_looked_for_in_so_many_frames_and_no_more() -> None:
    def below(depth: int, x: Value) -> Value:
        return below(depth - 1, x) if depth else x.sqrt()  # below all of it

    x = Value(0.0)
    with detect_anomaly():
        y = below(300, x)
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    assert caught.value.line == line_of("# below all of it")
