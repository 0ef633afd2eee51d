"""Gradient clipping: gradients held in bounds before a step."""

from __future__ import annotations

import math
from typing import Any

from smolml_array import MLArray
from smolml_utils._operands import not_negative
from smolml_utils._parameters import Parameters, listed
from smolml_value import Value, table

__all__ = ["clip_grad_norm", "clip_grad_value"]


def _gradients(who: str, params: Parameters) -> list[tuple[str, Any, Any]]:
    """Names, parameters and gradients, without constants."""
    pairs = listed(who, params).items()
    values = [(name, p, p.grad) for name, p in pairs if isinstance(p, Value)]
    arrays = [(n, p, p.grad()) for n, p in pairs if isinstance(p, MLArray) and p.requires_grad]
    return [*values, *arrays]


def _norm(g: MLArray | float) -> float:
    """The root of the sum of squares, divided by the largest: no square overflows."""
    if not isinstance(g, MLArray):
        return abs(g)
    top = float(abs(g).max().item()) if g.size() else 0.0
    return top * float((g / top).norm().item()) if 0.0 < top < math.inf else top


def clip_grad_norm(params: Parameters, max_norm: float) -> float:
    """Scale all gradients alike so that their norm, taken over all of them, is at most max_norm.

    $g <- g max_norm / (norm + 1e-6)$ where that makes them smaller, as PyTorch does it; the result
    is the norm before. Source: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.

    Args:
        params: a list of parameters, or dicts and lists of them, nested.
        max_norm: the bound, at least 0; with inf nothing is changed, and the norm told.

    Raises:
        TypeError, ValueError: parameters that are none, as for `Optimizer.step`.
        ValueError: a negative bound; a gradient that holds nan or inf, and which: scaled it would
            spoil every parameter. No gradient has changed then.

    >>> w = MLArray([3.0, 4.0])
    >>> (0.5 * w * w).sum().backward()
    >>> clip_grad_norm([w], max_norm=1.0)
    5.0
    >>> w.grad()
    MLArray([0.6, 0.8], requires_grad=False)
    """
    bound = max_norm if max_norm == math.inf else not_negative("clip_grad_norm: max_norm", max_norm)
    found = _gradients("clip_grad_norm", params)
    norms = [_norm(g) for _, _, g in found]
    for (name, _, _), norm in zip(found, norms, strict=True):
        if not norm < math.inf:
            wrong = f"the gradient of parameter {name} holds nan or inf"
            raise ValueError(f"clip_grad_norm: {wrong}; detect_anomaly() finds where it comes from")
    total = math.hypot(*norms)
    scale = bound / (total + 1e-6)
    if scale < 1.0:
        for _, p, g in found:
            p.set_grad(g * scale)
    return total


def clip_grad_value(params: Parameters, clip_value: float) -> None:
    """Hold every number of every gradient in [-clip_value, clip_value]; nan stays nan.

    Args:
        params: a list of parameters, or dicts and lists of them, nested.
        clip_value: the bound, at least 0.

    Raises:
        TypeError, ValueError: parameters that are none, as for `Optimizer.step`.
        ValueError: a bound that is negative, infinite or nan.

    >>> w = MLArray([3.0, -0.25])
    >>> (w * w).sum().backward()
    >>> clip_grad_value([w], 1.0)
    >>> w.grad().to_list()
    [1.0, -0.5]
    """
    bound = not_negative("clip_grad_value: clip_value", clip_value)
    for _, p, g in _gradients("clip_grad_value", params):
        p.set_grad(table.clip(g, -bound, bound))
