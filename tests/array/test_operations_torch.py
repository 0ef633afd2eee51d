"""The array functions of the table and a convolution against PyTorch in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from smolml_array import MLArray, einsum, pad, sliding_windows
from tests.array.numeric import array, assert_same, cotangent
from tests.array.operations import ROWS, Row

TORCH = {name: row for name, row in ROWS.items() if row.torch is not None}


@pytest.mark.parametrize("row", TORCH.values(), ids=TORCH)
def test_numbers_and_gradients(row: Row, backend: str) -> None:
    arrays = [array(shape, i) for i, shape in enumerate(row.shapes)]
    xs = [MLArray(a) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    assert row.torch is not None
    out, expected = row.ours(*xs), row.torch(torch, *ts)
    assert_same(out, expected.detach().numpy())
    weights = cotangent(out.shape)
    (out * weights).backward()
    (expected * torch.tensor(weights)).sum().backward()
    for x, t in zip(xs, ts, strict=True):
        assert_same(x.grad(), t.grad.numpy())


def test_gradients_at_zeros(backend: str) -> None:
    numbers = [[1.5, 0.0, -2.0, 0.5], [0.0, 0.0, 3.0, 1.0], [2.0, -1.0, 0.5, 0.0]]
    pairs: list[tuple[Any, Any]] = [
        (lambda x: x.cumulative_prod(axis=1), lambda t: t.cumprod(1)),
        (lambda x: x.cumulative_prod(axis=0), lambda t: t.cumprod(0)),
        (lambda x: (x * 0.0).vector_norm() + x.sum(), lambda t: (t * 0.0).norm() + t.sum()),
        (lambda x: x.vector_norm(axis=1, ord=3), lambda t: torch.linalg.vector_norm(t, 3, 1)),
    ]
    for ours, theirs in pairs:
        x, t = MLArray(numbers), torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        out, expected = ours(x), theirs(t)
        assert_same(out, expected.detach().numpy())
        weights = cotangent(out.shape)
        (out * weights).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        assert t.grad is not None
        assert_same(x.grad(), t.grad.numpy())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_convolution(padding: int, stride: int, backend: str) -> None:
    def convolution(x: Any, w: Any) -> MLArray:
        x = pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = sliding_windows(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
        return einsum("nchwij,ocij->nohw", windows, w)

    a, b = array((2, 3, 6, 5), "x"), array((4, 3, 3, 2), "w")
    x, w = MLArray(a), MLArray(b)
    s, t = (torch.tensor(v, requires_grad=True) for v in (a, b))
    out = convolution(x, w)
    expected: Any = torch.nn.functional.conv2d(s, t, stride=stride, padding=padding)
    assert_same(out, expected.detach().numpy(), 1e-12, 1e-12)
    (out.tanh() ** 2).sum().backward()
    (expected.tanh() ** 2).sum().backward()
    for ours, theirs in ((x, s), (w, t)):
        assert theirs.grad is not None
        assert_same(ours.grad(), np.asarray(theirs.grad), 1e-11, 1e-12)
