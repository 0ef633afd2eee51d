"""The array API's functions that need shape, on MLArrays, with the standard's signatures."""

from __future__ import annotations

from functools import partial
from inspect import signature
from typing import Any, Final

from smolml_array._derivatives.traced import traced
from smolml_array._namespaces.binding import Function, bound
from smolml_array._namespaces.elementwise import apply, constant, is_tracked
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
}
"""The functions by the standard's names."""

_LINALG = """
    cholesky cross det diagonal inv matmul matrix_norm matrix_power matrix_transpose outer slogdet
    solve tensordot trace vecdot vector_norm
"""
LINALG: Final = {name: FUNCTIONS[name] for name in _LINALG.split()}
"""What the standard has of linear algebra, in a namespace of its own."""
