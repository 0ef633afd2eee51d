"""What numerical programs look for, made of other functions: averages, interpolation, products."""

from __future__ import annotations

from typing import cast

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import ShapeError, normalize_axis
from smolml_array.array import MLArray
from smolml_array.functions.indexing import index_put
from smolml_array.functions.joining import where
from smolml_array.functions.manipulation import moveaxis
from smolml_array.functions.searching import searchsorted
from smolml_array.functions.table import as_array, entry


def _array(x: ArrayLike, *others: ArrayLike) -> MLArray:
    return cast(MLArray, as_array(x, *others))


# Of one array ----------------------------------------------------------------------------------


@entry(numpy="a, axis=None, weights=None, *, keepdims=False")
def average(
    x: ArrayLike, axis: int | None = None, weights: ArrayLike = None, keepdims: bool = False
) -> MLArray:
    """The weighted mean, $sum(x weights) / sum(weights)$; as `numpy.average`.

    Args:
        x: anything that MLArray takes.
        axis: along which axis; None: of all elements.
        weights: an array of the shape of x, or of as many numbers as the axis is long; None: all
            weigh the same.
        keepdims: whether the axes stay, with length 1.

    Raises:
        AxisError: an axis that x does not have.
        ShapeError: weights of another shape.

    >>> average([1.0, 2.0, 4.0], weights=[3.0, 1.0, 0.0]).item()
    1.25
    """
    array = _array(x)
    if weights is None:
        return array.mean(axis, keepdims)
    w = _array(weights, array)
    if w.ndim == 1 and axis is not None:  # along the axis
        w = w.reshape(-1, *(1,) * (array.ndim - 1 - normalize_axis(axis, array.ndim, "average")))
    w = w.broadcast_to(array.shape)
    return (array * w).sum(axis, keepdims) / w.sum(axis, keepdims)


@entry(numpy="a, axis=None")
def median(x: ArrayLike, axis: int | None = None) -> MLArray:
    """The element in the middle once sorted, or the mean of the two there; nan if one is nan.

    The gradient goes to what is in the middle. As `numpy.median`; PyTorch takes the lower of two.

    Args:
        x: anything that MLArray takes.
        axis: along which axis; None: of all elements.

    Raises:
        AxisError: an axis that x does not have.

    >>> median([5.0, 1.0, 2.0]).item(), median([1.0, 2.0, 4.0, 8.0]).item()
    (2.0, 3.0)
    """
    array = _array(x).flatten() if axis is None else _array(x)
    axis = normalize_axis(axis or 0, array.ndim, "median")
    n = array.shape[axis]
    middle = (slice(None),) * axis + (slice((n - 1) // 2, n // 2 + 1),)
    found = array.sort(axis)[middle].mean(axis)
    return where((array != array).any(axis), float("nan"), found)


@entry(numpy="v, k=0")
def diag(x: ArrayLike, k: int = 0) -> MLArray:
    """The matrix with a vector on its k-th diagonal, or that diagonal of a matrix.

    Raises:
        ShapeError: x has no dimension.

    >>> diag([1.0, 2.0]).to_list(), diag([[1.0, 2.0], [3.0, 4.0]]).to_list()
    ([[1.0, 0.0], [0.0, 2.0]], [1.0, 4.0])
    """
    array = _array(x)
    if array.ndim != 1:
        return +array.diagonal(k)
    xp, n = array._node.backend, array.size() + abs(k)
    places = xp.arange(array.size())
    zeros = array._constant(xp, xp.zeros((n, n), dtype=array.dtype))
    return index_put(zeros, (places + max(-k, 0), places + max(k, 0)), array)


@entry(numpy="y, x=None, dx=1.0, axis=-1")
def trapezoid(y: ArrayLike, x: ArrayLike = None, dx: float = 1.0, axis: int = -1) -> MLArray:
    """The integral of y by the trapezoidal rule: sum (x[i+1] - x[i]) (y[i] + y[i+1]) / 2.

    Args:
        y: the values, anything that MLArray takes.
        x: where they are: as many numbers as the axis is long, or an array like y; None: dx apart.
        dx: the distance of neighbours without x.
        axis: along which axis.

    Raises:
        AxisError: an axis that y does not have.
        ShapeError: x does not fit y.

    >>> trapezoid([0.0, 1.0, 4.0], x=[0.0, 1.0, 2.0]).item()
    3.0
    """
    values = moveaxis(_array(y, x), axis, -1)
    if x is not None:
        places = _array(x, values)
        dx = (places if places.ndim == 1 else moveaxis(places, axis, -1)).diff()  # type: ignore[assignment]
    return (dx * (values[..., 1:] + values[..., :-1])).sum(-1) * 0.5


# Of several ------------------------------------------------------------------------------------


@entry()
def interp(
    x: ArrayLike, xs: ArrayLike, ys: ArrayLike, left: ArrayLike = None, right: ArrayLike = None
) -> MLArray:
    """The line through points (xs, ys) at x, piece by piece straight; as `numpy.interp`.

    Gradients flow to x, xs and ys. At a point the piece on its right counts, as for the last
    point the one on its left.

    Args:
        x: where.
        xs: at least 2 numbers that increase.
        ys: as many values there.
        left: what is there for x below xs[0]; None: ys[0].
        right: what is there for x above xs[-1]; None: ys[-1].

    Raises:
        ShapeError: xs and ys are not of one dimension and of one length >= 2.

    >>> interp([0.5, 3.0], [0.0, 1.0, 2.0], [0.0, 10.0, 30.0]).to_list()
    [5.0, 30.0]
    """
    at, places, values = _array(x, xs, ys), _array(xs, x, ys), _array(ys, x, xs)
    if places.ndim != 1 or places.shape != values.shape or places.size() < 2:
        raise ShapeError(f"interp: xs {places.shape}, ys {values.shape}: expected (n,), n > 1")
    i = searchsorted(places[1:-1], at, side="right")
    slope = (values[i + 1] - values[i]) / (places[i + 1] - places[i])
    line = values[i] + slope * (at - places[i])
    line = where(at < places[0], values[0] if left is None else left, line)
    return where(at > places[-1], values[-1] if right is None else right, line)


@entry(numpy="a, v, mode='full'")
def convolve(x: ArrayLike, other: ArrayLike, mode: str = "full") -> MLArray:
    """The convolution of two sequences: out[n] = sum over m of x[m] other[n - m].

    Args:
        x: n numbers, n > 0.
        other: m numbers, m > 0.
        mode: "full", all n + m - 1 sums; "same", the max(n, m) in the middle; "valid", those to
            which all of the shorter sequence contributes; as `numpy.convolve`.

    Raises:
        ShapeError: a sequence that is empty or not of one dimension.
        ValueError: an unknown mode.

    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).to_list()
    [0.0, 1.0, 2.5, 4.0, 1.5]
    """
    long, short = sorted((_array(x, other), _array(other, x)), key=len, reverse=True)
    n, m = len(long), len(short)
    if long.ndim != 1 or short.ndim != 1 or not m:
        raise ShapeError(f"convolve: shapes {long.shape} and {short.shape}: expected two (n,)")
    parts = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}
    if mode not in parts:
        raise ValueError(f"convolve: unknown mode {mode!r}: expected 'full', 'same' or 'valid'")
    start, length = parts[mode]
    full = long.pad(m - 1).sliding_windows(m) @ short.flip()
    return full[start : start + length]


@entry("x1, x2, /, *, axis=-1", numpy="a, b, *, axis=-1")
def cross(x1: ArrayLike, x2: ArrayLike, axis: int = -1) -> MLArray:
    """The cross product of vectors of 3 numbers along an axis; the other axes broadcast.

    Raises:
        AxisError: an axis that an operand does not have.
        ShapeError: the axis is not of length 3.

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).to_list()
    [0.0, 0.0, 1.0]
    """
    a, b = _array(x1, x2), _array(x2, x1)
    for x in (a, b):
        if x.shape[normalize_axis(axis, x.ndim, "cross")] != 3:
            raise ShapeError(f"cross: axis {axis} of shape {x.shape}: expected length 3")
    first, second = (a.roll(-1, axis), b.roll(-1, axis)), (a.roll(1, axis), b.roll(1, axis))
    return first[0] * second[1] - second[0] * first[1]


@entry(numpy="a, b")
def kron(x: ArrayLike, other: ArrayLike) -> MLArray:
    """The Kronecker product: blocks x[i, j] other side by side; any number of dimensions.

    >>> kron([1.0, 10.0], [1.0, 2.0]).to_list()
    [1.0, 2.0, 10.0, 20.0]
    """
    a, b = _array(x, other), _array(other, x)
    n = max(a.ndim, b.ndim)
    a, b = (v.reshape((1,) * (n - v.ndim) + v.shape) for v in (a, b))
    blocks = a.expand_dims(tuple(range(1, 2 * n, 2))) * b.expand_dims(tuple(range(0, 2 * n, 2)))
    return blocks.reshape([i * j for i, j in zip(a.shape, b.shape, strict=True)])
