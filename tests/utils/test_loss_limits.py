"""Losses where naive formulas fail: saturated probabilities, huge logits, tiny differences."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest

from smolml_array import MLArray
from smolml_utils import (
    bce_with_logits,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber_loss,
    log_cosh_loss,
    mae_loss,
    mse_loss,
)
from smolml_value import Value

INF = math.inf


def _slope(loss: Any, x: float, t: float) -> float:
    leaf = Value(x)
    loss(leaf, t).backward()
    return leaf.grad


def _array_slope(loss: Any, x: float, t: float) -> float:
    leaf = MLArray([x])
    loss(leaf, [t]).backward()
    return float(leaf.grad().item())


@pytest.mark.parametrize(
    ("p", "t", "loss", "slope"),
    [
        # the logarithms are at least -100, and p (1 - p) in the gradient at least 1e-12
        (0.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0, 0.0),
        (0.0, 1.0, 100.0, -1e12),
        (1.0, 0.0, 100.0, 1e12),
        (0.0, 0.5, 50.0, -5e11),
        (1.0, 0.5, 50.0, 5e11),
        (1e-300, 0.0, 1e-300, 1e-288),
        (1e-300, 1.0, 100.0, -1e12),
        (1e-40, 1.0, 40 * math.log(10.0), -1e12),
        (1e-9, 1.0, 9 * math.log(10.0), -1e9),
    ],
)
def test_binary_cross_entropy_at_the_ends(
    p: float, t: float, loss: float, slope: float, backend: str
) -> None:
    assert binary_cross_entropy(p, t) == pytest.approx(loss, rel=1e-14)
    assert math.copysign(1.0, binary_cross_entropy(p, t)) == 1.0  # never -0.0
    assert binary_cross_entropy(MLArray([p]), [t]).item() == pytest.approx(loss, rel=1e-14)
    assert _slope(binary_cross_entropy, p, t) == pytest.approx(slope, rel=1e-14)
    assert _array_slope(binary_cross_entropy, p, t) == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize(
    "x", [0.0, 1e-20, -1e-20, 1e-3, 0.5, -3.0, 20.0, 37.0, -40.0, 700.0, -745.0, 1e5, -1e300]
)
@pytest.mark.parametrize("t", [0.0, 1.0, 0.5, 0.1])
def test_bce_with_logits_to_the_last_digits(x: float, t: float, backend: str) -> None:
    with mpmath.workdps(400):
        sigmoid = 1 / (1 + mpmath.exp(-mpmath.mpf(x))) if abs(x) < 1e4 else mpmath.mpf(x > 0)
        positive = mpmath.log1p(mpmath.exp(x)) if x < 1e4 else mpmath.mpf(x)
        negative = mpmath.log1p(mpmath.exp(-x)) if x > -1e4 else mpmath.mpf(-x)
        expected = float((1 - mpmath.mpf(t)) * positive + mpmath.mpf(t) * negative)
        slope = float((1 - mpmath.mpf(t)) * sigmoid - mpmath.mpf(t) * (1 - sigmoid))
    close: dict[str, Any] = {"rel": 1e-14, "abs": 1e-300}
    assert bce_with_logits(x, t) == pytest.approx(expected, **close)
    assert bce_with_logits(MLArray([x]), [t]).item() == pytest.approx(expected, **close)
    # a soft target's slope is a difference: it can only be as exact as its terms
    close["abs"] = 1e-300 if t in (0.0, 1.0) else 1e-16
    assert _slope(bce_with_logits, x, t) == pytest.approx(slope, **close)
    assert _array_slope(bce_with_logits, x, t) == pytest.approx(slope, **close)


def test_bce_with_infinite_logits(backend: str) -> None:
    x = MLArray([INF, -INF, INF, -INF])
    loss = bce_with_logits(x, [1, 0, 0, 1], reduction="none")
    assert loss.to_list() == [0.0, 0.0, INF, INF]
    loss.backward()
    assert x.grad().to_list() == [0.0, 0.0, 1.0, -1.0]
    assert bce_with_logits(INF, 1.0) == bce_with_logits(-INF, 0.0) == 0.0


@pytest.mark.parametrize(
    "d", [1e-200, 1e-20, 1e-9, -1e-5, 1e-3, 0.3, -0.9999, 1.0, 1.0001, 3.0, -30.0, 1e3, 1e300]
)
def test_log_cosh_to_the_last_digits(d: float, backend: str) -> None:
    with mpmath.workdps(500):
        if abs(d) < 1e4:
            expected = float(mpmath.log(mpmath.cosh(d)))
        else:
            expected = abs(d) - math.log(2.0)
    assert log_cosh_loss(d, 0.0) == pytest.approx(expected, rel=1e-14, abs=5e-324)
    array = log_cosh_loss(MLArray([d]), [0.0]).item()
    assert array == pytest.approx(expected, rel=1e-14, abs=5e-324)
    assert _slope(log_cosh_loss, d, 0.0) == math.tanh(d)
    assert _array_slope(log_cosh_loss, d, 0.0) == pytest.approx(math.tanh(d), rel=1e-15)


@pytest.mark.parametrize("loss", [mae_loss, huber_loss, log_cosh_loss])
@pytest.mark.parametrize("d", [1e200, -1e200, INF, -INF])
def test_outliers_have_a_slope_of_one(loss: Any, d: float, backend: str) -> None:
    assert loss(d, 0.0) == pytest.approx(abs(d))
    assert loss(MLArray([d]), [0.0]).item() == pytest.approx(abs(d))
    assert _slope(loss, d, 0.0) == math.copysign(1.0, d)
    assert _array_slope(loss, d, 0.0) == math.copysign(1.0, d)


@pytest.mark.parametrize(
    "loss", [mse_loss, mae_loss, huber_loss, log_cosh_loss, bce_with_logits, binary_cross_entropy]
)
def test_nan_is_passed_on(loss: Any, backend: str) -> None:
    assert math.isnan(loss(math.nan, 0.0))
    out = loss(MLArray([math.nan, 0.5]), [0.0, 0.5], reduction="none").to_list()
    assert math.isnan(out[0])
    assert not math.isnan(out[1])


def test_cross_entropy_of_huge_logits(backend: str) -> None:
    x = MLArray([[1000.0, -1000.0, 0.0], [1000.0, -1000.0, 0.0], [1e300, 0.0, -1e300]])
    loss = cross_entropy(x, [0, 1, 0], reduction="none")
    assert loss.to_list() == [0.0, 2000.0, 0.0]
    loss.backward()
    assert x.grad().to_list() == [[0.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]


def test_cross_entropy_of_classes_ruled_out(backend: str) -> None:
    x = MLArray([[0.0, -INF, 0.0], [0.0, -INF, 0.0]])
    loss = cross_entropy(x, [0, 1], reduction="none")
    assert loss.to_list() == [math.log(2.0), INF]
    by_rows = cross_entropy(x, [[1, 0, 0], [0, 1, 0]], reduction="none")
    assert by_rows.to_list() == loss.to_list()
    loss[0].backward()
    assert x.grad().to_list() == [[-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


def test_a_class_ruled_out_in_one_row_leaves_the_others_alone(backend: str) -> None:
    rows = MLArray([[0.5, 0.5], [0.0, 1.0]])
    cross_entropy(MLArray([[0.0, 0.0], [-INF, 0.0]]), rows, reduction="none")[0].backward()
    assert rows.grad().to_list() == [[math.log(2.0), math.log(2.0)], [0.0, 0.0]]
    rows.zero_grad()
    p = MLArray([[0.5, 0.5], [0.0, 1.0]])
    categorical_cross_entropy(p, rows, reduction="none")[0].backward()
    assert rows.grad().to_list() == [[math.log(2.0), math.log(2.0)], [0.0, 0.0]]


@pytest.mark.parametrize("t", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("p", [0.0, 1.0, 1e-300, 1e-40, 1e-12, 0.3, 1.0 - 2.0**-52])
def test_binary_cross_entropy_is_pytorchs(p: float, t: float, backend: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.tensor([p], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([t], dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy(theirs, target)
    loss.backward()
    ours = MLArray([p])
    found = binary_cross_entropy(ours, [t])
    found.backward()
    assert found.item() == pytest.approx(loss.item(), rel=1e-14, abs=0.0)
    # where p (1 - p) is below 1e-12, they divide by the float32 that is next to it
    rel = 1e-14 if p * (1.0 - p) > 1e-12 else 1e-8
    assert ours.grad().to_list() == pytest.approx(theirs.grad.tolist(), rel=rel, abs=0.0)


def test_targets_of_probabilities_at_the_ends(backend: str) -> None:
    # the loss is linear in its target: the slope is the difference of the logarithms
    t = MLArray([0.0, 0.5, 1.0])
    binary_cross_entropy(MLArray([0.0, 1.0, 0.25]), t, "sum").backward()
    assert t.grad().to_list() == pytest.approx([100.0, -100.0, math.log(3.0)])


def test_cross_entropy_keeps_digits_that_softmax_loses(backend: str) -> None:
    # softmax is 1 - 1e-17, that is 1.0; the loss is not 0
    x = MLArray([[40.0, 0.0]])
    assert cross_entropy(x, [0]).item() == pytest.approx(0.0, abs=5e-16)
    assert cross_entropy(x, [1]).item() == pytest.approx(40.0, rel=1e-15)


def test_categorical_cross_entropy_at_the_ends(backend: str) -> None:
    p = MLArray([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    loss = categorical_cross_entropy(p, [[0, 1], [1, 0], [1, 0]], reduction="none")
    assert loss.to_list() == [0.0, 0.0, 100.0]
    assert [math.copysign(1.0, x) for x in loss.to_list()] == [1.0, 1.0, 1.0]
    loss.backward()
    assert p.grad().to_list() == [[0.0, -1.0], [-1.0, 0.0], [-1e12, 0.0]]
