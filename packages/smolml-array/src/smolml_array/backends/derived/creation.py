"""Making arrays by a rule, and what dtypes have to do with one another."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, Protocol

from smolml_array._shapes.axes import Shape, as_shape, check_matrix
from smolml_array._shapes.sizes import check_count
from smolml_array.backends.signatures import DType, Number, Raw


def _diagonals(xp: Any, n: int, m: int) -> Raw:
    """On which diagonal each place of an (n, m) matrix lies."""
    return xp.subtract(xp.arange(m), xp.reshape(xp.arange(n), (n, 1)))


def _triangle(xp: Any, who: str, x: Raw, compare: Any, k: int) -> Raw:
    check_matrix(x.shape, who)
    return xp.where(compare(_diagonals(xp, *x.shape[-2:]), k), x, xp.zeros((), dtype=x.dtype))


_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int64",),
    "unsigned integer": (),
    "integral": ("int64",),
    "real floating": ("float32", "float64"),
    "complex floating": (),
    "numeric": ("int64", "float32", "float64"),
}


class Creation(Protocol):
    """Arrays made by a rule; kinds of dtypes."""

    def zeros(xp: Any, shape: int | Sequence[int], *, dtype: DType = None) -> Raw:
        """Zeros."""
        return xp.full(as_shape(shape, "zeros"), 0, dtype=xp.float64 if dtype is None else dtype)

    def ones(xp: Any, shape: int | Sequence[int], *, dtype: DType = None) -> Raw:
        """Ones."""
        return xp.full(as_shape(shape, "ones"), 1, dtype=xp.float64 if dtype is None else dtype)

    def empty(xp: Any, shape: int | Sequence[int], *, dtype: DType = None) -> Raw:
        """Zeros: what comes out of unset memory is no number to learn with."""
        return xp.full(as_shape(shape, "empty"), 0, dtype=xp.float64 if dtype is None else dtype)

    def zeros_like(xp: Any, x: Raw, /, *, dtype: DType = None) -> Raw:
        """Zeros in the shape and dtype of x."""
        return xp.full(x.shape, 0, dtype=x.dtype if dtype is None else dtype)

    def ones_like(xp: Any, x: Raw, /, *, dtype: DType = None) -> Raw:
        """Ones in the shape and dtype of x."""
        return xp.full(x.shape, 1, dtype=x.dtype if dtype is None else dtype)

    def full_like(xp: Any, x: Raw, /, fill_value: Number, *, dtype: DType = None) -> Raw:
        """An array of one number with the shape and dtype of x."""
        return xp.full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype)

    def placeholder(xp: Any, x: Raw, /) -> Raw:
        """nan in the shape and dtype of x without its memory; x itself where that cannot be."""
        return x

    def uniform(xp: Any, rng: random.Random, shape: Shape, /) -> Raw:
        """float64 numbers from rng.random(), in C order: the same on every backend."""
        shape = as_shape(shape, "uniform")
        check_count(math.prod(shape), "uniform")
        return xp.from_flat([rng.random() for _ in range(math.prod(shape))], shape, xp.float64)

    def linspace(
        xp: Any,
        start: Number,
        stop: Number,
        /,
        num: int,
        *,
        dtype: DType = None,
        endpoint: bool = True,
    ) -> Raw:
        """num evenly spaced numbers from start to stop."""
        if num < 0:
            raise ValueError(f"linspace: num is {num}: expected >= 0")
        first, last = float(start), float(stop)
        gaps = num - 1 if endpoint else num
        step = (last - first) / gaps if gaps > 0 else 0.0
        out = xp.add(xp.multiply(xp.arange(num), step), first)
        if endpoint and num > 1:
            out = xp.index_put(out, -1, last)
        if dtype is None:
            return out
        out = xp.floor(out) if xp.isdtype(xp.result_type(dtype), "integral") else out
        return xp.astype(out, dtype)

    def eye(
        xp: Any, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType = None
    ) -> Raw:
        """Ones on the k-th diagonal, else zeros."""
        n, m = as_shape((n_rows, n_rows if n_cols is None else n_cols), "eye")
        return xp.astype(xp.equal(_diagonals(xp, n, m), k), xp.float64 if dtype is None else dtype)

    def tril(xp: Any, x: Raw, /, *, k: int = 0) -> Raw:
        """The lower triangle of the last two axes: zeros above the k-th diagonal."""
        return _triangle(xp, "tril", x, xp.less_equal, k)

    def triu(xp: Any, x: Raw, /, *, k: int = 0) -> Raw:
        """The upper triangle of the last two axes: zeros below the k-th diagonal."""
        return _triangle(xp, "triu", x, xp.greater_equal, k)

    def isdtype(xp: Any, dtype: DType, kind: Any) -> bool:
        """Whether a dtype is of a kind ("bool", "integral", "real floating", ...) or that dtype."""
        if dtype is None:  # for NumPy this is float64
            raise TypeError("isdtype: expected a dtype, got None")
        if isinstance(kind, tuple):
            return any(xp.isdtype(dtype, k) for k in kind)
        if not isinstance(kind, str):
            return bool(xp.result_type(dtype) == xp.result_type(kind))
        if kind not in _KINDS:
            expected = ", ".join(map(repr, _KINDS))
            raise ValueError(
                f"isdtype: unknown kind {kind!r}: expected a dtype or one of {expected}"
            )
        return any(hasattr(xp, name) and dtype == getattr(xp, name) for name in _KINDS[kind])
