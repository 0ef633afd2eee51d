"""examples/newton.py: it converges, quadratically, to where the gradient vanishes."""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smolml_array import use_backend
from smolml_value import grad

EXAMPLE = Path(__file__).parents[2] / "examples" / "newton.py"


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLE))


def test_newton_converges_quadratically(example: dict[str, Any]) -> None:
    path = example["newton"](example["loss"], [0.0, 0.0, 0.0])
    errors = [math.dist(w, path[-1][0]) for w, _, _ in path[:-1]]
    exact = [error for error in errors if error > 1e-14]
    assert len(path) < 10
    assert exact[-1] < 1e-6
    assert example["exponents"](exact)[-1] == pytest.approx(2.0, abs=0.15)
    assert path[-1][2] < 1e-13


def test_it_finds_the_minimum(example: dict[str, Any]) -> None:
    loss = example["loss"]
    w = np.array(example["newton"](loss, [0.0, 0.0, 0.0])[-1][0])
    X, s = np.array(example["DATA"].to_list()), np.array(example["SIGNS"].to_list())
    slope = -(X.T @ (s / (1.0 + np.exp(s * (X @ w))))) + 0.1 * w  # by hand
    assert np.abs(slope).max() < 1e-12
    assert np.abs(np.array(grad(loss)(type(example["DATA"])(w)).to_list())).max() < 1e-12


def test_the_exponents_of_a_known_sequence(example: dict[str, Any]) -> None:
    assert example["exponents"]([1e-1, 1e-2, 1e-4, 1e-8]) == pytest.approx([2.0, 2.0])
    assert example["exponents"]([1e-1, 1e-2, 1e-3]) == pytest.approx([1.0])


def test_it_prints_the_exponent(
    example: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    example["main"]([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("step   error")
    assert float(lines[-1].rpartition("= ")[2]) == pytest.approx(2.0, abs=0.15)


def test_it_runs_on_the_pure_backend() -> None:
    with use_backend("pure"):
        pure = runpy.run_path(str(EXAMPLE))
        path = pure["newton"](pure["loss"], [0.0, 0.0, 0.0])
    assert path[-1][2] < 1e-13
