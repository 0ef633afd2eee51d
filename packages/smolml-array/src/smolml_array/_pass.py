"""The backward pass over arrays alone: the fast case, as the engine's loop over Values is another.

Nodes are taken in the reverse order in which they were made, so each comes after all that used it.
What is found on the way is kept here, and the nodes get it in the end: a pass that fails or is
interrupted, or that meets a node of another kind, has changed nothing.
"""

from __future__ import annotations

from heapq import heappop, heappush

from smolml_array._cotangents import cotangents_of
from smolml_array._node import ArrayNode
from smolml_array._release import LARGE, release
from smolml_array.backends.protocol import Raw


def backward_alone(root: ArrayNode) -> bool:
    """Add d(root)/d(leaf) to every leaf; False if there are nodes that are no plain arrays."""
    if root.__class__ is not ArrayNode:
        return False
    xp = root.backend
    found: dict[ArrayNode, Raw] = {root: xp.unguarded.ones_like(root.raw)}
    owned: set[ArrayNode] = set()  # whose cotangents were allocated here, and may be written to
    waiting: list[tuple[int, ArrayNode]] = []
    hidden: set[ArrayNode] | None = None  # what nobody can see, once there is something large
    node = root
    while True:
        if node.rule is not None:  # cotangent x partial, to the cotangent of each operand
            if hidden is None and _is_large(node.operands[0]):
                hidden = release(root)
            for parent, c in zip(node.operands, cotangents_of(node, found[node]), strict=True):
                if c is None:
                    continue
                if parent.__class__ is not ArrayNode:
                    return False
                raw = parent.raw
                if c.__class__ is not raw.__class__:  # NumPy's operators make scalars of 0-d arrays
                    c = xp.asarray(c)
                if c.dtype is not raw.dtype and c.dtype != raw.dtype:
                    c = xp.astype(c, raw.dtype)
                before = found.get(parent)
                if before is None:
                    found[parent] = c
                    if parent.rule is not None:
                        heappush(waiting, (parent.order, parent))
                elif parent in owned:
                    found[parent] = xp.add_into(before, c)
                else:
                    found[parent] = xp.add(before, c)
                    owned.add(parent)
            if hidden and node in hidden:
                del found[node]
        if not waiting:
            break
        node = heappop(waiting)[1]
    commit(found)
    return True


def _is_large(node: object) -> bool:
    return isinstance(node, ArrayNode) and bool(node.raw.size >= LARGE)


def commit(found: dict[ArrayNode, Raw]) -> None:
    """Add what the leaves got to their gradients; inner nodes have that of the last pass."""
    earlier = [node.grad for node in found]
    try:
        for node, c in found.items():
            if node.rule is None and node.grad is not None:
                c = node.backend.add(node.grad, c)
            node.grad = c
    except BaseException:
        for node, grad in zip(found, earlier, strict=True):
            node.grad = grad
        raise
