"""What made a fused node, and its rule for derivatives of higher order; never compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from smolml_value.op import Op, elementwise


def _halves(xs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    return xs[: len(xs) // 2], xs[len(xs) // 2 :]


def _sum(xs: Iterable[Any]) -> Any:
    total: Any = 0.0
    for x in xs:
        total = total + x
    return total


def _dot_vjp(xp: Any, g: Any, out: Any, *xs: Any) -> tuple[Any, ...]:
    left, right = _halves(xs)
    return (*(g * y for y in right), *(g * x for x in left))


FSUM: Final[Op] = elementwise(
    "fsum", lambda xp, *xs: _sum(xs), vjp=lambda xp, g, out, *xs: (g,) * len(xs)
)
MEAN: Final[Op] = elementwise(
    "mean",
    lambda xp, *xs: _sum(xs) / len(xs),
    vjp=lambda xp, g, out, *xs: (g * (1.0 / len(xs)),) * len(xs),
)
DOT: Final[Op] = elementwise(
    "dot", lambda xp, *xs: _sum(x * y for x, y in zip(*_halves(xs), strict=True)), vjp=_dot_vjp
)
LOGSUMEXP: Final[Op] = elementwise(
    "logsumexp",
    lambda xp, *xs: xp.log(_sum(xp.exp(x) for x in xs)),
    vjp=lambda xp, g, out, *xs: tuple(g * xp.exp(x - out) for x in xs),
)
