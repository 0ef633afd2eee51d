"""Sorting: along an axis, and the positions that sort."""

from __future__ import annotations

from typing import Final

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import normalize_axis
from smolml_array._shapes.picking import along
from smolml_array.functions.table import Array, array_function, as_array, linear

# Both are keys: `order` names each position once, and `back` undoes it, so nothing is added up.
SORT = linear(
    "sort",
    lambda xp, g, out, x, *, order, back: xp.index(g, back),
    forward=lambda xp, x, *, order, back: xp.index(x, order),
)

_STANDARD = "x, /, *, axis=-1, descending=False, stable=True"
_NUMPY = "a, axis=-1, *, stable=True"


@array_function(_STANDARD, numpy=_NUMPY, flattens=True)
def argsort(x: ArrayLike, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """The positions that sort x along an axis, a constant of integers.

    Raises:
        AxisError: an axis that x does not have.

    >>> argsort([3, 1, 2]).to_list()
    [1, 2, 0]
    """
    array = as_array(x)
    axis = normalize_axis(axis, len(array.shape), "argsort")
    node = array._current_node()
    xp = node.backend
    order = xp.argsort(node.raw, axis=axis, descending=bool(descending), stable=bool(stable))
    return array._constant(xp, order)


@array_function(_STANDARD, numpy=_NUMPY, flattens=True)
def sort(x: ArrayLike, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """x sorted along an axis; nan counts as the largest number.

    In backward each cotangent goes to the element that came to its place. Of equal elements the
    first stays first.

    Raises:
        AxisError: an axis that x does not have.

    >>> x = MLArray([3.0, 1.0, 2.0])
    >>> y = sort(x)
    >>> (y * [10.0, 20.0, 30.0]).backward()
    >>> y.to_list(), x.grad().to_list()
    ([1.0, 2.0, 3.0], [30.0, 10.0, 20.0])
    """
    array = as_array(x)
    axis = normalize_axis(axis, len(array.shape), "sort")
    xp, shape = array._current_node().backend, array.shape
    places = argsort(array, axis, descending, stable)._node.raw
    order = back = along(xp, shape, places, axis)
    if array.requires_grad:  # back[order[i]] = i
        lengths = tuple(n if i == axis else 1 for i, n in enumerate(shape))
        places = xp.index_put(places, order, xp.reshape(xp.arange(shape[axis]), lengths))
        back = along(xp, shape, places, axis)
    return array._rule(SORT, array, order=order, back=back)


class Sorting(Array):
    """These functions as methods."""

    __slots__ = ()
    sort: Final = sort
    argsort: Final = argsort
