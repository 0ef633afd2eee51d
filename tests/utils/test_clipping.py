"""Gradient clipping against sums of squares by hand, on arrays and Values, at extremes."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from smolml_array import MLArray
from smolml_utils import clip_grad_norm, clip_grad_value
from smolml_value import Value
from tests.utils.helpers import assert_close, random_array


def _params() -> tuple[dict[str, Any], list[Any]]:
    """Parameters of every kind, nested, and the gradients that they have."""
    gs: list[Any] = [random_array((2, 3), 1), random_array((4,), 2), np.array(-1.5), np.zeros(2)]
    w, b, v = MLArray(np.ones((2, 3))), MLArray(np.ones((2, 4)))[1], Value(1.0)
    of_values = MLArray([Value(0.0), Value(0.0)])
    frozen = MLArray([1.0], requires_grad=False)
    learned: list[Any] = [w, b, v, of_values]
    for p, g in zip(learned, gs, strict=True):
        p.set_grad(g.tolist())
    return {"layers": [{"w": w, "b": b}, v], "rest": (of_values, frozen)}, gs


def _gradients(params: dict[str, Any]) -> list[Any]:
    first, v = params["layers"]
    return [first["w"].grad(), first["b"].grad(), v.grad, params["rest"][0].grad()]


def _norm(gs: list[Any]) -> float:
    return math.sqrt(math.fsum(x * x for g in gs for x in np.ravel(g).tolist()))


@pytest.mark.parametrize("bound", [0.0, 0.1, 1.0, 3.0])
def test_the_norm_over_all(bound: float, backend: str) -> None:
    params, gs = _params()
    norm = _norm(gs)
    assert clip_grad_norm(params, bound) == pytest.approx(norm, rel=1e-14)
    for found, g in zip(_gradients(params), gs, strict=True):
        assert_close(found, g * (bound / (norm + 1e-6)))


@pytest.mark.parametrize("bound", [1e3, math.inf])
def test_small_gradients_stay_as_they_are(bound: float, backend: str) -> None:
    params, gs = _params()
    assert clip_grad_norm(params, bound) == pytest.approx(_norm(gs), rel=1e-14)
    for found, g in zip(_gradients(params), gs, strict=True):
        assert_close(found, g, rel=0.0, floor=0.0)


def test_each_number(backend: str) -> None:
    params, gs = _params()
    clip_grad_value(params, 0.75)
    for found, g in zip(_gradients(params), gs, strict=True):
        assert_close(found, np.clip(g, -0.75, 0.75), rel=0.0, floor=0.0)


def test_no_square_overflows(backend: str) -> None:
    w, v = MLArray([1.0, 1.0]), Value(1.0)
    w.set_grad([3e200, 0.0])
    v.set_grad(-4e200)
    assert clip_grad_norm([w, v], 1.0) == pytest.approx(5e200, rel=1e-15)
    assert_close(w.grad(), [0.6, 0.0])
    assert v.grad == pytest.approx(-0.8)
    w.set_grad([3e-200, 4e-200])
    assert clip_grad_norm([w], 1.0) == pytest.approx(5e-200, rel=1e-15)
    assert clip_grad_norm([MLArray(np.zeros((0, 2)))], 1.0) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_inf_are_told_and_change_nothing(bad: float, backend: str) -> None:
    w, b, v = MLArray([1.0, 1.0]), MLArray([1.0, 1.0]), Value(1.0)
    w.set_grad([30.0, 40.0])
    b.set_grad([1.0, bad])
    expected = (
        "clip_grad_norm: the gradient of parameter layer.b holds nan or inf; "
        "detect_anomaly() finds where it comes from"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        clip_grad_norm({"layer": {"w": w, "b": b}}, 1.0)
    assert w.grad().to_list() == [30.0, 40.0]
    v.set_grad(bad)
    with pytest.raises(ValueError, match="gradient of parameter 1 holds nan or inf"):
        clip_grad_norm([w, v], math.inf)
    clip_grad_value([b, v], 2.0)
    held = bad if math.isnan(bad) else math.copysign(2.0, bad)
    assert b.grad().to_list() == pytest.approx([1.0, held], nan_ok=True)
    assert v.grad == pytest.approx(held, nan_ok=True)


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_bounds_that_are_none(bad: float) -> None:
    with pytest.raises(
        ValueError,
        match=r"^clip_grad_norm: max_norm must be a finite number, at least 0",
    ):
        clip_grad_norm([Value(1.0)], bad)
    with pytest.raises(
        ValueError, match=r"^clip_grad_value: clip_value must be a finite number, at"
    ):
        clip_grad_value([Value(1.0)], bad)
    with pytest.raises(TypeError, match=r"^clip_grad_norm: max_norm: expected a number"):
        clip_grad_norm([Value(1.0)], "1")  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
def test_parameters_that_are_none(clip: Any, backend: str) -> None:
    w = MLArray([1.0])
    name = clip.__name__
    with pytest.raises(
        TypeError, match=rf"^{name}: expected a list of parameters, got one MLArray"
    ):
        clip(w, 1.0)
    with pytest.raises(ValueError, match=rf"^{name}: parameter 0 is the result of 'multiply'"):
        clip([w * 2.0], 1.0)
    with pytest.raises(ValueError, match=rf"^{name}: expected a list or dict of parameters"):
        clip([], 1.0)


def test_float32_stays_float32() -> None:
    w = MLArray([1.0, 1.0], dtype="float32", backend="numpy")
    w.set_grad([3e30, 4e30])  # whose squares are no float32
    assert clip_grad_norm([w], 1.0) == pytest.approx(5e30, rel=1e-6)
    assert w.grad().dtype == np.float32
    assert_close(w.grad(), [0.6, 0.8], rel=1e-6)
