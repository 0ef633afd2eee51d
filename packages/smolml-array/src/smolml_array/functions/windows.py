"""Windows and borders: sliding windows, their adjoint, and padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import Rule
from smolml_array._graph.shaping import CONCAT
from smolml_array._shapes.axes import Axis, Shape, ShapeError
from smolml_array._shapes.windowing import PadWidth, inside, pad_widths, window_axes
from smolml_array.backends.signatures import Raw
from smolml_array.functions.indexing import index
from smolml_array.functions.table import A, Array, array_function, as_array, for_rules, linear

Widths = tuple[tuple[int, int], ...]

# Each is the adjoint of the other: a window's cotangent goes to where the window was taken from.
SLIDING_WINDOWS = linear(
    "sliding_windows",
    lambda xp, g, out, x, *, window_shape, axis: xp.overlap_add(g, x.shape, axis),
)
OVERLAP_ADD = linear(
    "overlap_add",
    lambda xp, g, out, x, *, shape, axis: xp.sliding_windows(g, x.shape[len(shape) :], axis),
)


def _border_vjp(xp: Any, g: Raw, out: Raw, x: Raw, value: Raw, *, pad_width: Widths) -> Raw:
    return xp.sum(xp.index_put(g, inside(x.shape, pad_width), 0.0))


PAD = Rule(
    "pad",
    lambda xp, x, value, *, pad_width: xp.pad(x, pad_width, constant_values=value),
    lambda xp, g, out, x, value, *, pad_width: xp.index(g, inside(x.shape, pad_width)),
    _border_vjp,
    jvp="linear",
)


@for_rules
def overlap_add(x: A, shape: Shape, axis: tuple[int, ...]) -> A:
    """The adjoint of `sliding_windows` of an array of `shape`: overlaps are added up."""
    return x._rule(OVERLAP_ADD, x, shape=shape, axis=axis)


@array_function(numpy="lib.stride_tricks.sliding_window_view(x, window_shape, axis=None)")
def sliding_windows(x: ArrayLike, window_shape: int | Sequence[int], axis: Axis = None) -> Array:
    """Every window of x: out[i, ..., j, ...] = x[i + j, ...], i the position, j in the window.

    Of x of shape (n, m) the windows of shape (h, w) make an array of shape
    (n - h + 1, m - w + 1, h, w): positions first, then the axes of a window. On NumPy it is a
    view, whatever the size of the windows. A convolution is the sum of products of windows and
    weights. In backward the cotangents of windows that overlap add up. As
    `numpy.lib.stride_tricks.sliding_window_view`; for every second window take `[::2]`.

    Args:
        x: anything that MLArray takes.
        window_shape: how long a window is along each axis that it slides on.
        axis: these axes, in the order of window_shape; None: all.

    Raises:
        ShapeError: a window that is longer than its axis.
        AxisError: not one length for each axis, or an axis that x does not have.

    >>> x = MLArray([1.0, 2.0, 3.0, 4.0])
    >>> windows = sliding_windows(x, 3)
    >>> windows.to_list()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    >>> (windows @ [1.0, 0.0, -1.0]).backward()
    >>> x.grad().to_list()
    [1.0, 1.0, -1.0, -1.0]
    """
    array = as_array(x)
    window, axes = window_axes(array.shape, window_shape, axis)
    return array._rule(SLIDING_WINDOWS, array, window_shape=window, axis=axes)


# Where NumPy's modes of padding look, for position i of an axis of length n > 0, outside of it too.
_SOURCES: dict[str, Callable[[int, int], int]] = {
    "edge": lambda i, n: min(max(i, 0), n - 1),
    "reflect": lambda i, n: n - 1 - abs(i % (2 * n - 2) - n + 1) if n > 1 else 0,
    "symmetric": lambda i, n: min(i % (2 * n), 2 * n - 1 - i % (2 * n)),
    "wrap": lambda i, n: i % n,
}


@array_function(numpy="array, pad_width, mode='constant', *, constant_values=0")
def pad(
    x: ArrayLike, pad_width: PadWidth, mode: str = "constant", constant_values: ArrayLike = 0.0
) -> Array:
    """x inside a border; as `numpy.pad`.

    Args:
        x: anything that MLArray takes.
        pad_width: how much before and after: one number for both ends of every axis, a pair
            (before, after) for every axis, or a pair for each axis.
        mode: what the border is made of: "constant", one number; "edge", the outermost elements;
            "reflect", x mirrored at them; "symmetric", mirrored beside them; "wrap", x from the
            other end.
        constant_values: the number of mode "constant"; an array of no dimension and a Value have
            gradients.

    Raises:
        ValueError: an unknown mode, or widths that are negative or not one pair for each axis.
        ShapeError: an empty axis in a mode that repeats elements.

    >>> pad(MLArray([1.0, 2.0, 3.0]), (1, 2)).to_list()
    [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    >>> pad(MLArray([1.0, 2.0, 3.0]), 2, "reflect").to_list()
    [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    """
    array = as_array(x, constant_values)
    widths = pad_widths(pad_width, len(array.shape))
    if mode == "constant":
        _check_border(constant_values)
        return array._rule(PAD, array, constant_values, pad_width=widths)
    if mode not in _SOURCES:
        expected = ", ".join(map(repr, ("constant", *_SOURCES)))
        raise ValueError(f"pad: unknown mode {mode!r}: expected one of {expected}")
    made = array
    for axis, (before, after) in enumerate(widths):
        n = array.shape[axis]
        if not before and not after:
            continue
        if not n:
            raise ShapeError(
                f"pad: axis {axis} of shape {array.shape} is empty: there is nothing that mode "
                f"{mode!r} could repeat; use mode='constant'"
            )
        ends = ([_SOURCES[mode](i, n) for i in r] for r in (range(-before, 0), range(n, n + after)))
        first, last = (index(made, (slice(None),) * axis + (places,)) for places in ends)
        made = made._rule(CONCAT, first, made, last, axis=axis)
    return +array if made is array else made


def _check_border(value: ArrayLike) -> None:
    shape = getattr(value, "shape", ())
    if isinstance(value, list | tuple) or shape not in ((), None):
        raise ShapeError(
            f"pad: expected one number as constant_values, got {value!r:.60}; "
            f"for different borders pad one after the other"
        )


class Windows(Array):
    """These functions as methods."""

    __slots__ = ()
    sliding_windows: Final = sliding_windows
    pad: Final = pad
