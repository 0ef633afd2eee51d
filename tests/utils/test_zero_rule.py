"""The zero rule of every array function, softmax and loss: 0 x inf is 0 on the way back.

A cotangent of zero sends zero whatever the numbers are, so that what is left out of a loss spoils
no gradient; and a partial of zero contributes zero whatever the cotangent is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smolml_array import LinAlgError, MLArray, where
from smolml_utils import (
    bce_with_logits,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber_loss,
    layer_norm,
    log_cosh_loss,
    log_softmax,
    mae_loss,
    mse_loss,
    softmax,
)
from smolml_utils.losses import __all__ as losses
from smolml_value import grad, gradients, jvp
from tests.array.test_paths import CALLS

Function = Callable[..., Any]
Rows = dict[str, tuple[Function, tuple[tuple[int, ...], ...]]]
inf, nan = math.inf, math.nan

LOSSES: dict[str, Function] = {
    f.__name__: f
    for f in (
        *(bce_with_logits, binary_cross_entropy, categorical_cross_entropy, cross_entropy),
        *(huber_loss, log_cosh_loss, mae_loss, mse_loss),
    )
}
OURS: Rows = {
    "softmax": (softmax, ((2, 3),)),
    "log_softmax": (log_softmax, ((2, 3),)),
    "layer_norm": (layer_norm, ((2, 3),)),
    **{
        f"{name}, {how}": (lambda p, t, f=f, how=how: f(p, t, reduction=how), ((2, 3), (2, 3)))
        for name, f in LOSSES.items()
        for how in ("mean", "sum", "none")
    },
}
ALL: Rows = {
    **{name: row for name, row in CALLS.items() if name != "elements"},  # has no shape
    **OURS,
}


SOLVED = ("solve", "inv", "cholesky", "matrix_power, -")
"""What solves a system: a cotangent of inf is part of sums there, and with it all are nan."""


def test_every_loss_is_in_the_table() -> None:
    assert set(LOSSES) == set(losses)


def _operands(name: str, numbers: tuple[float, ...], backend: str) -> list[MLArray]:
    _, shapes = ALL[name]
    return [
        MLArray(np.resize(np.roll(numbers, i), s), backend=backend) for i, s in enumerate(shapes)
    ]


def _flat(x: Any) -> list[float]:
    return [float(n) for n in x.flatten().to_list()]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("spoilt", [inf, -inf, nan])
def test_what_does_not_count_sends_zero(name: str, spoilt: float, backend: str) -> None:
    f, _ = ALL[name]
    if name.startswith(("bce", "binary", "categorical", "cross")) and abs(spoilt) == inf:
        return  # refused: no probability
    xs = _operands(name, (0.5, spoilt, 0.25, 0.0, 1.0), backend)
    try:
        (f(*xs) * 0.0).sum().backward()
        found = [x.grad() for x in xs]
        again = gradients((f(*xs) * 0.0).sum(), xs)
        twice = gradients(sum((g * 2.0).sum() for g in again), xs)
    except LinAlgError:
        assert name.startswith((*SOLVED, "det"))
        return  # refused: singular, or not positive definite
    still = tuple(MLArray(np.zeros(x.shape), False, backend=backend) for x in xs)
    found += [*again, *twice, jvp(f, tuple(xs), still)[1]]
    assert all(set(_flat(g)) <= {0.0} for g in found), [g.to_list() for g in found]


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith(SOLVED)])
def test_a_partial_of_zero_stops_any_cotangent(name: str, backend: str) -> None:
    f, _ = ALL[name]
    xs = _operands(name, (0.0, 1.0, 0.0, 0.25, 0.5), backend)
    y = f(*xs)
    count = len(_flat(y))

    def pulled(weights: Any) -> list[list[float]]:
        w = MLArray(np.reshape(weights, y.shape), False, backend=backend)
        return [_flat(g) for g in gradients(f(*xs), xs, w)]

    rows = [pulled(np.eye(count)[i]) for i in range(count)]
    for i in range(count):
        weights = [inf if i == j else 2.0 for j in range(count)]
        by_gradients = pulled(weights)
        for x in xs:
            x.zero_grad()
        (f(*xs) * MLArray(np.reshape(weights, y.shape), False, backend=backend)).sum().backward()
        for k, x in enumerate(xs):
            partials = [rows[j][k] for j in range(count)]
            for at in range(len(partials[0])):
                if partials[i][at] == 0.0 and all(math.isfinite(p[at]) for p in partials):
                    want = sum(2.0 * p[at] for p in partials)
                    assert by_gradients[k][at] == pytest.approx(want, abs=1e-12), (i, k, at)
                    assert _flat(x.grad())[at] == pytest.approx(want, abs=1e-12), (i, k, at)


# Attention masks ----------------------------------------------------------------------------------


def _by_where(scores: MLArray, mask: MLArray) -> MLArray:
    return where(mask != 0, scores, -inf)


def _by_adding(scores: MLArray, mask: MLArray) -> MLArray:
    return scores + where(mask != 0, 0.0, -inf)


def _composed(scores: MLArray) -> MLArray:
    powers = (scores - scores.max(axis=-1, keepdims=True)).exp()
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("weigh", [softmax, lambda s: log_softmax(s).exp(), _composed])
@pytest.mark.parametrize("masked", [_by_where, _by_adding])
def test_a_row_that_is_all_masked_spoils_no_gradient(
    weigh: Function, masked: Function, backend: str
) -> None:
    rng = np.random.default_rng(0)
    wq, wk, wv = (MLArray(rng.normal(size=(2, 2)).tolist(), backend=backend) for _ in range(3))
    x = MLArray(rng.normal(size=(3, 2)).tolist(), backend=backend)
    mask = MLArray([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]], False, backend=backend)
    counts = MLArray([[1.0], [0.0], [1.0]], False, backend=backend)

    def loss(wq: MLArray, wk: MLArray, wv: MLArray, rows: Any = slice(None)) -> Any:
        scores = (x @ wq)[rows] @ (x @ wk).mT
        out = weigh(masked(scores, mask[rows])) @ (x @ wv)
        return (where(counts[rows] != 0, out, 0.0) ** 2).sum()

    def seen(wq: MLArray, wk: MLArray, wv: MLArray) -> Any:
        return loss(wq, wk, wv, [0, 2])  # the same without the masked row

    at, along = (wq, wk, wv), (wk.detach(), wv.detach(), wq.detach())
    ways: list[Function] = [
        lambda g: list(grad(g, (0, 1, 2))(*at)),
        lambda g: [jvp(g, at, along)[1]],
        lambda g: list(grad(lambda *w: jvp(g, w, along)[1], (0, 1, 2))(*at)),
    ]
    for way in ways:
        for a, b in zip(way(loss), way(seen), strict=True):
            assert _flat(a) == pytest.approx(_flat(b), rel=1e-10, abs=1e-12)


def test_softmax_of_nothing_but_masked_entries(backend: str) -> None:
    x = MLArray([[-inf, -inf], [0.0, 0.0]], backend=backend)
    p = softmax(x)
    assert p.to_list() == [[0.0, 0.0], [0.5, 0.5]]
    assert log_softmax(x).to_list() == [[-inf, -inf], [-math.log(2.0)] * 2]
    (p * MLArray([1.0, 2.0], backend=backend)).sum().backward()
    assert x.grad().to_list() == [[0.0, 0.0], [-0.25, 0.25]]
    losses = cross_entropy(x, [0, 0], reduction="none")
    assert losses.to_list() == [inf, math.log(2.0)]
