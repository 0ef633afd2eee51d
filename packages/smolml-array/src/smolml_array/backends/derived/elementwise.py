"""Element-wise functions made of others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from smolml_array._shapes.axes import ShapeError, _broadcast_shapes
from smolml_array.backends.signatures import Raw


class Elementwise(Protocol):
    """Element-wise functions made of others."""

    def positive(xp: Any, x: Raw, /) -> Raw:
        """+x, which is x; not of bool."""
        return xp.negative(xp.negative(x))

    def square(xp: Any, x: Raw, /) -> Raw:
        """x * x; of bool as int64."""
        x = xp.asarray(x)
        x = xp.astype(x, xp.int64) if x.dtype == xp.bool else x
        return xp.multiply(x, x)

    def reciprocal(xp: Any, x: Raw, /) -> Raw:
        """1 / x, in floats."""
        return xp.divide(1.0, xp.asarray(x))

    def trunc(xp: Any, x: Raw, /) -> Raw:
        """x rounded towards zero."""
        return xp.where(xp.less(x, 0), xp.ceil(x), xp.floor(x))

    def isfinite(xp: Any, x: Raw, /) -> Raw:
        """Whether x is neither inf nor nan."""
        return xp.less(xp.abs(x), math.inf)

    def isinf(xp: Any, x: Raw, /) -> Raw:
        """Whether x is inf or -inf."""
        return xp.equal(xp.abs(x), math.inf)

    def isnan(xp: Any, x: Raw, /) -> Raw:
        """Whether x is nan."""
        return xp.bitwise_invert(xp.equal(x, x))

    def signbit(xp: Any, x: Raw, /) -> Raw:
        """Whether x is negative; -0.0 is."""
        return xp.less(xp.copysign(1.0, xp.asarray(x)), 0.0)

    def logical_not(xp: Any, x: Raw, /) -> Raw:
        """Whether x is zero."""
        return xp.equal(x, 0)

    def logical_and(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether both are not zero."""
        return xp.bitwise_and(xp.not_equal(x1, 0), xp.not_equal(x2, 0))

    def logical_or(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether one of both is not zero."""
        return xp.bitwise_or(xp.not_equal(x1, 0), xp.not_equal(x2, 0))

    def logical_xor(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether just one of both is not zero."""
        return xp.bitwise_xor(xp.not_equal(x1, 0), xp.not_equal(x2, 0))

    def not_equal(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether they differ."""
        return xp.bitwise_invert(xp.equal(x1, x2))

    def greater(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether x1 > x2."""
        return xp.less(x2, x1)

    def greater_equal(xp: Any, x1: Raw, x2: Raw, /) -> Raw:
        """Whether x1 >= x2."""
        return xp.less_equal(x2, x1)

    def clip(xp: Any, x: Raw, /, min: Raw | None = None, max: Raw | None = None) -> Raw:
        """minimum(maximum(x, min), max); None leaves that side open."""
        if min is not None:
            x = xp.maximum(x, min)
        return xp.asarray(x) if max is None else xp.minimum(x, max)

    def map_scalar(xp: Any, f: Callable[..., float], /, *xs: Raw) -> Raw:
        """f, a function of plain floats, of each element (after broadcasting).

        float64, or float32 where the arrays are.
        """
        dtype = xp.result_type(*xs)
        if not xp.isdtype(dtype, "real floating"):
            dtype = xp.float64
        arrays = [xp.asarray(x, dtype=xp.float64) for x in xs]
        shape = _broadcast_shapes(*(x.shape for x in arrays), who="map_scalar")
        columns = (xp.to_flat(xp.broadcast_to(x, shape)) for x in arrays)
        return xp.from_flat(list(map(float, map(f, *columns))), shape, dtype)

    def cotangent_product(xp: Any, g: Raw, p: Raw, /) -> Raw:
        """g * p (cotangent x partial); zero if either is, even where the other is inf or nan."""
        product = xp.multiply(g, p)
        zero = xp.logical_or(xp.equal(g, 0), xp.equal(p, 0))
        return xp.where(zero, xp.zeros_like(product), product)

    def add_into(xp: Any, total: Raw, x: Raw, /) -> Raw:
        """total + x, in new memory."""
        out = xp.add(total, x)
        if out.shape != total.shape:
            raise ShapeError(f"add_into: shape {x.shape} does not broadcast to {total.shape}")
        return out
