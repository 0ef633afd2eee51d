"""Windows, borders, shifts, repeats and triangles of arrays, as functions."""

from __future__ import annotations

from collections.abc import Sequence

from smolml_array._arithmetic import ArrayLike
from smolml_array._shape import Axis
from smolml_array.array import MLArray
from smolml_array.functions import _array


def sliding_windows(x: ArrayLike, window_shape: int | Sequence[int], axis: Axis = None) -> MLArray:
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
    return _array(x).sliding_windows(window_shape, axis)
