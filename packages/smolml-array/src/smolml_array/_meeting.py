"""Where arrays of two backends meet: nowhere, unless one of them takes in those of the other."""

from __future__ import annotations

from typing import Any

from smolml_array._node import ArrayNode
from smolml_array.backends.protocol import Backend
from smolml_value import GraphError


def common(who: str, xp: Backend | None, own: Backend) -> Backend:
    """The backend for operands of these two; `xp` is None before the first operand.

    Raises:
        ValueError: they do not go together.
    """
    if own is xp or xp is None or own.adopts is xp:
        return own
    if xp.adopts is own:
        return xp
    raise ValueError(
        f"{who}: one operand lives on the backend {xp.name!r}, another on "
        f"{own.name!r}; move one with x.to_backend({xp.name!r})"
    )


def taken_in(xp: Any, operand: Any) -> ArrayNode:
    """The node, on this backend, of an operand that is not of it: a constant.

    Raises:
        GraphError: gradients would have to flow there.
    """
    node = operand._fetch() if hasattr(operand, "_fetch") else None
    if node is None or node.tracked:
        what = "a Value" if node is None else f"an array of shape {node.shape}"
        raise GraphError(
            f"replay: the function uses {what} that gradients flow to, but that it was not "
            f"given: name it among the parameters, or pass it as an argument"
        )
    return ArrayNode(xp, xp.adopt(operand, node.raw), False)
