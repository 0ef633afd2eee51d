"""Reductions made of others."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

from smolml_array._shapes.axes import Axis, Shape, normalize_axes, reduced_count, unbroadcast_axes
from smolml_array.backends.signatures import Raw


def _floating(xp: Any, x: Raw) -> Raw:
    x = xp.asarray(x)
    return x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, xp.float64)


@lru_cache(maxsize=256)
def first_and_last(ndim: int, axis: Axis) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The keys of the first and of the last element of each that is reduced, of length 1 there."""
    axes = normalize_axes(axis, ndim, "mean")
    ends = (slice(0, 1), slice(-1, None))
    first, last = ([end if i in axes else slice(None) for i in range(ndim)] for end in ends)
    return tuple(first), tuple(last)


class Reductions(Protocol):
    """Reductions made of others."""

    def count_nonzero(xp: Any, x: Raw, /, axis: Axis = None, *, keepdims: bool = False) -> Raw:
        """How many elements are not zero."""
        normalize_axes(axis, xp.asarray(x).ndim, "count_nonzero")
        return xp.sum(xp.not_equal(x, 0), axis=axis, keepdims=keepdims)

    def mean(xp: Any, x: Raw, /, axis: Axis = None, *, keepdims: bool = False) -> Raw:
        """The mean; of equal numbers that number, which a rounded sum may miss; nan of nothing."""
        x = _floating(xp, x)
        n = reduced_count(x.shape, axis, "mean")
        found = xp.divide(xp.sum(x, axis=axis, keepdims=keepdims), float(n))
        if n < 2 or not found.size:
            return found
        first, last = (xp.index(x, key) for key in first_and_last(x.ndim, axis))
        if not bool(xp.any(xp.equal(first, last))):  # as it mostly is
            return found
        same = xp.all(xp.equal(x, first), axis=axis, keepdims=keepdims)
        first = xp.reshape(first, found.shape)
        return xp.where(xp.logical_and(same, xp.not_equal(first, found)), first, found)

    def var(
        xp: Any, x: Raw, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
    ) -> Raw:
        """The mean squared distance from the mean, divided by n - correction."""
        x = _floating(xp, x)
        n = reduced_count(x.shape, axis, "var")
        away = xp.subtract(x, xp.mean(x, axis=axis, keepdims=True))
        total = xp.sum(xp.multiply(away, away), axis=axis, keepdims=keepdims)
        return xp.divide(total, float(max(n - correction, 0)))

    def std(
        xp: Any, x: Raw, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
    ) -> Raw:
        """The square root of `var`."""
        normalize_axes(axis, xp.asarray(x).ndim, "std")
        return xp.sqrt(xp.var(x, axis=axis, correction=correction, keepdims=keepdims))

    def sum_to_shape(xp: Any, g: Raw, shape: Shape, /) -> Raw:
        """The adjoint of broadcasting from `shape`: sums the axes that were repeated."""
        if g.shape == shape:
            return g
        return xp.reshape(xp.sum(g, axis=unbroadcast_axes(g.shape, shape)), shape)
