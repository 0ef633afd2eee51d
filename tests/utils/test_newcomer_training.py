"""Programs that new users wrote for their training loops, with the numbers that they expected."""

from __future__ import annotations

import math
from typing import Any

import pytest

from smolml_array import MLArray, ShapeError, zeros
from smolml_utils import SGD, Adam, clip_grad_norm, clip_grad_value
from smolml_value import Value, no_grad
from smolml_value.transforms import value_and_grad


def test_a_gradient_is_clipped_by_hand(backend: str) -> None:
    w = MLArray([3.0, 4.0])
    (w * w).sum().backward()
    g = w.grad()  # an array of its own: what is done to it stays with it
    with no_grad():
        g *= 0.01
    w.grad()[:] = 0.0
    assert w.grad().to_list() == [6.0, 8.0]
    w.set_grad(g)
    assert w.grad().to_list() == pytest.approx([0.06, 0.08])
    SGD(1.0).step([w])
    assert w.to_list() == pytest.approx([2.94, 3.92])


def test_elements_have_their_own_gradients_to_set(backend: str) -> None:
    w = MLArray([[3.0, 4.0]])
    (w * w).sum().backward()
    for row in w.data:
        for v in row:
            v.grad *= 0.5
    assert w.grad().to_list() == [[3.0, 4.0]]


def test_an_exploding_recurrence_trains_when_it_is_clipped(backend: str) -> None:
    def train(clip: bool) -> list[float]:
        w, b = MLArray([[1.9, 0.4], [-0.3, 1.8]]), zeros(2)
        optimizer, losses = SGD(0.05), []
        for _ in range(80):
            h = MLArray([[0.1, -0.2]], requires_grad=False)
            for _ in range(12):
                h = h @ w + b
            loss = ((h - 1.0) ** 2).sum()
            optimizer.zero_grad([w, b])
            loss.backward()
            if clip:
                norm = clip_grad_norm([w, b], max_norm=1.0)
                assert clip_grad_norm([w, b], math.inf) == pytest.approx(min(norm, 1.0), rel=1e-5)
            optimizer.step([w, b])
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                break
        return losses

    wild, held = train(clip=False), train(clip=True)
    assert wild[0] == held[0]
    assert not math.isfinite(wild[-1])
    assert held[-1] < 0.01 * held[0]


def test_the_functional_style_goes_on_to_adam(backend: str) -> None:
    params: dict[str, Any] = {"w": MLArray([[0.0], [0.0]]), "b": MLArray([0.0])}
    x = MLArray([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 1.0]], requires_grad=False)
    t = x @ MLArray([[2.0], [-1.0]], requires_grad=False) + 0.5

    def loss(p: dict[str, Any]) -> Any:
        return ((x @ p["w"] + p["b"] - t) ** 2).mean()

    step, optimizer = value_and_grad(loss), Adam(0.1)
    for _ in range(500):
        _, grads = step(params)
        optimizer.step(params, grads)
    assert params["w"].to_list() == [pytest.approx([2.0], 1e-4), pytest.approx([-1.0], 1e-4)]
    assert params["b"].item() == pytest.approx(0.5, 1e-4)
    assert params["w"].grad().to_list() == [[0.0], [0.0]]


def test_values_are_cleared_like_arrays(backend: str) -> None:
    v, w = Value(3.0), MLArray([3.0])
    (v * v + (w * w).sum()).backward()
    clip_grad_value([v, w], 1.0)
    assert (v.grad, w.grad().to_list()) == (1.0, [1.0])
    for p in (v, w):
        p.zero_grad()
    assert (v.grad, w.grad().to_list()) == (0.0, [0.0])


def test_a_gradient_of_another_shape_is_refused_not_spread(backend: str) -> None:
    w = MLArray([[1.0], [2.0]])
    with pytest.raises(ShapeError, match=r"^set_grad: expected the shape \(2, 1\), got \(2,\)$"):
        w.set_grad([1.0, 1.0])
