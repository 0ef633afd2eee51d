"""vmap beside torch.func: gradients, jacobians and hessians of each example by themselves."""
# ruff: noqa: E731  # a formula reads best as a lambda

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from smolml_array import MLArray, vmap
from smolml_value import grad, hessian, jacobian
from tests.array.numeric import array, assert_same

ARRAYS = [array((5, 4), "u"), array((4,), "b"), array((4, 2), "v"), array((6, 5), "x")]


def hidden(u: Any, b: Any, x: Any) -> Any:
    return (x @ u + b).tanh()


def loss(u: Any, b: Any, v: Any, x: Any) -> Any:
    y = hidden(u, b, x) @ v
    return (y * y).sum() + (y[0] * y[1]).exp()


PAIRS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "grad": (lambda f: grad(f, (0, 1, 2, 3)), lambda f: torch.func.grad(f, (0, 1, 2, 3))),
    "jacobian": (
        lambda f: jacobian(lambda u, b, v, x: hidden(u, b, x), 3),
        lambda f: torch.func.jacrev(lambda u, b, v, x: hidden(u, b, x), 3),
    ),
    "hessian": (lambda f: hessian(f, 2), lambda f: torch.func.jacrev(torch.func.grad(f, 2), 2)),
    "of a grad": (
        lambda f: grad(lambda *a: (grad(f)(*a) ** 2).sum(), 3),
        lambda f: torch.func.grad(lambda *a: (torch.func.grad(f)(*a) ** 2).sum(), 3),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_each_example(name: str, backend: str) -> None:
    ours, theirs = PAIRS[name]
    axes = (None, None, None, 0)
    got = vmap(ours(loss), axes)(*map(MLArray, ARRAYS))
    wanted = torch.func.vmap(theirs(loss), axes)(*map(torch.tensor, ARRAYS))
    pairs = zip(got, wanted, strict=True) if isinstance(got, tuple) else [(got, wanted)]
    for y, want in pairs:
        assert_same(y, want.numpy(), 1e-12, 1e-12)


@pytest.mark.parametrize("out", [0, 1])
def test_axes(out: int, backend: str) -> None:
    x, y = array((3, 4, 2)), array((2, 4), "y")
    f = lambda x, y: x * y.sum() + x.sum(axis=0)
    got = vmap(vmap(f, (1, None), out), (2, 0))(MLArray(x), MLArray(y))
    tensors = torch.tensor(x), torch.tensor(y)
    wanted = torch.func.vmap(torch.func.vmap(f, (1, None), out), (2, 0))(*tensors)
    assert_same(got, np.asarray(wanted), 1e-12, 1e-12)
