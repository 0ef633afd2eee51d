"""Where arrays of two backends meet: nowhere, unless one of them takes in those of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smolml_array._graph.node import ArrayNode
from smolml_array.backends.signatures import Raw
from smolml_array.convert import as_dtype
from smolml_value import Value

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


def meeting(one: Backend, other: Backend) -> Backend | None:
    """The backend for arrays of these two; None if they do not go together."""
    if _is_over(other, one):
        return other
    return one if _is_over(one, other) else None


def _is_over(xp: Backend, below: Backend) -> bool:
    return xp is below or (xp.adopts is not None and _is_over(xp.adopts, below))


def common(who: str, xp: Backend | None, own: Backend) -> Backend:
    """The backend for operands of these two; `xp` is None before the first operand.

    Raises:
        ValueError: they do not go together.
    """
    if xp is None:
        return own
    found = meeting(xp, own)
    if found is not None:
        return found
    raise ValueError(
        f"{who}: one operand lives on the backend {xp.name!r}, another on "
        f"{own.name!r}; move one with x.to_backend({xp.name!r})"
    )


def node_on(xp: Any, operand: Any) -> ArrayNode:
    """The node of an array or a Value on a backend, which takes it in if it is on another one.

    Raises:
        GraphError: gradients would have to flow there, and cannot.
    """
    node = None if isinstance(operand, Value) else operand._current_node()
    if node is None or node.backend is not xp:
        node = xp.take_in(operand)
    return node  # type: ignore[no-any-return]


def for_message(raw: Any) -> Any:
    """The numbers for an error message; an array of a recording tells them to nobody else."""
    return getattr(raw, "array", raw)


def moved(xp: Backend, node: ArrayNode) -> Raw:
    """The numbers of a node on another backend; float64 if it does not have their type."""
    name = node.raw.dtype.name
    dtype = as_dtype(xp, name if hasattr(xp, name) else "float64")
    return xp.from_flat(node.backend.to_flat(node.raw), node.shape, dtype)


def numbers_on(xp: Backend, x: Any) -> Raw:
    """The numbers of an array on this backend, moved there or taken in if they are on another."""
    node = x._current_node()
    return node_on(xp, x).raw if meeting(xp, node.backend) is xp else moved(xp, node)
