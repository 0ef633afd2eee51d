"""PyTorch's tensors in and out, through DLPack and NumPy's protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from smolml_array import MLArray, from_dlpack, ones


def test_a_tensor_of_it_is_a_copy(backend: str) -> None:
    """PyTorch writes even to memory that is marked as read-only."""
    x = MLArray([[1.0, 2.0], [3.0, 4.0]])
    y = x * x
    for made in (x, y, x.T, x.detach()):
        before = made.to_list()
        tensor = torch.from_dlpack(made)
        assert tensor.tolist() == before
        tensor.fill_(9.0)
        assert made.to_list() == before
    y.backward()
    torch.from_dlpack(x.grad()).fill_(9.0)
    assert x.grad().to_list() == [[2.0, 4.0], [6.0, 8.0]]


def test_a_tensor_changed_after_it_was_given(backend: str) -> None:
    results = []
    for tamper in (False, True):
        x = MLArray([[1.0, 2.0], [3.0, 4.0]])
        weights = torch.tensor([[2.0, 3.0], [4.0, 5.0]], dtype=torch.float64)
        xp: Any = x.__array_namespace__()
        out = x * MLArray(weights) * from_dlpack(weights) * xp.asarray(weights) + x * weights
        if tamper:
            weights.zero_()
        out.backward()
        results.append(x.grad().to_list())
    assert results[0] == results[1]
    assert results[0][0][0] == 2.0**3 + 2.0


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "bool"])
def test_types(backend: str, dtype: str) -> None:
    tensor = torch.ones(2, 3, dtype=getattr(torch, dtype))
    x = from_dlpack(tensor)
    assert np.array_equal(np.asarray(x), tensor.numpy())
    assert x.requires_grad == dtype.startswith("float")
    back = torch.from_dlpack(ones(2, 3, dtype=x.dtype))
    assert str(back.dtype).removeprefix("torch.") == x.dtype.name


def test_gradients_agree_where_tensors_are_the_data(backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    data = torch.rand(4, 3, generator=generator, dtype=torch.float64)
    leaf = torch.rand(3, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    (data @ leaf).tanh().sum().backward()
    w = MLArray(leaf.detach())
    (MLArray(data) @ w).tanh().sum().backward()
    assert leaf.grad is not None
    np.testing.assert_allclose(np.asarray(w.grad()), leaf.grad.numpy(), rtol=1e-12)
