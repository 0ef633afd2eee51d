"""The element-wise ops behind the losses: one definition for floats, Values and MLArrays.

Each is one node of the graph. Where a formula would lose digits, or make nan of 0 x inf, another
one stands in.
"""

from __future__ import annotations

import math
from typing import Any, Final

from smolml_value import elementwise, table

LOG_2: Final = math.log(2.0)


def _log_cosh(xp: Any, d: Any) -> Any:
    a = xp.abs(d)
    near = xp.log1p(2.0 * xp.square(xp.sinh(0.5 * a)))  # cosh d - 1 = 2 sinh(d / 2)**2
    far = (a - LOG_2) + xp.log1p(xp.exp(-2.0 * a))
    return xp.where(a < 1.0, near, far)


def _huber(xp: Any, d: Any, *, delta: float = 1.0) -> Any:
    a = xp.abs(d)
    return xp.where(a <= delta, 0.5 * d * d, delta * (a - 0.5 * delta))


# As PyTorch has it: where a probability is 0, its logarithm counts as this, and as a factor of the
# gradient it counts as at least that.
LEAST_LOG: Final = -100.0
LEAST_FACTOR: Final = 1e-12


def _log(xp: Any, p: Any) -> Any:
    return xp.maximum(xp.log(p), LEAST_LOG)


def _log_of_rest(xp: Any, p: Any) -> Any:
    return xp.maximum(xp.log1p(-p), LEAST_LOG)


def _bce(xp: Any, p: Any, t: Any) -> Any:
    return t * -_log(xp, p) + (1.0 - t) * -_log_of_rest(xp, p)


def _bce_partial(xp: Any, out: Any, p: Any, t: Any) -> Any:
    return (p - t) / xp.maximum(p * (1.0 - p), LEAST_FACTOR)


def _bce_with_logits(xp: Any, x: Any, t: Any) -> Any:
    # (1 - t) softplus(x) + t softplus(-x), with softplus(x) = max(x, 0) + log1p(exp(-|x|))
    no = xp.where(t == 1, 0.0, (1.0 - t) * xp.maximum(x, 0.0))
    yes = xp.where(t == 0, 0.0, t * xp.maximum(-x, 0.0))
    return yes + no + xp.log1p(xp.exp(-xp.abs(x)))


def _bce_with_logits_partial(xp: Any, out: Any, x: Any, t: Any) -> Any:
    # sigmoid(x) - t, without the difference that loses all digits at a saturated sigmoid
    return (1.0 - t) * table.sigmoid.on(xp, x) - t * table.sigmoid.on(xp, -x)


log_cosh: Final = elementwise(
    "log_cosh",
    _log_cosh,
    (lambda xp, out, d: xp.tanh(d),),
    doc="log(cosh(d)), to full precision near 0 and without overflow",
)
huber: Final = elementwise(
    "huber",
    _huber,
    (lambda xp, out, d, *, delta=1.0: xp.clip(d, -delta, delta),),
    doc="d**2 / 2 for |d| <= delta, else delta (|d| - delta / 2)",
)
log_odds: Final = elementwise(
    "log_odds",
    lambda xp, p: _log(xp, p) - _log_of_rest(xp, p),
    # as bent as the slope of bce, so that its second derivatives are the same in either order
    (lambda xp, out, p: 1.0 / xp.maximum(p * (1.0 - p), LEAST_FACTOR),),
    domain=((0.05, 0.95),),
    doc="log(p / (1 - p)), each logarithm at least -100",
)
bce: Final = elementwise(
    "bce",
    _bce,
    (_bce_partial, lambda xp, out, p, t: -log_odds.on(xp, p)),
    domain=((0.05, 0.95), (0.05, 0.95)),
    doc="-t log p - (1 - t) log(1 - p), each logarithm at least -100",
)
log_probability: Final = elementwise(
    "log_probability",
    _log,
    (lambda xp, out, p: 1.0 / xp.maximum(p, LEAST_FACTOR),),
    domain=((0.05, 1.0),),
    doc="log(p), at least -100",
)
bce_logits: Final = elementwise(
    "bce_with_logits",
    _bce_with_logits,
    (_bce_with_logits_partial, lambda xp, out, x, t: -x),
    domain=((-4.0, 4.0), (0.05, 0.95)),
    doc="-t log sigmoid(x) - (1 - t) log sigmoid(-x)",
)
