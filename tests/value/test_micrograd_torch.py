"""micrograd's tests of its engine, run with our Value, beside PyTorch's numbers and its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import Value

Program = Callable[..., tuple[Any, ...]]


def sanity_check(x: Any) -> tuple[Any, ...]:
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x, x


def more_ops(a: Any, b: Any) -> tuple[Any, ...]:
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    return g + 10.0 / f, a, b


def more_ops_in_place(a: Any, b: Any) -> tuple[Any, ...]:
    """As it is written there, which PyTorch's leaves would not allow."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g, a, b


CASES = {
    sanity_check: ((-4.0,), (-20.0, 46.0)),
    more_ops: ((-4.0, 2.0), (24.70408163265306, 138.83381924198252, 645.5772594752187)),
    more_ops_in_place: ((-4.0, 2.0), (24.70408163265306, 138.83381924198252, 645.5772594752187)),
}
"""The leaves, and the result and its slopes as its page and its tests have them."""


def numbers(program: Program, leaves: list[Any]) -> list[float]:
    result, *leaves = program(*leaves)
    result.backward()
    return [float(result.data), *(float(leaf.grad) for leaf in leaves)]


@pytest.mark.parametrize("program", CASES)
def test_the_numbers_that_it_publishes(program: Program) -> None:
    leaves, expected = CASES[program]
    assert numbers(program, [Value(x) for x in leaves]) == pytest.approx(list(expected), rel=1e-14)


@pytest.mark.parametrize("program", CASES)
def test_beside_micrograd(program: Program) -> None:
    engine = pytest.importorskip("micrograd.engine")
    leaves, _ = CASES[program]
    expected = numbers(program, [engine.Value(x) for x in leaves])
    assert numbers(program, [Value(x) for x in leaves]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("program", [sanity_check, more_ops])
def test_beside_pytorch(program: Program) -> None:
    torch = pytest.importorskip("torch")
    leaves, _ = CASES[program]
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    expected = numbers(program, tensors)
    assert numbers(program, [Value(x) for x in leaves]) == pytest.approx(expected, rel=1e-14)
