"""The functional style: `step(params, grads)` with what `value_and_grad` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_utils import Adam, Optimizer, SGDMomentum
from smolml_value import Value
from smolml_value.transforms import value_and_grad
from tests.utils.helpers import numbers
from tests.utils.optimizing import OPTIMIZERS


def _params() -> dict[str, Any]:
    w = MLArray([[0.5, -1.0], [2.0, 0.25]])
    return {
        "layers": [{"w": w, "b": MLArray([0.1, 0.2])}, {"w": MLArray([1.5])}],
        "scale": Value(2.0),
    }


def _loss(params: Any) -> Any:
    first, second = params["layers"]
    x = MLArray([[1.0, 2.0], [3.0, -1.0]], requires_grad=False)
    hidden = (x @ first["w"] + first["b"]).tanh() * second["w"]
    return (hidden * params["scale"]).sum() + (first["w"] ** 2).sum()


def _flat(params: Any) -> list[float]:
    first, second = params["layers"]
    arrays = (first["w"], first["b"], second["w"])
    return [x for p in arrays for x in np.ravel(numbers(p)).tolist()] + [params["scale"].data]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_both_styles_take_the_same_steps(name: str, backend: str) -> None:
    make, _ = OPTIMIZERS[name]
    one, other = _params(), _params()
    first, second = make(), make()
    for _ in range(5):
        loss = _loss(one)
        first.zero_grad(one)
        loss.backward()
        first.step(one)
        value, grads = value_and_grad(_loss)(other)
        second.step(other, grads)
        assert float(value.item()) == pytest.approx(loss.item(), rel=1e-14)
        assert _flat(other) == pytest.approx(_flat(one), rel=1e-13)
    assert _flat(one) != pytest.approx(_flat(_params()))
    assert not any(p.grad().to_list() != [0.0, 0.0] for p in [other["layers"][0]["b"]])


def test_several_arguments(backend: str) -> None:
    w, b = MLArray([1.0, 2.0]), Value(3.0)
    loss = value_and_grad(lambda w, b: (w * w * b).sum(), argnums=(0, 1))
    _, grads = loss(w, b)
    SGDMomentum(0.5).step([w, b], grads)  # a tuple of them for a list
    assert w.to_list() == [1.0 - 3.0, 2.0 - 6.0]
    assert b.data == 3.0 - 2.5


def test_gradients_of_every_kind(backend: str) -> None:
    kinds: list[Any] = [
        np.array([1.0, 2.0]),
        np.array([1.0, 2.0], dtype="float32"),
        np.array([1, 2]),
        MLArray([1.0, 2.0], backend="pure"),
        MLArray([1.0, 2.0], backend="numpy"),
    ]
    for g in kinds:
        w = MLArray([5.0, 5.0])
        w.set_grad([7.0, 7.0])
        SGDMomentum(1.0).step([w], [g])
        assert w.to_list() == [4.0, 3.0]
        assert w.grad().to_list() == [7.0, 7.0]  # left alone
    for number in (2, 2.0, np.float32(2.0), np.array(2.0), MLArray(2.0), Value(2.0)):
        v = Value(5.0)
        SGDMomentum(1.0).step([v], [number])
        assert v.data == 3.0
        assert type(v.data) is float


def test_float32_parameters_stay_float32() -> None:
    w, optimizer = MLArray([1.0], dtype="float32", backend="numpy"), Adam(0.1)
    for _ in range(2):
        optimizer.step([w], [np.array([0.5])])
    assert w.dtype == np.float32
    states = [state for _, state in optimizer._states.items()]
    assert [state["m"].dtype for state in states] == [np.float32]


def test_constants_stay(backend: str) -> None:
    frozen, w = MLArray([1.0], requires_grad=False), MLArray([1.0])
    optimizer: Optimizer = SGDMomentum(1.0)
    optimizer.step([frozen, w], [np.array([5.0]), np.array([5.0])])
    assert (frozen.item(), w.item()) == (1.0, -4.0)


def test_nothing_moves_where_one_does_not_fit(backend: str) -> None:
    w, b = MLArray([1.0]), MLArray([1.0])
    with pytest.raises(ValueError, match="gradient 1: expected the shape"):
        SGDMomentum(1.0).step([w, b], [np.ones(1), np.ones(2)])
    assert (w.item(), b.item()) == (1.0, 1.0)


def test_gradients_add_up_over_batches(backend: str) -> None:
    one, other = MLArray([1.0, 2.0]), MLArray([1.0, 2.0])
    data = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
    for row in data:  # four small batches, one step
        ((one * row).sum() ** 2 / len(data)).backward()
    SGDMomentum(0.01).step([one])
    (((other * data).sum(axis=1)) ** 2).mean().backward()
    SGDMomentum(0.01).step([other])
    assert one.to_list() == pytest.approx(other.to_list(), rel=1e-14)
