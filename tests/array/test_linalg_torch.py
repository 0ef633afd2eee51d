"""Linear algebra beside PyTorch: likelihoods, and gradients where matrices are special."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import smolml_array
from smolml_array import MLArray, cholesky, det, eye, slogdet, solve
from smolml_value import gradients
from tests.array.linalg_programs import MOVES, NOISES, SCALES, SEES, gaussian_process, kalman

OURS = SimpleNamespace(
    array=lambda a: MLArray(a, False),
    eye=lambda n: eye(n, requires_grad=False),
    **{name: getattr(smolml_array, name) for name in ("cholesky", "diagonal", "slogdet", "solve")},
)
THEIRS = SimpleNamespace(
    array=torch.tensor,
    eye=lambda n: torch.eye(n, dtype=torch.float64),
    diagonal=torch.diagonal,
    **{name: getattr(torch.linalg, name) for name in ("cholesky", "slogdet", "solve")},
)


def _agree(ours: Any, theirs: Any, arrays: list[Any], rtol: float = 1e-9) -> None:
    """The number and the gradients to all arrays, and the derivatives of these."""
    leaves = [MLArray(a) for a in arrays]
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    made, want = ours(*leaves), theirs(*tensors)
    assert float(made) == pytest.approx(want.item(), rel=rtol)
    slopes = gradients(made, leaves)
    wanted = torch.autograd.grad(want, tensors, create_graph=True)
    for got, slope in zip(slopes, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(got), slope.detach().numpy(), rtol, 1e-9)
    curved = sum((s * s).sum() for s in wanted)
    bent = gradients(sum((s * s).sum() for s in slopes), leaves)
    for got, slope in zip(bent, torch.autograd.grad(curved, tensors), strict=True):
        np.testing.assert_allclose(np.asarray(got), slope.numpy(), 1e-7, 1e-7)


def test_the_likelihood_of_a_kalman_filter(backend: str) -> None:
    _agree(lambda *xs: kalman(OURS, *xs), lambda *xs: kalman(THEIRS, *xs), [MOVES, SEES, NOISES])


def test_the_likelihood_of_a_gaussian_process(backend: str) -> None:
    _agree(lambda x: gaussian_process(OURS, x), lambda x: gaussian_process(THEIRS, x), [SCALES])


@pytest.mark.parametrize("rank", [2, 1, 0])
def test_the_gradient_of_a_determinant_of_zero(rank: int, backend: str) -> None:
    a = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 4.0]])
    a[rank:] = 0.0
    x, t = MLArray(a), torch.tensor(a, requires_grad=True)
    det(x).backward()
    torch.linalg.det(t).backward()
    np.testing.assert_allclose(np.asarray(x.grad()), t.grad.numpy(), 1e-9, 1e-9)


def test_the_gradient_of_cholesky_is_symmetric_as_theirs(backend: str) -> None:
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]])
    weights = np.arange(9.0).reshape(3, 3)
    x, t = MLArray(a), torch.tensor(a, requires_grad=True)
    (cholesky(x) * weights).sum().backward()
    (torch.linalg.cholesky(t) * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(np.asarray(x.grad()), t.grad.numpy(), 1e-12)


def test_solve_and_slogdet_of_large_matrices() -> None:
    rng = np.random.default_rng(0)
    _agree(
        lambda x, b: slogdet(x)[1] + solve(x, b).square().sum(),
        lambda x, b: torch.linalg.slogdet(x)[1] + torch.linalg.solve(x, b).square().sum(),
        [rng.normal(size=(30, 30)) + 12.0 * np.eye(30), rng.normal(size=30)],
    )
