"""Modified Bessel functions of the first kind (DLMF, chapter 10)."""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from scipy import special

from smolml_value import Op, elementwise, scalar_elementwise


@wraps(special.iv)  # by which NumPy's backend knows that it can be run on whole arrays
def _bessel(n: float, x: float) -> float:
    return float(special.iv(n, x))


def _iv_slope(xp: Any, out: Any, x: Any, *, n: int = 1) -> Any:
    # DLMF 10.29.1, with I(-1) = I(1); no division by x, so it holds at 0 too
    below, above = iv.bind(n=abs(n - 1)), iv.bind(n=n + 1)
    return 0.5 * (below.on(xp, x) + above.on(xp, x))


iv: Final[Op] = elementwise(
    "iv",
    lambda xp, x, *, n=1: xp.map_scalar(_bessel, float(n), x),
    [_iv_slope],
    domain=[(-4.0, 4.0)],
    doc="The modified Bessel function of the first kind, of the whole order n",
)
i1: Final[Op] = scalar_elementwise(
    "i1",
    special.i1,
    elementwise("i1_slope", lambda xp, x: 0.5 * (i0.on(xp, x) + iv.bind(n=2).on(xp, x))),
    domain=[(-4.0, 4.0)],
    doc="The modified Bessel function of the first kind, of order 1",
)
i0: Final[Op] = scalar_elementwise(
    "i0",
    special.i0,
    i1,
    domain=[(-4.0, 4.0)],
    doc="The modified Bessel function of the first kind, of order 0",
)
