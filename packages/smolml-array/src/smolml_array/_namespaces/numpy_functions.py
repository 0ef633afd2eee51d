"""NumPy's functions on MLArrays: np.sum(x), np.concatenate([x, y]) and the like.

Those that we have stay in the graph, those that answer with a plain bool or text are NumPy's own,
and everything else raises: silently going on without the graph would lose gradients.

Each takes the array namespace `xp` and then what NumPy's function takes. Most are entries of the
table of array functions, which say NumPy's parameters; here stand those that NumPy alone has.
"""

from __future__ import annotations

import inspect
from functools import cache, partial
from typing import Any, Final

from smolml_array._namespaces import functions
from smolml_array._namespaces.binding import Function, bound, passing
from smolml_array.array import MLArray
from smolml_array.functions.einsum import einsum
from smolml_array.functions.numerics import interp
from smolml_array.functions.table import FUNCTIONS as TABLE
from smolml_array.functions.table import Entry
from smolml_value.extending.derivatives import leaves, map_leaves

# Numbers ---------------------------------------------------------------------------------------


def _ptp(xp: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = xp.asarray(a)
    return xp.max(a, axis=axis, keepdims=keepdims) - xp.min(a, axis=axis, keepdims=keepdims)


def _clip(
    xp: Any, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    low, high = (_plain(xp, bound) for bound in (low, high))
    return xp.clip(xp.asarray(a), low, high)


def _round(xp: Any, a: Any, decimals: int = 0) -> Any:
    a, scale = xp.asarray(a), 10.0**decimals
    return xp.round(a * scale) / scale if decimals else xp.round(a)


# What elements count that are left out, and how the number goes in that comes first.
_BESIDE: Final = {"max": (None, "maximum"), "min": (None, "minimum"), "prod": (1, "multiply")}
_BESIDE["sum"] = (0, "add")


_PARAMETERS: Final = "xp, a, axis=None, dtype=None, *, keepdims=False, initial=None, where=True"


def _over_some(
    name: str, xp: Any, a: Any, axis: Any, dtype: Any, *, keepdims: bool, initial: Any, where: Any
) -> Any:
    """A reduction of the elements where `where` holds, beside the number `initial`."""
    nothing, beside = _BESIDE[name]
    if where is not True:
        if name in ("max", "min") and initial is None:
            raise ValueError(f"np.{name}: where= needs initial=, the result where nothing is left")
        a = xp.where(xp.asarray(where), xp.asarray(a), initial if nothing is None else nothing)
    typed = {} if dtype is None else {"dtype": dtype}
    out = _ENTRIES[name](xp, a, axis, keepdims=keepdims, **typed)
    return out if initial is None else getattr(xp, beside)(out, initial)


def _einsum(xp: Any, subscripts: str, /, *operands: Any, optimize: object = True) -> Any:
    """The order of contractions is always the greedy one."""
    return einsum(subscripts, *map(xp.asarray, operands))


def _plain(xp: Any, x: Any) -> Any:
    return x if x is None or isinstance(x, float | int) else xp.asarray(x)


# Shapes ----------------------------------------------------------------------------------------


def _reshape(xp: Any, a: Any, /, shape: Any, *, order: str = "C", copy: bool | None = None) -> Any:
    if order != "C":
        raise TypeError(f"np.reshape of MLArrays: order {order!r}: expected 'C'")
    shape = (shape,) if isinstance(shape, int) else shape
    return xp.reshape(xp.asarray(a), shape, copy=copy)


def _broadcast_arrays(xp: Any, *args: Any) -> Any:
    if any(arg is None or isinstance(arg, str) for arg in args):  # as matplotlib's bar() does
        import numpy as np

        return np.broadcast_arrays(*(np.asarray(arg) for arg in args))
    return xp.broadcast_arrays(*map(xp.asarray, args))


def _joined(first_axis: int, xp: Any, tup: Any) -> Any:
    """vstack (0) and hstack (1): rows of at least 2-D arrays, or columns."""
    arrays = [xp.asarray(a) for a in tup]
    if first_axis:
        arrays = [a.reshape(1) if a.ndim == 0 else a for a in arrays]
        return xp.concat(arrays, axis=0 if arrays[0].ndim == 1 else 1)
    return xp.concat([_at_least(2, xp, a) for a in arrays], axis=0)


def _column_stack(xp: Any, tup: Any) -> Any:
    arrays = [xp.asarray(a) for a in tup]
    return xp.concat([a if a.ndim > 1 else a.reshape((-1, 1)) for a in arrays], axis=1)


def _at_least(ndim: int, xp: Any, *arys: Any) -> Any:
    """atleast_1d and atleast_2d."""
    made = tuple(a.reshape((1,) * max(ndim - a.ndim, 0) + a.shape) for a in map(xp.asarray, arys))
    return made[0] if len(made) == 1 else made


# Products --------------------------------------------------------------------------------------


def _product(axis: int, xp: Any, a: Any, b: Any) -> Any:
    """dot (-2) and inner (-1): over the last axis of a, and this one of b or the only one."""
    a, b = xp.asarray(a), xp.asarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if axis == -2 and b.ndim <= 2:
        return a @ b
    return xp.tensordot(a, b, axes=((-1,), (axis,)))


def _where(xp: Any, condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None or y is None:
        return xp.nonzero(xp.asarray(condition))
    return xp.where(xp.asarray(condition), _plain(xp, x), _plain(xp, y))


# The table -------------------------------------------------------------------------------------


def _as_array(xp: Any, x: Any) -> Any:
    return xp.asarray(x)


def _bound(entry: Entry) -> tuple[str, Function]:
    """The function of NumPy that an entry is: its name, and how it is called."""
    head, paren, rest = entry.numpy.partition("(")
    name = head if paren else entry.function.__name__
    parameters = rest.removesuffix(")") if paren else entry.numpy
    return name, bound(entry, name, parameters, _as_array, namespace=True)


_ENTRIES: Final = dict(_bound(entry) for entry in TABLE.values() if entry.numpy)
FUNCTIONS: Final[dict[str, Function]] = {
    **_ENTRIES,
    **{
        f"linalg.{name}": bound(TABLE[name], name, TABLE[name].standard, _as_array, namespace=True)
        for name in functions.LINALG
    },
    "append": lambda xp, arr, values, axis=None: _ENTRIES["concatenate"](xp, (arr, values), axis),
    "atleast_1d": partial(_at_least, 1),
    "atleast_2d": partial(_at_least, 2),
    "broadcast_arrays": _broadcast_arrays,
    "clip": _clip,
    "column_stack": _column_stack,
    "copy": lambda xp, a: xp.asarray(a, copy=True),
    "dot": partial(_product, -2),
    "einsum": _einsum,
    "empty_like": lambda xp, prototype, dtype=None: xp.empty_like(prototype, dtype=dtype),
    "full_like": lambda xp, a, fill_value, dtype=None: xp.full_like(a, fill_value, dtype=dtype),
    "hstack": partial(_joined, 1),
    "inner": partial(_product, -1),
    "interp": lambda _, x, xp, fp, left=None, right=None: interp(x, xp, fp, left, right),
    "ones_like": lambda xp, a, dtype=None: xp.ones_like(a, dtype=dtype),
    "ptp": _ptp,
    "reshape": _reshape,
    "round": _round,
    **{n: passing(n, _PARAMETERS, partial(_over_some, n), None) for n in _BESIDE},
    "vdot": lambda xp, a, b: xp.asarray(a).flatten() @ xp.asarray(b).flatten(),
    "vstack": partial(_joined, 0),
    "where": _where,
    "zeros_like": lambda xp, a, dtype=None: xp.zeros_like(a, dtype=dtype),
}
"""The functions of NumPy that MLArrays have, by their names below `numpy.`."""

FUNCTIONS.update(amax=FUNCTIONS["max"], amin=FUNCTIONS["min"], around=FUNCTIONS["round"])

# What NumPy calls -----------------------------------------------------------------------------

_signature = cache(inspect.signature)

# Their answers have no gradient, or go where no graph can.
_OF_NUMBERS: Final = {
    *("allclose", "argwhere", "array2string", "array_equal", "array_equiv", "array_repr"),
    *("array_str", "bincount", "can_cast", "copyto", "digitize", "flatnonzero", "histogram"),
    *("histogram2d", "histogram_bin_edges", "histogramdd", "isclose", "iscomplex"),
    *("iscomplexobj", "isin", "isreal", "isrealobj", "may_share_memory", "min_scalar_type"),
    *("ndim", "result_type", "save", "savetxt", "savez", "savez_compressed", "shape"),
    *("shares_memory", "size"),
}


def apply_function(func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """What a function of NumPy gives for MLArrays.

    NotImplemented if another library's array among the arguments may know better.

    Raises:
        TypeError: there is no such function of MLArrays, or it has no such argument.
    """
    import numpy as np

    if not all(issubclass(kind, MLArray | np.ndarray) for kind in types):
        return NotImplemented
    name = ".".join([*func.__module__.split(".")[1:], func.__name__])
    if name in _OF_NUMBERS:
        copies = name == "copyto" or "weights" in kwargs
        args, kwargs = map_leaves(partial(_as_numbers, copies), (args, kwargs))
        return func(*args, **kwargs)
    function = FUNCTIONS.get(name)
    if function is None:
        raise TypeError(
            f"np.{name}: there is no such function of MLArrays; give np.asarray(x) in the place of "
            f"an MLArray x to compute with its numbers, without a graph"
        )
    array = next(x for x in leaves((args, kwargs)) if isinstance(x, MLArray))
    xp = array.__array_namespace__()
    try:
        given = _signature(function).bind(xp, *args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"np.{name} of MLArrays: {error}; give np.asarray(x) in the place of an MLArray x to "
            f"compute with its numbers, without a graph"
        ) from None
    return function(*given.args, **given.kwargs)


def _as_numbers(copies: bool, x: Any) -> Any:
    """An ndarray in place of an MLArray, which is copied or only looked at."""
    return (x if copies else x.detach()).__array__() if isinstance(x, MLArray) else x
