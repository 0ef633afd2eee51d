"""The rule of vector norms."""

from __future__ import annotations

from typing import Any

from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Axis, normalize_axes, reduced_shape
from smolml_array.backends.protocol import Raw


def _norm(xp: Any, x: Raw, *, ord: float, axis: Axis, keepdims: bool) -> Raw:
    """(sum |x|**ord)**(1 / ord)."""
    if ord == 2.0:
        return xp.sqrt(xp.sum(xp.multiply(x, x), axis=axis, keepdims=keepdims))
    powers = xp.sum(xp.pow(xp.abs(x), ord), axis=axis, keepdims=keepdims)
    return xp.pow(powers, 1.0 / ord)


def _norm_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, ord: float, axis: Axis, keepdims: bool) -> Raw:
    """g sign(x) (|x| / out)**(ord - 1); 0 where the norm or the element is 0."""
    shape = reduced_shape(x.shape, normalize_axes(axis, len(x.shape), "norm"), keepdims=True)
    zero = out == 0
    safe = xp.where(zero, xp.ones_like(out), out)
    g = xp.where(zero, xp.zeros_like(g), g)
    if ord == 2.0:
        return xp.multiply(x, xp.reshape(xp.divide(g, safe), shape))
    nothing = x == 0  # where ord < 1 the slope is infinite on both sides
    one = xp.ones_like(x)
    ratio = xp.divide(xp.where(nothing, one, xp.abs(x)), xp.reshape(safe, shape))
    slope = xp.multiply(xp.sign(x), xp.pow(xp.where(nothing, one, ratio), ord - 1.0))
    return xp.multiply(slope, xp.reshape(g, shape))


VECTOR_NORM = Rule("vector_norm", _norm, _norm_vjp, jvp="reduction")
