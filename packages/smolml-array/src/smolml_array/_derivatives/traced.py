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
from smolml_array.functions import affine, einsum, equations, numerics  # noqa: F401  # fill it
from smolml_array.functions.table import FOR_RULES, FUNCTIONS
from smolml_value.extending import TracedNamespace, find_traced
from smolml_value.extending.derivatives import of

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: entry.function for name, entry in FUNCTIONS.items()},
    **FOR_RULES,
    "add_into": lambda total, x: total + x,
    "index_add_into": FOR_RULES["index_add"],
}
_CREATION: Final = (
    *("zeros", "ones", "full", "arange", "eye"),
    *("zeros_like", "ones_like", "full_like"),
)


def cotangent_product(g: Any, p: Any) -> Any:
    """g * p of operands; a zero times inf or nan is zero, and nothing flows through it.

    Only these: where both are finite, a zero may be the place to differentiate at.
    """
    made = g * p
    node = made._current_node()
    xp = node.backend
    if bool(xp.all(xp.isfinite(all_examples(node.raw)))):
        return made
    either = xp.logical_or(*(xp.equal(of(x).number_of(x), 0) for x in (g, p)))
    lost = MLArray._constant(xp, xp.logical_and(either, xp.isnan(node.raw)))
    return find_traced("where")(lost, 0.0, made)


def cotangent_matmul(x: Any, y: Any) -> Any:
    """x @ y of operands, by the same rule; where it is not finite, product by product."""
    made = x @ y
    node = made._current_node()
    if bool(node.backend.all(node.backend.isfinite(all_examples(node.raw)))):
        return made
    rows = x.expand_dims(0) if x.ndim == 1 else x
    columns = y.expand_dims(-1) if y.ndim == 1 else y
    each = cotangent_product(rows.expand_dims(-1), columns.expand_dims(-3))
    return each.sum(axis=-2).reshape(made.shape)


def all_examples(raw: Any) -> Any:
    """The numbers that are there: of a batch, as vmap has them, those of all examples."""
    while hasattr(raw, "whole"):
        raw = raw.whole
    return raw


_FUNCTIONS.update(cotangent_product=cotangent_product, cotangent_matmul=cotangent_matmul)


@cache
def traced(backend: str) -> TracedNamespace:
    """The `xp` for MLArrays of one backend."""
    xp = get_backend(backend)

    def create(name: str) -> Callable[..., MLArray]:
        def made(*args: Any, **kwargs: Any) -> MLArray:
            nodes = [a._current_node() for a in args if isinstance(a, MLArray)]
            own = nodes[0].backend if nodes else xp
            numbers = (a._current_node().raw if isinstance(a, MLArray) else a for a in args)
            return MLArray._constant(own, getattr(own, name)(*numbers, **kwargs))

        return made

    functions = {**_FUNCTIONS, **{name: create(name) for name in _CREATION}, "bool": xp.bool}
    space = TracedNamespace(
        lambda name: functions[name] if name in functions else find_traced(name)
    )
    functions["sum_to_shape"] = partial(DERIVED["sum_to_shape"], space)
    functions["silence"] = Silence(Context(), space)  # its functions see to it themselves
    return space


HOOKS.traced = traced
