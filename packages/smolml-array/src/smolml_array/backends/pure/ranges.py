"""Pure arrays made of a rule: ranges, grids, diagonals and triangles."""

from __future__ import annotations

import math
from typing import Any

from smolml_array._shapes.axes import ShapeError
from smolml_array.backends.pure.dtypes import as_dtype, convert, float64, int64
from smolml_array.backends.pure.manipulation import broadcast_to
from smolml_array.backends.pure.ndarray import NDArray


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None
) -> NDArray:
    """start, start + step, ... before stop; one argument: from 0 to it."""
    if step == 0:
        raise ValueError("arange: the step is 0: expected another number")
    if stop is None:
        start, stop = 0, start
    count = max(math.ceil((stop - start) / step), 0)
    whole = all(isinstance(v, int) for v in (start, stop, step))
    if dtype is not None and as_dtype(dtype, "arange") is int64:  # NumPy cuts off the first two
        first = int(start)
        gap = int(start + step) - first
        return NDArray([first + i * gap for i in range(count)], (count,), int64)
    delta = (start + step) - start  # rounded as NumPy rounds it
    source = int64 if whole else float64
    flat = [source.python(start + i * delta) for i in range(count)]
    target = source if dtype is None else as_dtype(dtype, "arange")
    return NDArray(convert(flat, source, target), (count,), target)


def linspace(
    start: float, stop: float, /, num: int, *, dtype: Any = None, endpoint: bool = True
) -> NDArray:
    """num evenly spaced numbers from start to stop."""
    if num < 0:
        raise ValueError(f"linspace: num is {num}: expected >= 0")
    first, last = float(start), float(stop)
    gaps = num - 1 if endpoint else num
    step = (last - first) / gaps if gaps > 0 else 0.0
    flat = [i * step + first for i in range(num)]
    if endpoint and num > 1:
        flat[-1] = last
    target = float64 if dtype is None else as_dtype(dtype, "linspace")
    if target is int64:
        flat = list(map(math.floor, flat))
        return NDArray(flat, (num,), int64)
    return NDArray(convert(flat, float64, target), (num,), target)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None) -> NDArray:
    """Ones on the k-th diagonal, else zeros."""
    target = float64 if dtype is None else as_dtype(dtype, "eye")
    columns = n_rows if n_cols is None else n_cols
    if min(n_rows, columns) < 0:
        raise ShapeError(f"eye: shape {(n_rows, columns)} has a negative length")
    zero, one = target.python(0), target.python(1)
    flat = [one if j - i == k else zero for i in range(n_rows) for j in range(columns)]
    return NDArray(flat, (n_rows, columns), target)


def meshgrid(*arrays: NDArray, indexing: str = "xy") -> tuple[NDArray, ...]:
    """Coordinate arrays of the grid that 1-D arrays span."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: unknown indexing {indexing!r}: expected 'xy' or 'ij'")
    places = list(range(len(arrays)))  # the axis along which each one varies
    if indexing == "xy" and len(arrays) > 1:
        places[:2] = [1, 0]
    shape = [0] * len(arrays)
    for x, axis in zip(arrays, places, strict=True):
        shape[axis] = x.size
    return tuple(
        broadcast_to(
            NDArray(x.flat, (x.size,) + (1,) * (len(arrays) - 1 - axis), x.dtype), tuple(shape)
        )
        for x, axis in zip(arrays, places, strict=True)
    )


def tril(x: NDArray, /, *, k: int = 0) -> NDArray:
    """The lower triangle of the last two axes: zeros above the k-th diagonal."""
    return _triangle("tril", x, k, lower=True)


def triu(x: NDArray, /, *, k: int = 0) -> NDArray:
    """The upper triangle of the last two axes: zeros below the k-th diagonal."""
    return _triangle("triu", x, k, lower=False)


def _triangle(who: str, x: NDArray, k: int, *, lower: bool) -> NDArray:
    if x.ndim < 2:
        raise ShapeError(f"{who}: shape {x.shape}: expected at least 2 dimensions")
    n, m = x.shape[-2:]
    zero = x.dtype.python(0)
    keep = [(j - i <= k) if lower else (j - i >= k) for i in range(n) for j in range(m)]
    matrices = math.prod(x.shape[:-2])
    flat = [v if p else zero for v, p in zip(x.flat, keep * matrices, strict=True)]
    return NDArray(flat, x.shape, x.dtype)
