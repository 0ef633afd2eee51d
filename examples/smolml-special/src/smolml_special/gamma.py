"""The gamma function's logarithm and its derivatives, and the beta function (DLMF, chapter 5)."""

from __future__ import annotations

import math
from typing import Any, Final

from scipy import special

from smolml_value import Op, elementwise, scalar_elementwise


def _zeta(s: float, q: float) -> float:
    return float(special.zeta(s, q))


def _polygamma(xp: Any, x: Any, *, n: int = 1) -> Any:
    # DLMF 25.11.12: a Hurwitz zeta function. SciPy's is no universal function, so it is mapped
    # over arrays of every kind element by element.
    return xp.map_scalar(_zeta, n + 1.0, x) * ((-1.0) ** (n + 1) * math.factorial(n))


polygamma: Final[Op] = elementwise(
    "polygamma",
    _polygamma,
    [lambda xp, out, x, *, n=1: polygamma.bind(n=n + 1).on(xp, x)],
    domain=[(0.3, 5.0)],
    doc="The n-th derivative of digamma, for n of 1 or more; 1 by default, the trigamma function",
)
digamma: Final[Op] = scalar_elementwise(
    "digamma",
    special.psi,
    polygamma,
    domain=[(0.3, 5.0)],
    doc="The logarithmic derivative of the gamma function",
)
gammaln: Final[Op] = scalar_elementwise(
    "gammaln",
    special.gammaln,
    digamma,
    domain=[(0.3, 5.0)],
    doc="log(|gamma(x)|), the logarithm of (x - 1)!",
)
betaln: Final[Op] = scalar_elementwise(
    "betaln",
    special.betaln,
    [
        elementwise("betaln_a", lambda xp, a, b: digamma.on(xp, a) - digamma.on(xp, a + b)),
        elementwise("betaln_b", lambda xp, a, b: digamma.on(xp, b) - digamma.on(xp, a + b)),
    ],
    domain=[(0.3, 5.0), (0.3, 5.0)],
    doc="log(|beta(a, b)|), gammaln(a) + gammaln(b) - gammaln(a + b) without the cancellation",
)
