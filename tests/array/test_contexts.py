"""Where the rules of ops run: quiet, and a plugin's in the context (contextvars) of its caller."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_array._graph import backward
from smolml_value import (
    GraphError,
    Value,
    check_grads,
    checkpoint,
    custom_vjp,
    elementwise,
    grad,
    gradients,
    jacobian,
    jvp,
    no_grad,
    ops,
    value_and_grad,
    vjp,
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


def _on_arrays(f: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of f at raw numbers, found by an array graph of its own."""
    own = MLArray(x.tolist())
    f(own).sum().backward()
    return own.grad().to_list()


def _on_values(f: Callable[[Any], Any], x: Any) -> Any:
    """The same by a graph of Values."""
    found = []
    for number in x.tolist():
        v = Value(number)
        f(v).backward()
        found.append(v.grad)
    return found


@pytest.mark.parametrize("inner", [_on_arrays, _on_values])
def test_a_plugin_may_differentiate_on_its_own_account(inner: Any, backend: str) -> None:
    """Where transforms compute numbers, and inside no_grad(), nothing else is recorded."""
    cube = elementwise(
        "cube",
        lambda xp, x: x * x * x,
        [lambda xp, out, x: xp.asarray(inner(lambda v: v * v * v, x))],
    )
    forward = elementwise(
        "slope_of_cube", lambda xp, x: xp.asarray(inner(lambda v: v * v * v, x)), [1.0]
    )
    x = MLArray([1.0, 2.0])
    assert grad(lambda z: cube(z).sum())(x).to_list() == [3.0, 12.0]
    assert value_and_grad(lambda z: cube(z).sum())(x)[1].to_list() == [3.0, 12.0]
    assert jacobian(cube)(x).to_list() == [[3.0, 0.0], [0.0, 12.0]]
    assert vjp(cube, x)[1](x)[0].to_list() == [3.0, 24.0]
    assert jvp(cube, (x,), (x,))[1].to_list() == [3.0, 24.0]
    check_grads(lambda z: cube(z).sum(), x, order=1)
    with no_grad():
        assert forward(x).to_list() == [3.0, 12.0]
        assert not (x * 2.0).requires_grad  # and what comes after is not recorded again


def test_ops_are_not_kept_alive(backend: str) -> None:
    class Held:
        pass

    def used_once() -> weakref.ref[Any]:
        held = Held()
        op = elementwise("once", lambda xp, x, *, with_=held: x * 2.0, [2.0])
        op(MLArray([1.0])).sum().backward()
        ops.leaky_relu(MLArray([1.0]), alpha=0.125).sum().backward()
        return weakref.ref(held)

    dead = [used_once() for _ in range(3)]
    gc.collect()
    assert [d() for d in dead] == [None, None, None]


def test_what_meets_values_is_quiet_and_changes_no_context() -> None:
    np = pytest.importorskip("numpy")

    @custom_vjp
    def inverse(x: Any) -> Any:
        return 1.0 / x

    def backwards(kept: Any, g: Any) -> Any:
        FACTOR.set(7.0)
        a = np.asarray(kept.to_list())
        return (MLArray(-1.0 / (a * a), backend="numpy") * g,)

    inverse.defvjp(lambda x: (1.0 / x, x), backwards)
    q = elementwise(
        "q", lambda xp, x: x * 1.0, vjp=lambda xp, g, out, x: (np.float64(1) / np.float64(0) * g,)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = MLArray([0.0, 2.0], backend="numpy")
        inverse(x).sum().backward()
        assert x.grad().to_list() == [-np.inf, -0.25]
        v = Value(2.0)
        (x * q(v)).sum().backward()
        assert v.grad == np.inf
        f = checkpoint(lambda x: x * (np.ones(2) / np.asarray([0.0, 1.0])).tolist())
        with np.errstate(all="ignore"):
            y = f(x)
        y.sum().backward()
    assert FACTOR.get() == 1.0


def test_what_runs_inside_a_pass_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler or a finalizer sees its own context, and what it sets is undone."""
    np = pytest.importorskip("numpy")
    seen = []
    asked = vars(backward)["op_vjps"]

    def interrupted(rule: Any) -> Any:
        seen.append(FACTOR.get())
        FACTOR.set(-1.0)
        np.seterr(divide="raise")
        return asked(rule)

    token = FACTOR.set(3.0)
    try:
        x = MLArray([0.0, 1.0], backend="numpy")
        y = x.exp()  # one op, so one look at its rule
        monkeypatch.setattr(backward, "op_vjps", interrupted)
        y.backward()
        monkeypatch.undo()
        assert seen == [3.0]
        assert FACTOR.get() == 3.0
    finally:
        FACTOR.reset(token)
    for op in (ops.reciprocal, ops.sqrt, ops.log):
        x.zero_grad()
        op(x).sum().backward()  # neither raises nor warns
        assert np.isinf(x.grad().to_list()[0])


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
