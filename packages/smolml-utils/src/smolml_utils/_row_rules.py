"""The array rules of what relates whole rows: softmax, its logarithm, normalisation.

As in smolml_array's rules: `g` is the cotangent of the result `out`, no buffer is written to. The
derivatives are written in terms of `out`, so the steps between are not kept. That of softmax and
that of normalisation are symmetric matrices: tangents go through them as cotangents do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array.extending import Axis, Raw, Rule

Tangents = Sequence[Raw]


def _shifted(xp: Any, x: Raw, axis: Axis) -> Raw:
    return x - xp.max(x, axis=axis, keepdims=True)  # a shift that does not show: no exp overflows


def _softmax(xp: Any, x: Raw, *, axis: Axis) -> Raw:
    powers = xp.exp(_shifted(xp, x, axis))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


def _softmax_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis) -> Raw:
    """p (g - sum(p g))."""
    part = out * g
    return part - out * xp.sum(part, axis=axis, keepdims=True)


SOFTMAX = Rule(
    "softmax",
    _softmax,
    _softmax_vjp,
    jvp=lambda xp, tangents, out, x, *, axis: _softmax_vjp(xp, tangents[0], out, x, axis=axis),
    not_saved=(0,),
)


def _log_softmax(xp: Any, x: Raw, *, axis: Axis) -> Raw:
    shifted = _shifted(xp, x, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _log_softmax_jvp(xp: Any, tangents: Tangents, out: Raw, x: Raw, *, axis: Axis) -> Raw:
    (t,) = tangents
    return t - xp.sum(xp.exp(out) * t, axis=axis, keepdims=True)


LOG_SOFTMAX = Rule(
    "log_softmax",
    _log_softmax,
    lambda xp, g, out, x, *, axis: g - xp.exp(out) * xp.sum(g, axis=axis, keepdims=True),
    jvp=_log_softmax_jvp,
    not_saved=(0,),
)


def _normalized(xp: Any, x: Raw, *, axis: Axis, epsilon: float) -> Raw:
    centered = x - xp.mean(x, axis=axis, keepdims=True)
    variance = xp.mean(centered * centered, axis=axis, keepdims=True)
    return centered / xp.sqrt(variance + epsilon)


def _normalized_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis, epsilon: float) -> Raw:
    """(g - mean(g) - out mean(out g)) / sqrt(var(x) + epsilon)."""
    scale = xp.sqrt(xp.var(x, axis=axis, keepdims=True) + epsilon)
    along = xp.mean(out * g, axis=axis, keepdims=True)
    return (g - xp.mean(g, axis=axis, keepdims=True) - out * along) / scale


LAYER_NORM = Rule(
    "layer_norm",
    _normalized,
    _normalized_vjp,
    jvp=lambda xp, tangents, out, x, *, axis, epsilon: _normalized_vjp(
        xp, tangents[0], out, x, axis=axis, epsilon=epsilon
    ),
)
