"""Every op beside PyTorch's function, and three ops as plugins write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smolml_value import Op, elementwise, ops
from smolml_value.table import TABLE

Function = Callable[..., Any]

PLUGINS: dict[str, Op] = {
    "swish": elementwise("swish", lambda xp, x: x * ops.sigmoid.on(xp, x)),
    "soft_sign": elementwise(
        "soft_sign",
        lambda xp, x: x / (1.0 + xp.abs(x)),
        (lambda xp, out, x: 1.0 / (1.0 + xp.abs(x)) ** 2,),
    ),
    "scaled": elementwise(
        "scaled",
        lambda xp, x, y, *, by=2.0: by * x * xp.exp(-y * y),
        vjp=lambda xp, g, out, x, y, *, by=2.0: (g * by * xp.exp(-y * y), g * -2.0 * y * out),
    ),
}
"""Without a rule, with partials, and with a vjp."""

OPS: dict[str, Op] = {**{name: ops[name] for name in ops.names()}, **PLUGINS}

PARAMETERS: dict[str, list[dict[str, float]]] = {
    "clip": [{"min": -0.6, "max": 0.9}, {"min": 0.0}],
    "elu": [{"alpha": 1.0}, {"alpha": 1.7}],
    "leaky_relu": [{"alpha": 0.01}, {"alpha": 0.3}],
    "scaled": [{"by": 2.0}, {"by": -0.5}],
}


def _functional(name: str) -> Function:
    return lambda t, x, **params: getattr(t.nn.functional, name)(x, **params)


def _softplus(t: Any, x: Any) -> Any:
    return t.logaddexp(x, t.zeros_like(x))  # softplus itself is cut off at 20


def _elu(t: Any, x: Any, alpha: float = 1.0) -> Any:
    return t.where(x > 0, x, alpha * t.expm1(t.where(x > 0, t.zeros_like(x), x)))


def _soft_sign(t: Any, x: Any) -> Any:
    return x / (1 + x.abs())


def _scaled(t: Any, x: Any, y: Any, by: float = 2.0) -> Any:
    return by * x * t.exp(-y * y)


def _floor_divide(t: Any, x: Any, y: Any) -> Any:
    steps = t.floor_divide(x.detach(), y.detach())  # it has no derivative there; 0, as of floor
    return t.where(steps == steps, steps, x + y)


def _same(name: str) -> Function:
    return lambda t, *xs, **params: getattr(t, name)(*xs, **params)


TWINS: dict[str, Function] = {
    **{name: _same(name) for name in TABLE},
    **{name: _functional(name) for name in ("gelu", "silu", "relu")},
    "elu": _elu,
    "floor_divide": _floor_divide,
    "leaky_relu": lambda t, x, alpha=0.01: t.nn.functional.leaky_relu(x, alpha),
    "softplus": _softplus,
    "where": lambda t, c, x, y: t.where(c != 0, x, y),
    "swish": lambda t, x: x * t.sigmoid(x),
    "soft_sign": _soft_sign,
    "scaled": _scaled,
}
"""The same of PyTorch; it has most names of ours."""
