"""What every loss must be, on random numbers: not negative, 0 at agreement, fair to all samples."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    sigmoid,
    softmax,
)
from smolml_value import Value

OF_DIFFERENCES = [mse_loss, mae_loss, huber_loss, log_cosh_loss]
ELEMENTWISE = [*OF_DIFFERENCES, binary_cross_entropy, bce_with_logits]

reals = st.floats(-1e100, 1e100)
units = st.floats(0.0, 1.0)


@pytest.mark.parametrize("loss", OF_DIFFERENCES)
@given(reals, reals)
def test_losses_of_differences(loss: Any, p: float, t: float) -> None:
    assert loss(p, t) >= 0.0
    assert loss(p, p) == 0.0
    assert loss(p, t) == loss(t, p)
    if abs(p - t) > 1e-150:  # the square of less may underflow
        assert loss(p, t) > 0.0


@given(units, units)
def test_entropies_are_not_negative(p: float, t: float) -> None:
    assert binary_cross_entropy(p, t) >= 0.0
    # Gibbs' inequality: the best prediction of t is t; a p of 0 counts as exp(-100)
    least = binary_cross_entropy(t, t) * (1.0 - 1e-15) - math.exp(-100.0)
    assert binary_cross_entropy(p, t) >= least
    assert categorical_cross_entropy([p, 1.0 - p], [t, 1.0 - t]).item() >= 0.0


@given(st.floats(-700.0, 700.0), units)
def test_logits_and_probabilities_agree(x: float, t: float) -> None:
    by_logits = bce_with_logits(x, t)
    assert by_logits >= 0.0
    p = sigmoid(x)
    if abs(x) < 15.0:  # beyond, the probability has lost the digits
        assert by_logits == pytest.approx(binary_cross_entropy(p, t), rel=1e-9, abs=1e-12)
    # two classes are a softmax of (x, 0)
    assert cross_entropy([x, 0.0], [t, 1.0 - t]).item() == pytest.approx(
        by_logits, rel=1e-12, abs=1e-12
    )


@given(st.lists(st.floats(-30.0, 30.0), min_size=2, max_size=5), st.data())
def test_cross_entropy_is_that_of_softmax(x: list[float], data: st.DataObject) -> None:
    label = data.draw(st.integers(0, len(x) - 1))
    one_hot = [float(i == label) for i in range(len(x))]
    logits = MLArray(x)
    loss = cross_entropy(logits, label)
    of_softmax = categorical_cross_entropy(softmax(logits), one_hot)
    assert loss.item() >= 0.0
    assert loss.item() == pytest.approx(of_softmax.item(), rel=1e-10, abs=1e-14)
    loss.backward()
    expected = (softmax(x) - one_hot).to_list()
    assert logits.grad().to_list() == pytest.approx(expected, rel=0.0, abs=1e-15)
    assert math.fsum(logits.grad().to_list()) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("loss", ELEMENTWISE)
@given(st.lists(st.tuples(units, units), min_size=1, max_size=6))
def test_arrays_agree_with_values(
    loss: Any, backend: str, pairs: list[tuple[float, float]]
) -> None:
    p, t = [a for a, _ in pairs], [b for _, b in pairs]
    x = MLArray(p)
    out = loss(x, t, reduction="none")
    out.backward()
    values = [Value(a) for a in p]
    each = [loss(v, b) for v, b in zip(values, t, strict=True)]
    for one in each:
        one.backward()
    assert out.to_list() == pytest.approx([one.data for one in each], rel=1e-13)
    slopes = [v.grad for v in values]
    assert x.grad().to_list() == pytest.approx(slopes, rel=1e-12, abs=1e-15, nan_ok=True)


@pytest.mark.parametrize("loss", ELEMENTWISE)
@given(st.lists(st.tuples(units, units), min_size=1, max_size=6), st.randoms())
def test_the_order_of_samples_does_not_matter(loss: Any, pairs: Any, draw: Any) -> None:
    shuffled = draw.sample(pairs, len(pairs))
    one, other = (
        loss([p for p, _ in order], [t for _, t in order], reduction="sum").item()
        for order in (pairs, shuffled)
    )
    assert one == pytest.approx(other, rel=1e-13)


@given(reals, reals, st.floats(1e-3, 1e3))
def test_huber_lies_below_its_two_halves(p: float, t: float, delta: float) -> None:
    huber = huber_loss(p, t, delta=delta)
    assert huber <= mse_loss(p, t) / 2.0 * (1.0 + 1e-15)
    assert huber <= delta * mae_loss(p, t) * (1.0 + 1e-15)
