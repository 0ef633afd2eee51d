"""What made a fused node, and its rule for derivatives of higher order; never compiled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from smolml_value.op import Op, elementwise


def _sum(xs: Iterable[Any]) -> Any:
    total: Any = 0.0
    for x in xs:
        total = total + x
    return total


FSUM: Final[Op] = elementwise(
    "fsum", lambda xp, *xs: _sum(xs), vjp=lambda xp, g, out, *xs: (g,) * len(xs)
)
MEAN: Final[Op] = elementwise(
    "mean",
    lambda xp, *xs: _sum(xs) / len(xs),
    vjp=lambda xp, g, out, *xs: (g * (1.0 / len(xs)),) * len(xs),
)
DOT: Final[Op] = elementwise(  # of pairs: x_1, y_1, x_2, y_2, ...
    "dot",
    lambda xp, *xs: _sum(x * y for x, y in zip(xs[0::2], xs[1::2], strict=True)),
    vjp=lambda xp, g, out, *xs: tuple(g * xs[i ^ 1] for i in range(len(xs))),
)
LOGSUMEXP: Final[Op] = elementwise(
    "logsumexp",
    lambda xp, *xs: xp.log(_sum(xp.exp(x) for x in xs)),
    vjp=lambda xp, g, out, *xs: tuple(g * xp.exp(x - out) for x in xs),
)
