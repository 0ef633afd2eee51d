"""Losses against their formulas in NumPy, on both backends, on every kind of operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
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
from tests.utils.helpers import (
    SHAPES,
    Floats,
    assert_close,
    gradient,
    numbers,
    random_array,
    random_probabilities,
    slopes,
    softmax_rows,
)

Formula = Callable[[Floats, Floats], Floats]


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


# Each loss with its formula, the formula of its gradient, and whether it takes probabilities.
ELEMENTWISE: dict[str, tuple[Callable[..., Any], Formula, Formula, bool]] = {
    "mse": (mse_loss, lambda p, t: (p - t) ** 2, lambda p, t: 2 * (p - t), False),
    "mae": (mae_loss, lambda p, t: np.abs(p - t), lambda p, t: np.sign(p - t), False),
    "huber": (
        huber_loss,
        lambda p, t: np.where(np.abs(p - t) <= 1, (p - t) ** 2 / 2, np.abs(p - t) - 0.5),
        lambda p, t: np.clip(p - t, -1, 1),
        False,
    ),
    "log_cosh": (
        log_cosh_loss,
        lambda p, t: np.log(np.cosh(p - t)),
        lambda p, t: np.tanh(p - t),
        False,
    ),
    "bce": (
        binary_cross_entropy,
        lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
        lambda p, t: (p - t) / (p * (1 - p)),
        True,
    ),
    "bce_with_logits": (
        bce_with_logits,
        lambda x, t: -(t * np.log(_sigmoid(x)) + (1 - t) * np.log(_sigmoid(-x))),
        lambda x, t: _sigmoid(x) - t,
        False,
    ),
}


def _samples(name: str, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    probabilities = ELEMENTWISE[name][3]
    p = random_probabilities(shape, 1) if probabilities else random_array(shape, 1)
    soft = probabilities or name == "bce_with_logits"
    return p, random_probabilities(shape, 2) if soft else random_array(shape, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_reduction_of_every_shape(name: str, shape: tuple[int, ...], backend: str) -> None:
    loss, formula, _, _ = ELEMENTWISE[name]
    p, t = _samples(name, shape)
    expected = formula(p, t)
    x, y = MLArray(p.tolist()), MLArray(t.tolist())
    assert loss(x, y).backend == backend
    assert_close(loss(x, y), expected.mean())
    assert_close(loss(x, y, reduction="mean"), expected.mean())
    assert_close(loss(x, y, reduction="sum"), expected.sum())
    assert_close(loss(x, y, reduction="none"), expected)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients(name: str, shape: tuple[int, ...], backend: str) -> None:
    loss, _, slope, _ = ELEMENTWISE[name]
    p, t = _samples(name, shape)
    y = MLArray(t.tolist(), requires_grad=False)
    expected = slope(p, t)
    assert_close(gradient(lambda x: loss(x, y, reduction="sum"), p), expected)
    assert_close(gradient(lambda x: loss(x, y), p), expected / p.size)
    assert_close(slopes(lambda x: loss(x, y, reduction="sum"), p), expected, rel=1e-8, floor=1e-9)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_of_targets(name: str, backend: str) -> None:
    loss = ELEMENTWISE[name][0]
    p, t = _samples(name, (4,))
    x = MLArray(p.tolist(), requires_grad=False)
    assert_close(
        gradient(lambda y: loss(x, y), t), slopes(lambda y: loss(x, y), t), rel=1e-8, floor=1e-9
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_and_floats(name: str) -> None:
    loss, formula, slope, _ = ELEMENTWISE[name]
    p, t = (float(x) for x in _samples(name, ()))
    expected, expected_slope = formula(np.array(p), np.array(t)), slope(np.array(p), np.array(t))

    plain = loss(p, t)
    assert type(plain) is float
    assert_close(plain, expected)

    x, y = Value(p), Value(t)
    out = loss(x, y)
    assert isinstance(out, Value)
    out.backward()
    assert_close(out.data, expected)
    assert_close(x.grad, expected_slope)

    x = Value(p)
    loss(x, t).backward()
    assert_close(x.grad, expected_slope)
    y_only = Value(t)
    loss(p, y_only).backward()
    assert_close(y_only.grad, y.grad)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_lists_of_values_get_their_gradients(name: str, backend: str) -> None:
    loss, formula, slope, _ = ELEMENTWISE[name]
    p, t = _samples(name, (2, 2))
    values = [[Value(x) for x in row] for row in p.tolist()]
    out = loss(values, t.tolist())
    assert isinstance(out, MLArray)
    out.backward()
    assert_close(out, formula(p, t).mean())
    assert_close([[v.grad for v in row] for row in values], slope(p, t) / 4)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_targets_of_every_kind(name: str, backend: str) -> None:
    loss, formula, _, _ = ELEMENTWISE[name]
    p, t = _samples(name, (3,))
    x = MLArray(p.tolist())
    wanted = formula(p, t).mean()
    for targets in (t.tolist(), tuple(t.tolist()), t, MLArray(t.tolist()), list(map(Value, t))):
        assert_close(loss(x, targets), wanted)
    assert_close(loss(p, MLArray(t.tolist())), wanted)
    assert_close(loss(p, t), wanted)
    hard = np.array([1, 0, 1])
    wanted = formula(p, hard.astype(float)).mean()
    for whole in ([1, 0, 1], hard, hard == 1, MLArray(hard.tolist(), dtype="int64"), [1, 0, True]):
        assert_close(loss(x, whole), wanted)


def _arrays(targets: Floats) -> list[MLArray]:
    return [MLArray(targets.astype(dtype), backend="numpy") for dtype in ("float32", "float64")]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float32_stays_float32(name: str) -> None:
    loss, formula, slope, _ = ELEMENTWISE[name]
    p, t = _samples(name, (3, 4))
    for targets in (t, t.tolist(), t.astype(np.float32), *_arrays(t)):
        x = MLArray(p, dtype="float32", backend="numpy")
        out = loss(x, targets)
        out.backward()
        assert out.dtype == x.grad().dtype == np.float32
        assert_close(out, formula(p, t).mean(), rel=1e-5)
        assert_close(x.grad(), slope(p, t) / 12, rel=1e-4, floor=1e-6)


def test_targets_written_to_later_change_no_gradient() -> None:
    targets = np.array([1.0, 2.0])
    x = MLArray([0.0, 0.0], backend="numpy")
    loss = mse_loss(x, targets)
    targets[:] = 100.0
    loss.backward()
    assert x.grad().to_list() == [-1.0, -2.0]
    logits = MLArray([[0.0, 0.0]], backend="numpy")
    rows = np.array([[1.0, 0.0]])
    loss = cross_entropy(logits, rows)
    rows[:] = 0.0
    loss.backward()
    assert logits.grad().to_list() == [[-0.5, 0.5]]


@pytest.mark.parametrize("delta", [0.1, 1.0, 2.5, 1e6, np.inf])
def test_huber_delta(delta: float, backend: str) -> None:
    p, t = random_array((20,), 3, scale=3.0), random_array((20,), 4)
    d = np.abs(p - t)
    with np.errstate(invalid="ignore"):
        expected = np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))
    assert_close(huber_loss(MLArray(p.tolist()), t, delta, "none"), expected)
    grads = gradient(lambda x: huber_loss(x, t, delta, "sum"), p)
    assert_close(grads, np.clip(p - t, -delta, delta))


def test_kinks(backend: str) -> None:
    x = MLArray([1.0, 2.0, 3.0])
    mae_loss(x, [1.0, 2.0, 3.0]).backward()
    assert x.grad().to_list() == [0.0, 0.0, 0.0]
    for loss in (mse_loss, huber_loss, log_cosh_loss):
        x.zero_grad()
        loss(x, [1.0, 2.0, 3.0]).backward()
        assert x.grad().to_list() == [0.0, 0.0, 0.0]
    at_bounds = MLArray([1.0, -1.0])
    huber_loss(at_bounds, [0.0, 0.0], reduction="sum").backward()
    assert at_bounds.grad().to_list() == [1.0, -1.0]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_mean_of_nothing_is_nan(name: str, backend: str) -> None:
    loss = ELEMENTWISE[name][0]
    nothing = MLArray([])
    assert np.isnan(loss(nothing, []).item())
    assert loss(nothing, [], reduction="sum").item() == 0.0
    assert loss(nothing, [], reduction="none").shape == (0,)


# Losses over classes ---------------------------------------------------------------------------


def _one_hot(indices: npt.NDArray[np.int64], count: int, axis: int) -> Floats:
    return np.moveaxis(np.eye(count)[indices], -1, axis)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((4,), -1), ((5, 3), -1), ((5, 3), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((2, 3, 4), 0)],
)
def test_cross_entropy_of_indices_and_rows(shape: tuple[int, ...], axis: int, backend: str) -> None:
    x = random_array(shape, 5)
    count = shape[axis]
    indices = np.random.default_rng(6).integers(0, count, np.delete(shape, axis))
    rows = _one_hot(indices, count, axis)
    p = softmax_rows(x, axis)
    expected = -(rows * np.log(p)).sum(axis)
    samples = expected.size
    for targets in (indices.tolist(), indices, indices.astype(float), rows, rows.tolist()):
        logits = MLArray(x.tolist())
        assert_close(cross_entropy(logits, targets, "none", axis=axis), expected)
        assert_close(cross_entropy(logits, targets, "sum", axis=axis), expected.sum())
        loss = cross_entropy(logits, targets, axis=axis)
        assert_close(loss, expected.mean())
        loss.backward()
        assert_close(logits.grad(), (p - rows) / samples, floor=1e-15)
    summed = gradient(lambda logits: cross_entropy(logits, indices, "sum", axis=axis), x)
    assert_close(summed, p - rows, floor=1e-15)
    of_differences = slopes(lambda logits: cross_entropy(logits, indices, "sum", axis=axis), x)
    assert_close(of_differences, p - rows, rel=1e-8, floor=1e-9)


def test_cross_entropy_of_smoothed_rows_and_their_gradient(backend: str) -> None:
    x, t = random_array((3, 4), 7), softmax_rows(random_array((3, 4), 8))
    p = softmax_rows(x)
    assert_close(cross_entropy(MLArray(x.tolist()), t), -(t * np.log(p)).sum(1).mean())
    assert_close(gradient(lambda logits: cross_entropy(logits, t), x), (p - t) / 3)
    logits = MLArray(x.tolist(), requires_grad=False)
    assert_close(gradient(lambda rows: cross_entropy(logits, rows), t), -np.log(p) / 3)


def test_rows_that_do_not_sum_to_one(backend: str) -> None:
    x, t = random_array((3, 4), 14), random_probabilities((3, 4), 15)
    p = softmax_rows(x)
    assert_close(cross_entropy(MLArray(x.tolist()), t, "sum"), -(t * np.log(p)).sum())
    grads = gradient(lambda logits: cross_entropy(logits, t, "sum"), x)
    assert_close(grads, p * t.sum(1, keepdims=True) - t)


def test_cross_entropy_of_a_list_of_values(backend: str) -> None:
    values = [Value(1.0), Value(2.0), Value(3.0)]
    loss = cross_entropy(values, 1)
    loss.backward()
    p = softmax_rows(np.array([1.0, 2.0, 3.0]))
    assert_close(loss, -np.log(p[1]))
    assert_close([v.grad for v in values], p - [0.0, 1.0, 0.0])


def test_cross_entropy_takes_labels_of_every_dtype(backend: str) -> None:
    logits = MLArray([[1.0, 2.0], [3.0, 0.0]])
    wanted = cross_entropy(logits, [[0, 1], [1, 0]]).item()
    labels = [1, 0]
    kinds: list[Any] = [labels, tuple(labels), [True, False], [1.0, 0.0]]
    kinds += [np.array(labels, dtype) for dtype in ("int8", "uint8", "int32", "int64", "float32")]
    kinds += [np.array(labels) == 1, MLArray(labels), MLArray(labels, dtype="int64")]
    kinds += [MLArray([True, False], dtype="bool")]
    for targets in kinds:
        assert cross_entropy(logits, targets).item() == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(("shape", "axis"), [((4,), -1), ((5, 3), -1), ((2, 3, 4), 1)])
def test_categorical_cross_entropy(shape: tuple[int, ...], axis: int, backend: str) -> None:
    p = softmax_rows(random_array(shape, 9), axis)
    t = softmax_rows(random_array(shape, 10), axis)
    expected = -(t * np.log(p)).sum(axis)
    x = MLArray(p.tolist())
    assert_close(categorical_cross_entropy(x, t, "none", axis=axis), expected)
    assert_close(categorical_cross_entropy(x, t, axis=axis), expected.mean())
    assert_close(categorical_cross_entropy(x, t, "sum", axis=axis), expected.sum())
    grads = gradient(lambda x: categorical_cross_entropy(x, t, axis=axis), p)
    assert_close(grads, -t / p / expected.size)


def test_losses_over_classes_keep_float32() -> None:
    x = MLArray(random_array((3, 4), 11), dtype="float32", backend="numpy")
    for targets in ([0, 1, 2], np.array([0, 1, 2]), np.eye(4)[:3], *_arrays(np.eye(4)[:3])):
        loss = cross_entropy(x, targets)
        loss.backward()
        assert loss.dtype == x.grad().dtype == np.float32
    p = MLArray(softmax_rows(random_array((3, 4), 11)), dtype="float32", backend="numpy")
    assert categorical_cross_entropy(p, np.eye(4)[:3]).dtype == np.float32


def test_predictions_that_are_views(backend: str) -> None:
    p, t = random_array((3, 4), 12), random_array((4, 3), 13)
    assert_close(gradient(lambda x: mse_loss(x.T, t, "sum"), p), 2 * (p - t.T))
    first = gradient(lambda x: mse_loss(x[0], t[:, 0], "sum"), p)
    assert_close(first[0], 2 * (p[0] - t[:, 0]))
    assert not first[1:].any()


def test_the_same_array_as_prediction_and_target(backend: str) -> None:
    x = MLArray([1.0, 2.0])
    loss = mse_loss(x, x)
    loss.backward()
    assert loss.item() == 0.0
    assert numbers(x.grad()).tolist() == [0.0, 0.0]
