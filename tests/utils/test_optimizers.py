"""Optimizers against a second statement of their formulas; both ways of use, all parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import smolml_utils as ours
from smolml_array import MLArray
from smolml_utils import SGD, Adam, AdamW, Optimizer, SGDMomentum, optimizers
from smolml_value import Value
from tests.utils.helpers import Floats, assert_close, numbers, random_array
from tests.utils.optimizing import OPTIMIZERS

STEPS = 20


def _gradients(shape: tuple[int, ...], seed: int = 0) -> list[Floats]:
    gs = [random_array(shape, seed + i) for i in range(STEPS)]
    gs[3] = np.zeros(shape)  # a step without a gradient still moves what has momentum
    return gs


def _feed(p: MLArray | Value, g: Floats) -> None:
    """Give p the gradient g, through a graph, as users do."""
    if isinstance(p, Value):
        p.grad = 0.0
        (p * float(g)).backward()
    else:
        p.zero_grad()
        (p * g.tolist()).sum().backward()


def test_the_list_is_complete() -> None:
    classes = {name for name in optimizers.__all__ if name[0].isupper()}  # the others: schedules
    assert {name.partition(",")[0] for name in OPTIMIZERS} | {"Optimizer"} == classes


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_step_on_arrays(name: str, shape: tuple[int, ...], backend: str) -> None:
    make, statement = OPTIMIZERS[name]
    start, gs = random_array(shape, 100), _gradients(shape)
    w, optimizer = MLArray(start.tolist()), make()
    for g, expected in zip(gs, statement(start, gs), strict=True):
        _feed(w, g)
        before = w.grad().to_list()
        optimizer.step([w])
        assert_close(w, expected)
        assert w.grad().to_list() == before  # gradients are left alone
    assert w.backend == backend


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_step_on_values(name: str) -> None:
    make, statement = OPTIMIZERS[name]
    gs = _gradients(())
    v, optimizer = Value(1.5), make()
    for g, expected in zip(gs, statement(np.array(1.5), gs), strict=True):
        _feed(v, g)
        optimizer.step([v])
        assert_close(v.data, expected)
        assert v._op == ""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_gives_new_leaves(name: str, backend: str) -> None:
    make, statement = OPTIMIZERS[name]
    start, gs = random_array((2, 3), 100), _gradients((2, 3))
    layer = SimpleNamespace(
        weights=MLArray(start.tolist(), label="w"), bias=Value(float(start[0, 0]), label="b")
    )
    optimizer = make()
    for g, expected in zip(gs, statement(start, gs), strict=True):
        _feed(layer.weights, g)
        _feed(layer.bias, g[0, 0])
        old, old_bias = layer.weights, layer.bias
        before, grad_before = old.to_list(), old.grad().to_list()
        weights, bias = optimizer.update(layer, 0, ("weights", "bias"))
        assert layer.weights is old
        assert (old.to_list(), old.grad().to_list()) == (before, grad_before)
        assert weights is not old
        assert bias is not old_bias
        assert_close(weights, expected)
        assert_close(bias.data, expected[0, 0])
        assert weights.requires_grad
        assert not numbers(weights.grad()).any()
        assert (weights.label, bias.label) == ("w", "b")
        (weights * bias).sum().backward()  # leaves: nothing flows on to the old ones
        assert old.grad().to_list() == grad_before
        layer.weights, layer.bias = weights, bias


def test_update_keeps_its_state_by_index_and_name() -> None:
    one, two = SimpleNamespace(w=Value(0.0), v=Value(0.0)), SimpleNamespace(w=Value(0.0))
    optimizer = SGDMomentum(1.0, momentum_coefficient=0.5)
    one.w.grad = 1.0
    for expected in (-1.0, -1.5, -1.75):  # -1, -(0.5 + 1) ... of a parameter that stays at 0
        new_w, new_v = optimizer.update(one, "first", ["w", "v"])
        assert (new_w.data, new_v.data) == (expected, 0.0)
        (other,) = optimizer.update(two, "second", ["w"])
        assert other.data == 0.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_kind_of_parameter_moves_alike(name: str, backend: str) -> None:
    make, statement = OPTIMIZERS[name]
    start, gs = random_array((2, 3), 100), _gradients((2, 3))
    last = statement(start, gs)[-1]

    array = MLArray(start.tolist())
    base = MLArray(np.pad(start, 1, constant_values=7.0).tolist())
    window = base[1:3, 1:4]
    root = MLArray(start.T.tolist())
    transposed = root.T
    values = [[Value(x) for x in row] for row in start.tolist()]
    of_values = MLArray(values)
    looked_at = MLArray(start.tolist())
    elements = [v for row in looked_at.data for v in row]
    params: list[Any] = [array, window, transposed, of_values, *elements]
    optimizer = make()
    for g in gs:
        optimizer.zero_grad(params)
        weight = MLArray(g.tolist(), requires_grad=False)
        loss = sum(((p * weight).sum() for p in (array, window, transposed, of_values)), 0.0)
        (loss + (looked_at * weight).sum()).backward()
        optimizer.step(params)
    for moved in (array, window, transposed, of_values, looked_at):
        assert_close(moved, last)
    assert_close(base, np.pad(last, 1, constant_values=7.0))
    assert_close(root, last.T)
    assert_close([[v.data for v in row] for row in values], last)
    assert_close([v.data for v in elements], last.ravel())


def test_elements_of_a_parameter_follow(backend: str) -> None:
    w = MLArray([1.0, 2.0])
    first = w.data[0]
    (w * w).sum().backward()
    SGD(0.25).step([w])
    assert (first.data, w.data[0] is first, first.grad) == (0.5, True, 2.0)
    assert (first * 2.0).data == 1.0


def test_a_step_changes_no_graph_made_before(backend: str) -> None:
    w = MLArray([1.0, 2.0])
    v = Value(3.0)
    loss = (w * w * v).sum()
    SGD(0.0).step([w, v])
    loss.backward()
    expected = numbers(w.grad())
    for p in (w, v):
        SGD().zero_grad([p])
    loss = (w * w * v).sum()
    AdamW(0.5).step([w, v])
    loss.backward()
    assert_close(w.grad(), expected)
    assert v.grad == 5.0


def test_nothing_is_recorded(backend: str) -> None:
    w = MLArray([1.0, 2.0])
    node = w._node
    (w * w).sum().backward()
    Adam().step([w])
    assert w._node is node
    assert node.rule is None
    assert w.requires_grad


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name: str) -> None:
    make, statement = OPTIMIZERS[name]
    start, gs = random_array((3,), 100), _gradients((3,))
    w = MLArray(start, dtype="float32", backend="numpy")
    layer = SimpleNamespace(w=MLArray(start, dtype="float32", backend="numpy"))
    optimizer = make()
    optimizer.learning_rate = np.float64(optimizer.learning_rate)
    for g, expected in zip(gs, statement(start, gs), strict=True):
        for p in (w, layer.w):
            p.zero_grad()
            (p * g.astype(np.float32)).sum().backward()
        optimizer.step([w])
        (layer.w,) = optimizer.update(layer, 0, ("w",))
        for p in (w, layer.w):
            assert p.dtype == np.float32
            assert_close(p, expected, rel=1e-5, floor=1e-5)
    kept = [state for _, state in optimizer._states.items()]
    for raw in [x for state in kept for x in state.values() if hasattr(x, "dtype")]:
        assert raw.dtype == np.float32


def test_constants_stay_as_they_are(backend: str) -> None:
    frozen = MLArray([1.0, 2.0], requires_grad=False)
    w = MLArray([1.0, 2.0])
    layer = SimpleNamespace(frozen=frozen, w=w)
    (w * frozen).sum().backward()
    optimizer = AdamW(0.5, weight_decay=0.5)
    optimizer.step([frozen, w])
    assert frozen.to_list() == [1.0, 2.0]
    assert optimizer.update(layer, 0, ("frozen",))[0] is frozen


def test_zero_grad(backend: str) -> None:
    w, v, values = MLArray([1.0, 2.0]), Value(3.0), [Value(1.0)]
    window, of_values = MLArray([1.0, 2.0]), MLArray(values)
    params: list[Any] = [w, v, window[:1], of_values]
    (w * v).sum().backward()
    (window * 2.0).backward()
    of_values.backward()
    SGD().zero_grad(params)
    assert w.grad().to_list() == [0.0, 0.0]
    assert v.grad == values[0].grad == 0.0
    assert window.grad().to_list() == [0.0, 2.0]


def test_weight_decay_is_decoupled() -> None:
    # without a gradient Adam does not move; AdamW shrinks by 1 - lr decay, whatever the moments
    v, w = Value(2.0), Value(2.0)
    adamw, adam = AdamW(0.1, weight_decay=0.5), Adam(0.1)
    for _ in range(3):
        adam.step([v])
        adamw.step([w])
    assert v.data == 2.0
    assert w.data == pytest.approx(2.0 * 0.95**3, rel=1e-15)


def test_the_first_step_of_adam_is_the_learning_rate() -> None:
    for g in (1e-6, 1.0, 1e6):  # the bias correction makes it so for every size of gradient
        v = Value(0.0)
        v.grad = -g
        Adam(0.01, epsilon=0.0).step([v])
        assert v.data == pytest.approx(0.01, rel=1e-14)


def test_a_schedule() -> None:
    v, optimizer = Value(0.0), SGD(1.0)
    v.grad = 1.0
    for rate in (1.0, 0.5, 0.25):
        optimizer.learning_rate = rate
        optimizer.step([v])
    assert v.data == -1.75


def test_a_new_optimizer_is_one_method(backend: str) -> None:
    class Signs(Optimizer):
        def _advance(self, xp: Any, x: Any, g: Any, state: dict[str, Any]) -> Any:
            state["steps"] = state.get("steps", 0) + 1
            return x - self.learning_rate * state["steps"] * xp.sign(g)

    w, v = MLArray([1.0, -1.0]), Value(1.0)
    (w * w * v).sum().backward()
    optimizer = Signs(0.25)
    optimizer.step([w, v])
    optimizer.step([w, v])
    assert w.to_list() == [0.25, -0.25]
    assert v.data == 0.25
    assert repr(optimizer) == "Signs(learning_rate=0.25)"


def test_repr() -> None:
    shown = repr(ours.AdamW(0.001, weight_decay=0.1))
    assert shown == (
        "AdamW(learning_rate=0.001, exp_decay_gradients=0.9, exp_decay_squared=0.999, "
        "epsilon=1e-08, weight_decay=0.1)"
    )
