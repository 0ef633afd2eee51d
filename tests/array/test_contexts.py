"""Where the rules of ops run: quiet, and a plugin's in the context (contextvars) of its caller."""

from __future__ import annotations

import threading
import warnings
from contextvars import ContextVar
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import (
    GraphError,
    Value,
    elementwise,
    gradients,
    jvp,
    no_grad,
    value_and_grad,
)

FACTOR: ContextVar[float] = ContextVar("factor", default=1.0)


def _slope(xp: Any, out: Any, x: Any) -> Any:
    return FACTOR.get() * xp.ones_like(x) if hasattr(x, "shape") else FACTOR.get()


scaled = elementwise("scaled", lambda xp, x: FACTOR.get() * x, [_slope])
through_vjp = elementwise(
    "through_vjp", lambda xp, x: FACTOR.get() * x, vjp=lambda xp, g, out, x: (FACTOR.get() * g,)
)


@pytest.mark.parametrize("op", [scaled, through_vjp], ids=["partials", "vjp"])
def test_a_plugin_sees_the_context_of_its_caller(op: Any, backend: str) -> None:
    token = FACTOR.set(3.0)
    try:
        x = MLArray([1.0, 2.0])
        y = op(x) * 2.0
        assert y.to_list() == [6.0, 12.0]
        FACTOR.set(5.0)  # each pass sees what holds when it runs
        y.sum().backward()
        assert x.grad().to_list() == [10.0, 10.0]
        x.zero_grad()
        y.sum().data.backward()  # a pass that begins at a Value
        assert x.grad().to_list() == [10.0, 10.0]
        (slope,) = gradients(y.sum(), [x])
        assert slope.to_list() == [10.0, 10.0]
        found, slope = value_and_grad(lambda x: op(x).sum())(x)
        assert (found.item(), slope.to_list()) == (15.0, [5.0, 5.0])
        assert jvp(op, (x,), (MLArray([1.0, 0.0]),))[1].to_list() == [5.0, 0.0]
    finally:
        FACTOR.reset(token)


def test_a_plugin_may_call_numpy_without_warnings() -> None:
    np = pytest.importorskip("numpy")
    loud = elementwise("loud", lambda xp, x: 1.0 / x, [lambda xp, out, x: -1.0 / (x * x)])
    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = MLArray([0.0, 1.0])
        loud(x).sum().backward()
        loud(x).sum().data.backward()
    assert x.grad().to_list() == [-np.inf, -2.0]
    assert np.geterr() == before


def test_a_plugin_that_fails_is_asked_once_and_changes_nothing(backend: str) -> None:
    asked = []

    def fail(xp: Any, *args: Any) -> Any:
        asked.append(args)
        raise RuntimeError("mine")

    forward = elementwise("broken_forward", fail, [1.0], arity=1)
    backward = elementwise("broken_partial", lambda xp, x: x * 1.0, [fail])
    x = MLArray([1.0, 2.0])
    with pytest.raises(RuntimeError, match="mine"):
        forward(x)
    y = (backward(x) * x).sum()
    with pytest.raises(RuntimeError, match="mine"):
        y.backward()
    assert len(asked) == 2
    assert x.grad().to_list() == [0.0, 0.0]
    (x * x).sum().backward()  # nothing is left of the pass that failed
    assert x.grad().to_list() == [2.0, 4.0]


def test_no_pass_begins_inside_a_rule(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    other = (x * x).sum()

    def slope(xp: Any, out: Any, x: Any) -> Any:
        other.backward()
        return 1.0

    with pytest.raises(GraphError, match="while a backward pass is running"):
        elementwise("nested", lambda xp, x: x + 0.0, [slope])(x).sum().backward()
    assert x.grad().to_list() == [0.0, 0.0]


def test_threads_compute_while_a_pass_runs(backend: str) -> None:
    """One inside a pass, the others inside operations of their own: all get their own results."""
    inside, go_on = threading.Event(), threading.Event()

    def slope(xp: Any, out: Any, x: Any) -> Any:
        inside.set()
        assert go_on.wait(10.0)
        return 2.0 * xp.ones_like(x)

    x, y = MLArray([1.0, -1.0]), MLArray([[0.5, 2.0]])
    slow = elementwise("slow", lambda xp, x: 2.0 * x, [slope])((x * 3.0).exp()).sum()
    thread = threading.Thread(target=slow.backward)
    thread.start()
    try:
        assert inside.wait(10.0)
        with no_grad():
            assert (y / 0.0).to_list() == [[float("inf"), float("inf")]]
        assert ((y @ [[1.0], [2.0]]).relu() * Value(2.0)).to_list() == [[9.0]]
    finally:
        go_on.set()
        thread.join()
    expected = (x.detach() * 3.0).exp() * 6.0
    assert x.grad().to_list() == pytest.approx(expected.to_list(), rel=1e-14)
