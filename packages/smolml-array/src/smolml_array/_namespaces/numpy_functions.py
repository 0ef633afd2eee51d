"""NumPy's functions on MLArrays: np.sum(x), np.concatenate([x, y]) and the like.

Those that we have stay in the graph, those that answer with a plain bool or text are NumPy's own,
and everything else raises: silently going on without the graph would lose gradients.
"""

from __future__ import annotations

import inspect
from functools import cache, partial
from typing import Any, Final

from smolml_array._namespaces.numpy_signatures import FUNCTIONS
from smolml_array.array import MLArray
from smolml_value.extending.derivatives import leaves, map_leaves

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
        bound = _signature(function).bind(xp, *args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"np.{name} of MLArrays: {error}; give np.asarray(x) in the place of an MLArray x to "
            f"compute with its numbers, without a graph"
        ) from None
    return function(*bound.args, **bound.kwargs)


def _as_numbers(copies: bool, x: Any) -> Any:
    """An ndarray in place of an MLArray, which is copied or only looked at."""
    return (x if copies else x.detach()).__array__() if isinstance(x, MLArray) else x
