"""What a worker needs of arrays is pickled as small as its numbers: arrays, vmap, replay."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, replay, vmap, zeros
from smolml_value import grad, value_and_grad
from tests.array.helpers import filled

KINDS: dict[str, Callable[[], MLArray]] = {
    "a leaf": lambda: filled((2, 3)),
    "a constant": lambda: filled((2, 3), requires_grad=False),
    "a result": lambda: filled((2, 3)).exp(),
    "a window": lambda: filled((3, 4))[1:, ::2],
    "transposed": lambda: filled((3, 2)).T,
    "broadcast": lambda: filled((3,)).broadcast_to((2, 3)),
    "of integers": lambda: filled((2, 3)).argmax(axis=0),
    "of truth values": lambda: filled((2, 3)) > 0.0,
    "without axes": lambda: filled((4,)).sum(),
    "empty": lambda: zeros(0, 3),
    "not finite": lambda: MLArray([math.nan, math.inf, -0.0]),
}


def loss(w: Any, x: Any) -> Any:
    return ((x * w).sum() - 1.0) ** 2


@vmap
def doubled(x: Any) -> Any:
    return x * 2.0


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_arrays(make: Callable[[], MLArray], protocol: int, backend: str) -> None:
    x = make()
    again = pickle.loads(pickle.dumps(x, protocol))
    assert repr(again) == repr(x)
    assert (again.backend, again.dtype, again.shape) == (backend, x.dtype, x.shape)
    assert again.requires_grad == x.requires_grad
    if x.requires_grad and x.size():
        again[...] = 2.0  # it may be written to, and nobody else sees it
        assert set(again.reshape(-1).to_list()) == {2.0}
        assert repr(x) == repr(make())


def test_gradient_and_label_come_along(backend: str) -> None:
    x = MLArray([1.0, math.nan], label="x")
    (x * x).sum().backward()
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert again.label == "x"
        assert repr(again.grad()) == repr(x.grad())
        again.zero_grad()
        (again * 3.0).sum().backward()
        assert again.grad().to_list() == [3.0, 3.0]
    assert x.grad().to_list()[0] == 2.0


def test_they_are_as_large_as_their_numbers(backend: str) -> None:
    sizes = {n: len(pickle.dumps(zeros(n))) for n in (1, 10_000)}
    assert sizes[1] < 300
    assert sizes[10_000] - sizes[1] < (9.1 if backend == "pure" else 8.01) * 10_000


def test_numbers_that_arrive_in_memory_of_others_are_copied() -> None:
    """Dask and others send buffers beside the pickle, which nobody may write to."""
    np = pytest.importorskip("numpy")
    x = MLArray(np.arange(1000.0), backend="numpy")
    buffers: list[pickle.PickleBuffer] = []
    sent = pickle.dumps(x, protocol=5, buffer_callback=buffers.append)
    assert len(sent) < 300
    frozen = [bytes(b.raw()) for b in buffers]
    again = pickle.loads(sent, buffers=frozen)
    again[0] = 7.0
    assert again.to_list()[:2] == [7.0, 1.0]
    assert pickle.loads(sent, buffers=frozen).to_list() == x.to_list()


def test_vmap(backend: str) -> None:
    xs, w = filled((4, 3)), filled((3,), 1)
    f = vmap(value_and_grad(loss, 1), (None, 0))
    sent = pickle.dumps(f)
    assert len(sent) < 200
    for got, want in zip(pickle.loads(sent)(w, xs), f(w, xs), strict=True):
        assert got.to_list() == want.to_list()
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    assert pickle.loads(pickle.dumps(grad(doubled))).__name__ == "grad(vmap(doubled))"


def test_a_replayed_step_is_recorded_anew(backend: str) -> None:
    w, x = filled((3,), 1), filled((3,), 2, requires_grad=False)
    step = replay(loss_and_weights, [])
    step(w, x)
    again, v = pickle.loads(pickle.dumps((step, w)))
    assert again.recordings == 0
    v.zero_grad()
    assert again(v, x).item() == step(w, x).item()
    assert v.grad().to_list() == (w.grad() / 2.0).to_list()


def loss_and_weights(w: Any, x: Any) -> Any:
    return loss(w, x)


def test_parameters_of_a_step_go_with_it(backend: str) -> None:
    """Pickled as one object, the step knows the weights that arrive beside it."""
    model = Model(filled((3,), 1))
    step = replay(model, [model.w])
    x = filled((3,), 2, requires_grad=False)
    expected = step(x).item()
    again, other = pickle.loads(pickle.dumps((step, model)))
    other.w.zero_grad()
    assert again(x).item() == expected
    assert other.w.grad().to_list() == model.w.grad().to_list()


def test_a_namespace_is_that_of_its_backend(backend: str) -> None:
    xp: Any = zeros(2, 3).to_backend(backend).__array_namespace__()
    assert pickle.loads(pickle.dumps(xp)) is copy.deepcopy(xp) is xp
    assert repr(xp) == f"<array namespace of MLArrays, {backend} backend>"


class Model:
    """A function that has its weights as attributes."""

    def __init__(self, w: MLArray) -> None:
        self.w = w

    def __call__(self, x: Any) -> Any:
        return loss(self.w, x)
