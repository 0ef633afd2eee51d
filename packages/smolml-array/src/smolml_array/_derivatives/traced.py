"""The traced namespace for arrays: rules run on MLArrays give results with derivatives.

It has the part of the backend protocol that rules use, on MLArrays in place of raw arrays: the
entries of the table of array functions, and the ops.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from smolml_array._graph.hooks import HOOKS
from smolml_array._shapes.axes import Shape, unbroadcast_axes
from smolml_array.array import MLArray
from smolml_array.backends import get_backend
from smolml_array.functions import einsum, joining, products  # noqa: F401  # they fill the table
from smolml_array.functions.table import FOR_RULES, FUNCTIONS
from smolml_value.extending import TracedNamespace, find_traced


def _sum_to_shape(x: MLArray, shape: Shape) -> MLArray:
    """The adjoint of broadcasting from `shape`."""
    if x.shape == shape:
        return x
    summed = x.sum(unbroadcast_axes(x.shape, shape))
    return summed if summed.shape == shape else FOR_RULES["reshape"](summed, shape)


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: entry.function for name, entry in FUNCTIONS.items()},
    **FOR_RULES,
    "add_into": lambda total, x: total + x,
    "sum_to_shape": _sum_to_shape,
}
_CREATION: Final = (
    *("zeros", "ones", "full", "arange", "eye"),
    *("zeros_like", "ones_like", "full_like"),
)


@cache
def traced(backend: str) -> TracedNamespace:
    """The `xp` for MLArrays of one backend."""
    xp = get_backend(backend)

    def create(name: str) -> Callable[..., MLArray]:
        def made(*args: Any, **kwargs: Any) -> MLArray:
            numbers = (a._fetch().raw if isinstance(a, MLArray) else a for a in args)
            return MLArray._constant(xp, getattr(xp, name)(*numbers, **kwargs))

        return made

    functions = {**_FUNCTIONS, **{name: create(name) for name in _CREATION}}

    def look_up(name: str) -> Any:
        function = functions.get(name)
        return find_traced(name) if function is None else function

    return TracedNamespace(look_up)


HOOKS.traced = traced
