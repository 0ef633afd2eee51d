"""The array rules of what relates whole rows: softmax, its logarithm, normalisation, losses.

As in smolml_array's rules: `g` is the cotangent of the result `out`, no buffer is written to. The
derivatives of softmax and of normalisation are written in terms of `out`, so the steps between are
not kept; they are symmetric matrices: tangents go through them as cotangents do. The losses are
reductions, and their vjps are g, put back along the axis, times weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from smolml_array.extending import Axis, Raw, Rule, Vjp
from smolml_value.extending import TracedNamespace


def _symmetric(vjp: Vjp) -> Callable[..., Raw]:
    """How tangents go through a symmetric matrix."""
    return lambda xp, tangents, out, x, **params: vjp(xp, tangents[0], out, x, **params)


# softmax and its logarithm ---------------------------------------------------------------------


def _shifted(xp: Any, x: Raw, axis: Axis) -> Raw:
    """x less its maximum, a shift that does not show: no exp overflows. -inf stays -inf."""
    top = xp.max(x, axis=axis, keepdims=True)
    return x - xp.where(top == -math.inf, 0.0, top)


def _total(xp: Any, powers: Raw, axis: Axis) -> Raw:
    """The sum of the powers; 1 where all are 0, those of -inf: each has a share of 0 there."""
    total = xp.sum(powers, axis=axis, keepdims=True)
    return xp.where(total == 0.0, 1.0, total)


def _softmax(xp: Any, x: Raw, *, axis: Axis) -> Raw:
    powers = xp.exp(_shifted(xp, x, axis))
    return powers / _total(xp, powers, axis)


def _softmax_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis) -> Raw:
    """p (g - sum(p g))."""
    part = xp.cotangent_product(g, out)
    return part - xp.cotangent_product(xp.sum(part, axis=axis, keepdims=True), out)


SOFTMAX = Rule("softmax", _softmax, _softmax_vjp, jvp=_symmetric(_softmax_vjp), not_saved=(0,))


def _log_softmax(xp: Any, x: Raw, *, axis: Axis) -> Raw:
    shifted = _shifted(xp, x, axis)
    return shifted - xp.log(_total(xp, xp.exp(shifted), axis))


def _log_softmax_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, axis: Axis) -> Raw:
    return g - xp.cotangent_product(xp.sum(g, axis=axis, keepdims=True), xp.exp(out))


def _log_softmax_jvp(xp: Any, tangents: Sequence[Raw], out: Raw, x: Raw, *, axis: Axis) -> Raw:
    (t,) = tangents
    return t - xp.sum(xp.cotangent_product(t, xp.exp(out)), axis=axis, keepdims=True)


LOG_SOFTMAX = Rule(
    "log_softmax", _log_softmax, _log_softmax_vjp, jvp=_log_softmax_jvp, not_saved=(0,)
)

# Normalisation ---------------------------------------------------------------------------------


def _average(xp: Any, x: Raw, axis: tuple[int, ...]) -> Raw:
    """The mean, but without its look for equal numbers."""
    return xp.sum(x, axis=axis, keepdims=True) / math.prod(x.shape[a] for a in axis)


def _normalized(xp: Any, x: Raw, *, axis: tuple[int, ...], epsilon: float) -> Raw:
    centered = x - xp.mean(x, axis=axis, keepdims=True)
    return centered / xp.sqrt(_average(xp, centered * centered, axis) + epsilon)


def _normalized_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, axis: tuple[int, ...], epsilon: float
) -> Raw:
    """(g - mean(g) - out mean(out g)) / sqrt(var(x) + epsilon)."""
    scale = xp.sqrt(xp.var(x, axis=axis, keepdims=True) + epsilon)
    along = _average(xp, xp.cotangent_product(g, out), axis)
    centered = g - _average(xp, g, axis) - xp.cotangent_product(along, out)
    return xp.cotangent_product(centered, 1.0 / scale)


LAYER_NORM = Rule("layer_norm", _normalized, _normalized_vjp, jvp=_symmetric(_normalized_vjp))

# The negative log-likelihood of log-probabilities and targets: -sum(t log p) -------------------


def _weighted(xp: Any, g: Raw, weights: Raw, axis: int) -> Raw:
    """g, with the axis that was summed put back, times the weights, which may be inf."""
    shape = weights.shape
    spread = xp.reshape(g, (*shape[:axis], 1, *shape[axis + 1 :]))
    return xp.cotangent_product(spread, weights)


def _nll(xp: Any, log_p: Raw, t: Raw, *, axis: int, keepdims: bool = False) -> Raw:
    # where t is 0, t log p counts as its limit 0, also for log p = -inf
    return 0.0 - xp.sum(xp.where(t == 0, 0.0, t * log_p), axis=axis, keepdims=keepdims)


NLL = Rule(
    "nll",
    _nll,
    lambda xp, g, out, log_p, t, *, axis, keepdims: _weighted(xp, g, -t, axis),
    lambda xp, g, out, log_p, t, *, axis, keepdims: _weighted(xp, g, -log_p, axis),
    jvp="reduction",
)

# The cross-entropy of logits and targets: -sum(t log softmax(x)) -------------------------------


def _cross_entropy(xp: Any, x: Raw, t: Raw, *, axis: int, keepdims: bool = False) -> Raw:
    return _nll(xp, _log_softmax(xp, x, axis=axis), t, axis=axis, keepdims=keepdims)


def _cross_entropy_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, t: Raw, *, axis: int, keepdims: bool
) -> Raw:
    """g (softmax(x) sum(t) - t)."""
    powers = xp.exp(_shifted(xp, x, axis))
    scale = xp.sum(t, axis=axis, keepdims=True) / _total(xp, powers, axis)
    return _weighted(xp, g, powers * scale - t, axis)


CROSS_ENTROPY = Rule(
    "cross_entropy",
    _cross_entropy,
    _cross_entropy_vjp,
    lambda xp, g, out, x, t, *, axis, keepdims: _weighted(
        xp, g, -_log_softmax(xp, x, axis=axis), axis
    ),
    jvp="reduction",
)

# The squared error of predictions and targets, all of it summed or averaged --------------------


def _squares(xp: Any, p: Raw, t: Raw) -> Raw:
    d = p - t
    return xp.multiply(d, d)


def _squared_error(name: str, reduce: str, slope: Callable[[int], float]) -> Rule:
    """The rule of a loss whose slope is `slope(n)` (p - t), g a scalar."""

    def to_predictions(xp: Any, g: Raw, out: Raw, p: Raw, t: Raw) -> Raw:
        scale = g * slope(math.prod(p.shape))
        if not isinstance(xp, TracedNamespace) and scale - scale == 0.0 and scale != 0.0:
            return (p - t) * scale  # finite, without a call
        return xp.cotangent_product(xp.broadcast_to(scale, p.shape), p - t)  # no 0 x inf

    return Rule(
        name,
        lambda xp, p, t: getattr(xp, reduce)(_squares(xp, p, t)),
        to_predictions,
        lambda xp, g, out, p, t: -to_predictions(xp, g, out, p, t),
        jvp="reduction",
    )


SUM_OF_SQUARES = _squared_error("sum_of_squares", "sum", lambda n: 2.0)
MEAN_OF_SQUARES = _squared_error("mean_of_squares", "mean", lambda n: 2.0 / n if n else 0.0)
