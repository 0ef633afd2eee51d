"""Sorting: along an axis, and the positions that sort."""

from __future__ import annotations

from typing import Any, Final

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import normalize_axis
from smolml_array._shapes.picking import flat_along
from smolml_array.backends.signatures import Raw
from smolml_array.functions.table import Array, array_function, as_array, linear


def _put_back(xp: Any, g: Raw, out: Raw, x: Raw, *, order: Raw) -> Raw:
    """Each place is there once, so nothing is added up."""
    zeros = xp.reshape(xp.zeros_like(g), (-1,))
    return xp.reshape(xp.index_put(zeros, order, g), g.shape)


SORT = linear(
    "sort", _put_back, forward=lambda xp, x, *, order: xp.index(xp.reshape(x, (-1,)), order)
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
    return array._rule(SORT, array, order=flat_along(xp, shape, places, axis))


class Sorting(Array):
    """These functions as methods."""

    __slots__ = ()
    sort: Final = sort
    argsort: Final = argsort
