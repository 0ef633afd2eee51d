"""Every loss and function of rows along every path, at ordinary points, bounds and ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import smolml_utils
from smolml_array import MLArray
from smolml_utils import losses
from smolml_value import Value, ops
from tests.array.numeric import array
from tests.array.paths import ALL, check, constant, weighted
from tests.utils.operations import ROWS, UNIT, Row
from tests.value.helpers import close
from tests.value.paths import NUMBERS, PATHS, by_backward, check_second, numbers

every_row = pytest.mark.parametrize("name", ROWS)
of_numbers = pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.of_numbers])
FEW = ("grad", "jacobian by columns", "gradients", "grad of checkpoint", "explain", "grad, nested")


def leaves(row: Row, backend: str, dtype: str = "float64") -> list[MLArray]:
    """Ordinary points in the domains of a row."""
    return [
        MLArray(array(shape, i, *domain), dtype=dtype, backend=backend)
        for i, (shape, domain) in enumerate(zip(row.shapes, row.domains, strict=True))
    ]


def loss(row: Row) -> Any:
    return lambda *xs: weighted(row.ours(*xs))


def test_no_loss_and_no_function_of_rows_is_left_out() -> None:
    here = {name.partition(",")[0] for name in ROWS}
    elementwise = {*ops.names(), "linear"}
    activations = {*smolml_utils.activations.__all__} - elementwise
    assert here == {*losses.__all__, *activations, *smolml_utils.normalization.__all__}


@every_row
def test_all_paths_agree(name: str, backend: str) -> None:
    xs = leaves(ROWS[name], backend)
    left_out = {"checkpoint by columns", "jacobian by columns, nested"} if len(xs) > 1 else set()
    check(loss(ROWS[name]), xs, name, {k: path for k, path in ALL.items() if k not in left_out})


@every_row
def test_all_ways_to_second_derivatives_agree(name: str, backend: str) -> None:
    xs = leaves(ROWS[name], backend)
    us = [constant(x, np.ravel(array(x.shape, f"u{i}"))) for i, x in enumerate(xs)]
    check_second(loss(ROWS[name]), xs, us, name)


@every_row
def test_all_paths_agree_of_float32(name: str) -> None:
    few = {key: ALL[key] for key in FEW}
    check(loss(ROWS[name]), leaves(ROWS[name], "numpy", "float32"), name, few, 1e-3)


@every_row
def test_all_paths_agree_at_ties_and_zeros(name: str, backend: str) -> None:
    row = ROWS[name]
    few = {key: ALL[key] for key in FEW}
    for flat in (0.0, 0.5):
        numbers_ = [0.5 if domain == UNIT else flat for domain in row.domains]
        xs = [
            MLArray(np.full(shape, n), backend=backend)
            for shape, n in zip(row.shapes, numbers_, strict=True)
        ]
        check(loss(row), xs, f"{name} of {numbers_}", few)


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if len(row.shapes) == 2])
def test_targets_of_other_dtypes(name: str, dtype: str) -> None:
    """A target of ones and zeros is the same in every dtype."""
    row = ROWS[name]
    p, _ = leaves(row, "numpy")
    ones = (np.arange(p.size()).reshape(p.shape) % 2).astype(dtype)
    given = MLArray(ones, False, dtype=dtype, backend="numpy")
    as_floats = MLArray(ones.astype(float), False, backend="numpy")
    (want,) = by_backward(lambda x: weighted(row.ours(x, as_floats)), [p])
    for target in (given, ones, ones.tolist()):
        (got,) = by_backward(lambda x, t=target: weighted(row.ours(x, t)), [p])
        assert all(close(a, b) for a, b in zip(numbers(got), numbers(want), strict=True))
    few = {key: ALL[key] for key in FEW}
    check(lambda x: weighted(row.ours(x, given)), [p], f"{name}, {dtype}", few)


@of_numbers
def test_all_paths_agree_for_numbers(name: str) -> None:
    row = ROWS[name]
    at = tuple(low + 0.3 * (high - low) * (i + 1) for i, (low, high) in enumerate(row.domains))
    for xs in (at, tuple(map(Value, at))):
        want = [float(g) for g in by_backward(row.ours, xs)]
        for way, path in (PATHS | NUMBERS).items():
            if isinstance(xs[0], Value) and way in NUMBERS:
                continue
            got = [float(g) for g in path(row.ours, xs)]
            assert all(close(a, b, 1e-9) for a, b in zip(got, want, strict=True)), (way, got, want)
    check_second(row.ours, at, (0.7, -1.3), name)
