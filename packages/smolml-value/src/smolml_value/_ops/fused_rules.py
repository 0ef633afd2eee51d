"""What made a fused node, and its rules for derivatives of higher order; never compiled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any, Final

from smolml_value.op import Op, elementwise

PARTIALS: Final[dict[Op, Callable[..., Sequence[Any]]]] = {}
"""Per fused op the partials to all its operands: `partials(xp, out, *operands)`."""


def _fused(name: str, forward: Callable[..., Any], partials: Callable[..., Sequence[Any]]) -> Op:
    op = elementwise(
        name, forward, vjp=lambda xp, g, out, *xs: tuple(g * p for p in partials(xp, out, *xs))
    )
    PARTIALS[op] = partials
    return op


def _sum(xs: Iterable[Any]) -> Any:
    return reduce(add, xs, 0.0)  # not sum(), which compensates for the rounding of floats


def _shares(xp: Any, out: Any, *xs: Any) -> Sequence[Any]:
    """exp(x - out): the softmax. Several inf share alike; of nothing but -inf nobody gets any."""
    ties = _sum(xp.where(x == math.inf, 1.0, 0.0) for x in xs)
    infinite = xp.where(out == math.inf, xp.divide(1.0, ties), 0.0)
    return [xp.where((x == out) & (x - out != 0.0), infinite, xp.exp(x - out)) for x in xs]


FSUM: Final[Op] = _fused("fsum", lambda xp, *xs: _sum(xs), lambda xp, out, *xs: (1.0,) * len(xs))
MEAN: Final[Op] = _fused(
    "mean",
    lambda xp, *xs: _sum(xs) / len(xs),
    lambda xp, out, *xs: (1.0 / len(xs),) * len(xs),
)
# its operands come in pairs
DOT: Final[Op] = _fused(
    "dot",
    lambda xp, *xs: _sum(x * y for x, y in zip(xs[0::2], xs[1::2], strict=True)),
    lambda xp, out, *xs: [xs[i ^ 1] for i in range(len(xs))],
)
LOGSUMEXP: Final[Op] = _fused(
    "logsumexp",
    lambda xp, *xs: xp.log(_sum(xp.exp(x) for x in xs)),
    _shares,
)
