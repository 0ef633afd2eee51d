"""The traced namespace for arrays: rules run on MLArrays give results with derivatives.

It has the part of the backend protocol that rules use, on MLArrays in place of raw arrays: the
entries of the table of array functions, and the ops.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from functools import cache, partial
from typing import Any, Final

from smolml_array._graph.hooks import HOOKS
from smolml_array.array import MLArray
from smolml_array.backends import get_backend
from smolml_array.backends.derived import DERIVED
from smolml_array.backends.silence import Silence
from smolml_array.functions import affine, einsum, joining  # noqa: F401  # they fill the table
from smolml_array.functions.table import FOR_RULES, FUNCTIONS
from smolml_value.extending import TracedNamespace, find_traced
from smolml_value.extending.derivatives import of

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: entry.function for name, entry in FUNCTIONS.items()},
    **FOR_RULES,
    "add_into": lambda total, x: total + x,
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
            numbers = (a._current_node().raw if isinstance(a, MLArray) else a for a in args)
            return MLArray._constant(xp, getattr(xp, name)(*numbers, **kwargs))

        return made

    functions = {**_FUNCTIONS, **{name: create(name) for name in _CREATION}, "bool": xp.bool}
    space = TracedNamespace(
        lambda name: functions[name] if name in functions else find_traced(name)
    )

    def cotangent_product(g: MLArray, p: Any) -> MLArray:
        c: MLArray = g * p
        if bool(xp.all(xp.isfinite(c._current_node().raw))):
            return c
        zero = xp.logical_or(*(xp.equal(of(x).number_of(x), 0) for x in (g, p)))
        made: MLArray = space.where(MLArray._constant(xp, zero), space.zeros_like(c), c)
        return made

    functions["cotangent_product"] = cotangent_product
    functions["sum_to_shape"] = partial(DERIVED["sum_to_shape"], space)
    functions["silence"] = Silence(Context(), space)  # its functions see to it themselves
    return space


HOOKS.traced = traced
