"""What optimizers remember: of whom, for how long, and what they keep alive (nothing)."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from smolml_array import MLArray, ShapeError
from smolml_utils import SGD, Adam, SGDMomentum
from smolml_value import Value


def _momentum() -> SGDMomentum:
    return SGDMomentum(1.0, momentum_coefficient=0.5)


def _with_gradient(kind: str) -> Any:
    if kind == "value":
        v = Value(0.0)
        v.grad = 1.0
        return v
    w = MLArray([0.0])
    w.sum().backward()
    return w


def _number(p: Any) -> float:
    return float(p) if isinstance(p, Value) else float(p.item())


@pytest.mark.parametrize("kind", ["value", "array"])
def test_state_goes_with_the_object_not_with_its_place(kind: str, backend: str) -> None:
    a, b = _with_gradient(kind), _with_gradient(kind)
    optimizer = _momentum()
    optimizer.step([a])
    optimizer.step([b, a])  # another list, another place
    optimizer.step(p for p in (a,))
    assert _number(a) == -(1.0 + 1.5 + 1.75)
    assert _number(b) == -1.0


@pytest.mark.parametrize("kind", ["value", "array"])
def test_parameters_of_equal_numbers_are_two(kind: str, backend: str) -> None:
    params = [_with_gradient(kind) for _ in range(10)]
    optimizer = _momentum()
    optimizer.step(params)
    optimizer.step(params[:5])
    assert [_number(p) for p in params] == [-2.5] * 5 + [-1.0] * 5


def _train(params: list[Any], optimizer: Adam, steps: int) -> list[float]:
    for _ in range(steps):
        optimizer.zero_grad(params)
        loss: Any = sum(
            ((p - 1.0) ** 2).sum() if isinstance(p, MLArray) else (p - 1.0) ** 2 for p in params
        )
        loss.backward()
        optimizer.step(params)
    return [
        x for p in params for x in (p.flatten().to_list() if isinstance(p, MLArray) else [p.data])
    ]


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_a_training_goes_on_where_it_was_saved(again: Callable[[Any], Any], backend: str) -> None:
    params: list[Any] = [MLArray([[0.5, -2.0]]), MLArray(3.0), Value(0.25)]
    gone = MLArray([7.0])
    optimizer = Adam(learning_rate=0.1)
    _train([*params, gone], optimizer, 3)
    del gone
    own_params, own = again((params, optimizer))
    assert _train(own_params, own, 5) == _train(params, optimizer, 5)
    assert len(own._states) == len(params)
    alone = again(optimizer)  # without its parameters it remembers nothing, and still works
    gc.collect()
    assert not alone._states
    w = _with_gradient("array")
    alone.step([w])
    assert _number(w) == pytest.approx(-0.1, rel=1e-6)


def test_state_survives_restart_and_assignment(backend: str) -> None:
    w = _with_gradient("array")
    optimizer = _momentum()
    optimizer.step([w])
    w.restart()
    w.sum().backward()
    w[0] = 10.0
    optimizer.step([w])
    assert w.item() == 10.0 - 1.5


@pytest.mark.parametrize("kind", ["value", "array"])
def test_parameters_are_not_kept_alive(kind: str, backend: str) -> None:
    optimizer = Adam()
    p = _with_gradient(kind)
    optimizer.step([p])
    assert len(optimizer._states) == 1
    gone = weakref.ref(p)
    gc.disable()  # no reference cycles: it must go at once
    try:
        del p
        assert gone() is None
        assert not optimizer._states
    finally:
        gc.enable()


def test_an_optimizer_is_freed_at_once() -> None:
    p, optimizer = Value(1.0), Adam()
    optimizer.step([p])
    gone = weakref.ref(optimizer)
    gc.disable()
    try:
        del optimizer
        assert gone() is None
    finally:
        gc.enable()
    del p  # its death must not trip over the optimizer that is gone


@pytest.mark.parametrize("kind", ["value", "array"])
def test_ids_that_are_used_again(kind: str, backend: str) -> None:
    optimizer, seen = _momentum(), set()
    for _ in range(100):
        p = _with_gradient(kind)
        seen.add(id(p))
        optimizer.step([p])
        assert _number(p) == -1.0  # with the velocity of another it would be more
        del p
    assert len(seen) < 100  # ids were used again, or this test shows nothing
    assert not optimizer._states


def test_windows_have_a_state_of_their_own(backend: str) -> None:
    w = MLArray([0.0, 0.0])
    first, second = w[:1], w[1:]
    w.sum().backward()
    optimizer = _momentum()
    optimizer.step([first])
    optimizer.step([first, second])
    assert w.to_list() == [-2.5, -1.0]


def test_a_window_onto_a_constant_stays_as_it_is(backend: str) -> None:
    w = MLArray([0.0, 0.0])
    window = w[:1]
    w.requires_grad = False  # after the window was made
    _momentum().step([w, window], [MLArray([1.0, 1.0]), MLArray([1.0])])
    assert w.to_list() == [0.0, 0.0]


def test_two_optimizers_do_not_share(backend: str) -> None:
    w = _with_gradient("array")
    _momentum().step([w])
    _momentum().step([w])
    assert w.item() == -2.0


def test_update_notices_another_shape_under_one_index(backend: str) -> None:
    optimizer = Adam()
    one, two = SimpleNamespace(w=MLArray([1.0])), SimpleNamespace(w=MLArray([1.0, 2.0]))
    optimizer.update(one, 0, ("w",))
    with pytest.raises(
        ShapeError,
        match=r"^Adam.update: 'w' of object 0 has shape \(2,\), but had \(1,\) before; "
        r"give every object an idx of its own$",
    ):
        optimizer.update(two, 0, ("w",))
    optimizer.update(two, 1, ("w",))
    with pytest.raises(ShapeError, match=r"^Adam.update: .* has shape \(1,\), but had \(2,\)"):
        optimizer.update(one, 1, ("w",))


def test_many_values() -> None:
    params = [Value(float(i)) for i in range(2000)]
    optimizer = SGD(0.5)
    for v in params:
        v.grad = 1.0
    optimizer.step(params)
    assert [v.data for v in params] == [i - 0.5 for i in range(2000)]
    del params[1000:], v
    assert len(optimizer._states) == 1000
