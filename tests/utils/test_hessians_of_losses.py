"""Second derivatives of every loss, in all its arguments, along all paths, against mpmath.

A loss is one formula of mpmath, differentiated by mpmath. Where the loss is made of pieces, or
its slope is bent as its documentation says, the formula is that of the piece that counts there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import mpmath
import pytest

from smolml_array import MLArray
from smolml_utils import losses
from smolml_value import Value
from tests.value.paths import SECOND, spread

Formula = Callable[..., Any]  # of mpmath's numbers, all arguments in one line
Point = tuple[float, ...]
DELTA, LEAST = 0.75, 1e-12
CLASSES = 3
LOGITS: list[Point] = [(0.0, 0.0, 0.0), (1.0, -2.0, 0.5), (1000.0, 0.0, -1000.0), (3.0, 3.0, 0.0)]
CHANCES: list[Point] = [(1.0, 0.0, 0.0), (0.2, 0.3, 0.5), (0.0, 0.0, 0.0)]
DIRECTION: Point = (1.0, -0.75, 0.5, 0.25, 1.25, -0.5)
WEIGHTS: Point = (0.5, 2.0, 0.0)


class Row(NamedTuple):
    """A call of a loss, its formula at a point, and the points: each as long as all `counts`."""

    ours: Formula
    at: Callable[..., Formula]
    points: Sequence[Point]
    counts: tuple[int, ...] = (CLASSES, CLASSES)


def _huber(p: float, t: float) -> Formula:
    if abs(p - t) <= DELTA:
        return lambda p, t: (p - t) ** 2 / 2
    return lambda p, t: DELTA * (abs(p - t) - DELTA / mpmath.mpf(2))


def _bce(p: float, t: float) -> Formula:
    if p * (1 - p) < LEAST:  # the slope is (p - t) / LEAST
        return lambda p, t: (p * p / 2 - t * p) / LEAST
    return lambda p, t: -t * mpmath.log(p) - (1 - t) * mpmath.log(1 - p)


def _mae(p: float, t: float) -> Formula:
    return lambda q, u: mpmath.sign(p - t) * (q - u)


def _log(p: float) -> Formula:
    return mpmath.log if p >= LEAST else lambda p: p / LEAST  # the slope is 1 / LEAST


def _categorical(*point: float) -> Formula:
    logs = [_log(p) for p in point[:CLASSES]]
    return lambda *x: (
        -sum(t * log(p) for p, t, log in zip(x[:CLASSES], x[CLASSES:], logs, strict=True))
    )


def _log_softmax(x: Sequence[Any]) -> list[Any]:
    total = mpmath.log(sum(map(mpmath.exp, x)))
    return [each - total for each in x]


def _rows(*x: Any, smoothing: float = 0.0) -> Any:
    """Of a row of probabilities, or of probabilities and weights."""
    logs, t, w = _log_softmax(x[:3]), x[3:6], x[6:] or (1, 1, 1)
    e = mpmath.mpf(smoothing)
    terms = zip(logs, t, w, strict=True)
    return -sum(v * ((1 - e) * u + e / CLASSES) * log for log, u, v in terms)


def _classes(*x: Any) -> Any:
    """Of two samples of the classes 1 and 0, the mean by weights."""
    w = x[6:]
    return -(w[1] * _log_softmax(x[:3])[1] + w[0] * _log_softmax(x[3:6])[0]) / (w[1] + w[0])


TIES = [(0.3, 0.3), (0.0, 0.0), (1.0, 1.0)]
REALS = [*TIES, (1.5, -2.0), (-0.5, 0.25), (0.25, -0.5), (1e-9, 0.0), (40.0, 0.0), (0.0, 1.0)]
UNIT = [(p, t) for p in (0.0, 1e-13, 1e-9, 0.3, 0.5, 1 - 1e-9, 1.0) for t in (0.0, 0.3, 0.5, 1.0)]
PAIRS = (1, 1)
X_AND_T = [(*x, *t) for x in LOGITS for t in CHANCES]

ROWS: dict[str, Row] = {
    "mse_loss": Row(losses.mse_loss, lambda p, t: lambda p, t: (p - t) ** 2, REALS, PAIRS),
    "mae_loss": Row(losses.mae_loss, _mae, REALS, PAIRS),
    "huber_loss": Row(
        lambda p, t, **how: losses.huber_loss(p, t, DELTA, **how), _huber, REALS, PAIRS
    ),
    "log_cosh_loss": Row(
        losses.log_cosh_loss,
        lambda p, t: lambda p, t: mpmath.log(mpmath.cosh(p - t)),
        REALS,
        PAIRS,
    ),
    "binary_cross_entropy": Row(losses.binary_cross_entropy, _bce, UNIT, PAIRS),
    "bce_with_logits": Row(
        losses.bce_with_logits,
        lambda x, t: (
            lambda x, t: t * mpmath.log1p(mpmath.exp(-x)) + (1 - t) * mpmath.log1p(mpmath.exp(x))
        ),
        [(x, t) for x in (-700.0, -40.0, -1.0, 0.0, 1e-9, 0.3, 40.0) for _, t in UNIT[:4]],
        PAIRS,
    ),
    "categorical_cross_entropy": Row(
        losses.categorical_cross_entropy,
        _categorical,
        [(*p, *t) for p in ((1.0, 0.0, 0.0), (0.2, 0.3, 0.5), (1e-9, 0.5, 0.5)) for t in CHANCES],
    ),
    "cross_entropy": Row(losses.cross_entropy, lambda *_: _rows, X_AND_T),
    "cross_entropy, smoothed": Row(
        lambda x, t, **how: losses.cross_entropy(x, t, label_smoothing=0.25, **how),
        lambda *_: lambda *x: _rows(*x, smoothing=0.25),
        X_AND_T,
    ),
    "cross_entropy, weighted rows": Row(
        lambda x, t, w, **how: losses.cross_entropy(x, t, weight=w, **how),
        lambda *_: _rows,
        [(*both, *WEIGHTS) for both in X_AND_T],
        (CLASSES, CLASSES, CLASSES),
    ),
    "cross_entropy, classes": Row(
        lambda x, w, **how: losses.cross_entropy(x.reshape(2, 3), [1, 0], weight=w),
        lambda *_: _classes,
        [(*x, *y, *WEIGHTS) for x, y in pairwise(LOGITS)],
        (2 * CLASSES, CLASSES),
    ),
}


@cache
def _hessian(name: str, point: Point) -> list[list[float]]:
    f, n = ROWS[name].at(*point), range(len(point))
    with mpmath.workdps(60):
        at = tuple(map(mpmath.mpf, point))
        orders = [[tuple((k == i) + (k == j) for k in n) for j in n] for i in n]
        return [[float(mpmath.diff(f, at, order)) for order in row] for row in orders]


def _parts(row: Row, line: Sequence[float]) -> list[list[float]]:
    """A point, argument by argument."""
    ends = [sum(row.counts[: k + 1]) for k in range(len(row.counts))]
    return [[*line[end - count : end]] for end, count in zip(ends, row.counts, strict=True)]


def _check(name: str, point: Point, xs: Sequence[Any], make: Callable[[list[float]], Any]) -> None:
    """The Hessian times a direction in each argument; errors are beside its largest number."""
    row, wanted = ROWS[name], _hessian(name, point)
    scale = max(abs(h) for line in wanted for h in line)

    def f(*args: Any) -> Any:
        return row.ours(*args, reduction="sum")

    for k in range(len(xs)):
        parts = [[n * (i == k) for n in DIRECTION[:count]] for i, count in enumerate(row.counts)]
        us, flat = [make(part) for part in parts], [n for part in parts for n in part]
        line = [sum(h * n for h, n in zip(h_row, flat, strict=True)) for h_row in wanted]
        for way, path in SECOND.items():
            each = zip(xs, path(f, xs, us), strict=True)
            found = [n for x, g in each for n in spread(g, x)]
            assert found == pytest.approx(line, rel=1e-11, abs=1e-12 * scale), (way, k)


@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, row in ROWS.items() for point in row.points]
)
def test_of_arrays(name: str, point: Point, backend: str) -> None:
    xs = [MLArray(part, backend=backend) for part in _parts(ROWS[name], point)]
    _check(name, point, xs, lambda part: MLArray(part, False, backend=backend))


@pytest.mark.parametrize(
    ("name", "point"),
    [(name, point) for name, row in ROWS.items() if row.counts == PAIRS for point in row.points],
)
def test_of_values(name: str, point: Point) -> None:
    _check(name, point, [Value(x) for x in point], lambda part: part[0])


def test_every_loss_is_here() -> None:
    assert {name.partition(",")[0] for name in ROWS} == set(losses.__all__)
