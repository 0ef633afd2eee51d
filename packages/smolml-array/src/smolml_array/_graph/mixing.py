"""Where arrays of two backends meet: nowhere, unless one of them takes in those of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smolml_array._graph.node import ArrayNode
from smolml_array.backends.signatures import Raw
from smolml_array.convert import as_dtype

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


def meeting(one: Backend, other: Backend) -> Backend | None:
    """The backend for arrays of these two; None if they do not go together."""
    for above, below in ((other, one), (one, other)):
        xp: Backend | None = above
        while xp is not None:
            if xp is below:
                return above
            xp = xp.adopts
    return None


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


def taken_in(xp: Any, operand: Any) -> ArrayNode:
    """The node of an array or a Value on a backend that takes them in, as constants or not.

    Raises:
        GraphError: gradients would have to flow there, and cannot.
    """
    found = xp.take_in(operand)
    return found if isinstance(found, ArrayNode) else ArrayNode(xp, found, False)


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
    if node.backend is xp:
        return node.raw
    if meeting(xp, node.backend) is xp:
        return taken_in(xp, x).raw
    return moved(xp, node)
