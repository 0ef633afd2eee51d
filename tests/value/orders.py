"""Derivatives of any order, by one mode: what tests compare with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smolml_value import grad, jvp

Function = Callable[..., Any]


def slope(f: Function) -> Function:
    """The derivative of f by forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def nth(f: Function, order: int) -> Function:
    """The derivative of this order by reverse mode."""
    for _ in range(order):
        f = grad(f)
    return f


def nth_forward(f: Function, order: int) -> Function:
    """The derivative of this order by forward mode."""
    for _ in range(order):
        f = slope(f)
    return f
