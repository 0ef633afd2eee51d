"""The error function and the normal distribution (DLMF, chapter 7)."""

from __future__ import annotations

import math
from typing import Final

from scipy import special

from smolml_value import Op, elementwise, scalar_elementwise
from smolml_value.table import erf

__all__ = ["erf", "erfc", "erfinv", "log_ndtr", "ndtr"]

# Each derivative is an op itself, so it has a derivative too, and so on: every order is there.
_erfc_slope = elementwise("erfc_slope", lambda xp, x: (-2.0 / math.sqrt(math.pi)) * xp.exp(-x * x))
_erfinv_slope = elementwise(
    "erfinv_slope", lambda xp, x: (0.5 * math.sqrt(math.pi)) * xp.exp(erfinv.on(xp, x) ** 2)
)
_normal = elementwise(
    "normal", lambda xp, x: xp.exp(-0.5 * x * x) * (1.0 / math.sqrt(2.0 * math.pi))
)
_log_ndtr_slope = elementwise(
    "log_ndtr_slope",
    # in one exponential: far to the left both factors of normal(x) / ndtr(x) are 0
    lambda xp, x: xp.exp(-0.5 * x * x - log_ndtr.on(xp, x)) * (1.0 / math.sqrt(2.0 * math.pi)),
)

erfc: Final[Op] = scalar_elementwise(
    "erfc",
    special.erfc,
    _erfc_slope,
    domain=[(-2.0, 4.0)],
    doc="1 - erf(x), accurate where erf(x) is near 1",
)
erfinv: Final[Op] = scalar_elementwise(
    "erfinv",
    special.erfinv,
    _erfinv_slope,
    domain=[(-0.9, 0.9)],
    doc="The inverse of erf; nan outside [-1, 1]",
)
ndtr: Final[Op] = scalar_elementwise(
    "ndtr",
    special.ndtr,
    _normal,
    domain=[(-4.0, 4.0)],
    doc="The distribution function of the standard normal distribution",
)
log_ndtr: Final[Op] = scalar_elementwise(
    "log_ndtr",
    special.log_ndtr,
    _log_ndtr_slope,
    domain=[(-8.0, 4.0)],
    doc="log(ndtr(x)), accurate where ndtr(x) is near 0 or 1",
)
