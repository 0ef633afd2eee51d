"""The logistic function, its logarithm and its inverse, softsign, and x log(y)."""

from __future__ import annotations

from typing import Any, Final

from scipy import special

from smolml_value import Op, elementwise, scalar_elementwise

expit: Final[Op] = scalar_elementwise(
    "expit",
    special.expit,
    # 1 - expit(x) is expit(-x), and does not cancel
    elementwise("expit_slope", lambda xp, x: expit.on(xp, x) * expit.on(xp, -x)),
    domain=[(-5.0, 5.0)],
    doc="1 / (1 + exp(-x))",
)
log_expit: Final[Op] = scalar_elementwise(
    "log_expit",
    special.log_expit,
    elementwise("log_expit_slope", lambda xp, x: expit.on(xp, -x)),
    domain=[(-5.0, 5.0)],
    doc="log(expit(x)) without underflow",
)
logit: Final[Op] = scalar_elementwise(
    "logit",
    special.logit,
    elementwise("logit_slope", lambda xp, p: 1.0 / (p * (1.0 - p))),
    domain=[(0.05, 0.95)],
    doc="log(p / (1 - p)), the inverse of expit; nan outside [0, 1]",
)


def _softsign(xp: Any, x: Any) -> Any:
    # the second form far out, where the first would be inf / inf
    size = xp.abs(x)
    return xp.where(size < 1, x / (1 + size), xp.sign(x) / (1 + 1 / size))


softsign: Final[Op] = elementwise(
    "softsign",
    _softsign,
    [lambda xp, out, x: 1 / (1 + xp.abs(x)) ** 2],
    domain=[(-5.0, 5.0)],
    doc="x / (1 + |x|) (Bergstra et al. 2009); its derivative has a kink at 0",
)
xlogy: Final[Op] = scalar_elementwise(
    "xlogy",
    special.xlogy,
    [
        elementwise("xlogy_x", lambda xp, x, y: xp.log(y) + 0 * x),
        elementwise("xlogy_y", lambda xp, x, y: x / y),
    ],
    domain=[(0.0, 3.0), (0.1, 4.0)],
    doc="x log(y), and 0 where x is 0, whatever y is: the terms of an entropy",
)
