"""Element-wise functions of the pure backend made of others: where, clip, and the extras."""

from __future__ import annotations

import math
from typing import Any

from smolml_array.backends.pure.binary import equal, logical_or, multiply
from smolml_array.backends.pure.broadcasting import Operand, common
from smolml_array.backends.pure.ndarray import NDArray
from smolml_array.backends.pure.operands import as_array, promoted


def where(condition: Any, x1: Any, x2: Any, /) -> NDArray:
    """x1 where the condition is true (not zero), else x2."""
    x, y, dtype = promoted("where", x1, x2)
    (c, a, b), shape = common("where", as_array(condition, "where"), x, y)
    return NDArray([v if p else w for p, v, w in zip(c, a, b, strict=True)], shape, dtype)


def cotangent_product(g: NDArray, p: Operand, /) -> NDArray:
    """g * p (cotangent x partial); zero if either is, even where the other is inf or nan.

    The sum of the product tells whether anything in it is not finite.
    """
    product: NDArray = multiply(g, p)
    if not isinstance(p, NDArray) and math.isfinite(p):
        return product if p != 0.0 else NDArray([0.0] * product.size, product.shape, product.dtype)
    if math.isfinite(sum(product.flat)):
        return product
    return where(logical_or(equal(g, 0), equal(p, 0)), 0, product)
