"""The array API's functions that need shape, on MLArrays, with the standard's signatures."""

from __future__ import annotations

from functools import partial
from inspect import signature
from typing import Any, Final, NamedTuple

from smolml_array._derivatives.traced import traced
from smolml_array._namespaces.binding import Function, bound
from smolml_array._namespaces.elementwise import apply, constant, is_tracked, no_derivative
from smolml_array._shapes.axes import Shape
from smolml_array.array import MLArray
from smolml_array.backends.derived import DERIVED
from smolml_array.functions import joining
from smolml_array.functions.table import FUNCTIONS as TABLE
from smolml_array.functions.table import Entry
from smolml_value import table

_Bound = MLArray | float | None


def array_of(who: str, x: object) -> MLArray:
    """x, which must be an MLArray."""
    if not isinstance(x, MLArray):
        raise TypeError(f"{who}: expected an MLArray, got {type(x).__name__}; use asarray(x)")
    return x


def raw_of(x: Any) -> Any:
    """The raw array of an MLArray; anything else as it is."""
    return x._current_node().raw if isinstance(x, MLArray) else x


# Where the standard asks for more than our functions ------------------------------------------


def clip(x: MLArray, /, min: _Bound = None, max: _Bound = None) -> MLArray:
    """x held between min and max; None leaves that side open."""
    x = array_of("clip", x)
    bounds = (min, max)
    if any(map(is_tracked, (x, *bounds))):
        if all(bound is None or isinstance(bound, float | int) for bound in bounds):
            return table.clip(x, min=min, max=max)
        # where x is at a bound the cotangent is x's alone; maximum would split it
        low = x if min is None else joining.where(x >= min, x, apply("maximum", x, min))
        return low if max is None else joining.where(low <= max, low, apply("minimum", low, max))
    low = x if min is None else apply("maximum", x, min)
    return +low if max is None else apply("minimum", low, max)


def where(condition: MLArray, x1: MLArray | complex, x2: MLArray | complex, /) -> MLArray:
    """x1 where the condition holds, else x2."""
    if is_tracked(x1) or is_tracked(x2):
        return joining.where(condition, x1, x2)
    return constant("where", condition, x1, x2)  # type: ignore[no-any-return]


def reshape(x: MLArray, /, shape: Shape, *, copy: bool | None = None) -> MLArray:
    """The same elements in C order in another shape; one length may be -1."""
    x = array_of("reshape", x)
    return (+x if copy else x).reshape(tuple(shape))


def conj(x: MLArray, /) -> MLArray:
    """A copy of x: there are no complex numbers."""
    return +array_of("conj", x)


def real(x: MLArray, /) -> MLArray:
    """x itself: there are no complex numbers."""
    return array_of("real", x)


# Elements that differ: constants, each nan counting as different -------------------------------


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


# What the backends derive from what they have: the same functions, on MLArrays -----------------


def _derived(name: str) -> Function:
    function = DERIVED[name]

    def on_arrays(*arrays: MLArray, **how: Any) -> Any:
        if any(map(is_tracked, arrays)):
            return function(traced(arrays[0].backend), *arrays, **how)
        return constant(name, *arrays, **how)

    on_arrays.__doc__ = function.__doc__
    on_arrays.__signature__ = signature(partial(function, None))  # type: ignore[attr-defined]
    return on_arrays


TABLE["broadcast_arrays"] = Entry(_derived("broadcast_arrays"), "*arrays")
TABLE["meshgrid"] = Entry(
    _derived("meshgrid"), "*arrays, indexing='xy'", "meshgrid(*arrays, indexing='xy')"
)
TABLE["tensordot"] = Entry(
    _derived("tensordot"), "x1, x2, /, *, axes=2", numpy="tensordot(a, b, axes=2)"
)
TABLE["vecdot"] = Entry(_derived("vecdot"), "x1, x2, /, *, axis=-1")

FUNCTIONS: Final[dict[str, Function]] = {
    **{
        name: bound(entry, name, entry.standard, partial(array_of, name))
        for name, entry in TABLE.items()
        if entry.standard
    },
    **{f.__name__: f for f in (clip, conj, real, reshape, where)},
    **{f.__name__: f for f in (unique_all, unique_counts, unique_inverse, unique_values)},
}
"""The functions by the standard's names."""

_LINALG = """
    cholesky cross det diagonal inv matmul matrix_norm matrix_power matrix_transpose outer slogdet
    solve tensordot trace vecdot vector_norm
"""
LINALG: Final = {name: FUNCTIONS[name] for name in _LINALG.split()}
"""What the standard has of linear algebra, in a namespace of its own."""
