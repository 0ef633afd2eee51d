"""The array API's unique_* functions on MLArrays: constants, each nan counting as different."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from smolml_array._namespaces.elementwise import is_tracked, no_derivative
from smolml_array._namespaces.functions import array_of
from smolml_array.array import MLArray


class UniqueAll(NamedTuple):
    """The different elements, where each is first, which each element is, and how many are so."""

    values: MLArray
    indices: MLArray
    inverse_indices: MLArray
    counts: MLArray


class UniqueCounts(NamedTuple):
    """The different elements, and how many elements are so."""

    values: MLArray
    counts: MLArray


class UniqueInverse(NamedTuple):
    """The different elements, and which of them each element is."""

    values: MLArray
    inverse_indices: MLArray


def unique_all(x: MLArray, /) -> UniqueAll:
    """The different elements, sorted; in C order their first positions; inverse; counts."""
    values, inverse = unique_inverse(x)
    xp, at = x._node.backend, inverse._node.raw
    line = xp.reshape(at, (x.size(),))
    nothing = xp.zeros(values.shape, dtype=xp.int64)
    places = xp.arange(x.size())
    first = xp.index_put(nothing, xp.flip(line), xp.flip(places))  # the last one put stays
    counts = xp.index_add(nothing, line, 1)
    return UniqueAll(values, x._constant(xp, first), inverse, x._constant(xp, counts))


def unique_counts(x: MLArray, /) -> UniqueCounts:
    """The different elements, sorted, and how many elements are so."""
    every = unique_all(x)
    return UniqueCounts(every.values, every.counts)


def unique_inverse(x: MLArray, /) -> UniqueInverse:
    """The different elements, sorted, and for each element which of them it is."""
    xp, raw, values = _values("unique_inverse", x)
    line = xp.reshape(raw, (raw.size,))
    at = xp.searchsorted(values, line)
    if xp.isdtype(raw.dtype, "real floating"):  # every nan stands for itself, behind the numbers
        (places,) = xp.nonzero(xp.isnan(line))
        numbers = values.size - places.size
        at = xp.index_put(at, places, xp.arange(numbers, values.size))
    inverse = xp.reshape(at, raw.shape)
    return UniqueInverse(x._constant(xp, values), x._constant(xp, inverse))


def unique_values(x: MLArray, /) -> MLArray:
    """The different elements, sorted."""
    xp, _, values = _values("unique_values", x)
    return x._constant(xp, values)


def _values(name: str, x: MLArray) -> tuple[Any, Any, Any]:
    node = array_of(name, x)._current_node()
    if is_tracked(x):
        raise no_derivative(name)
    return node.backend, node.raw, node.backend.unique_values(node.raw)


FUNCTIONS: Final = {
    f.__name__: f for f in (unique_all, unique_counts, unique_inverse, unique_values)
}
"""The functions by the standard's names."""
