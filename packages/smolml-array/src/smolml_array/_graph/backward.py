"""The backward pass over arrays alone: the fast case, as the engine's loop over Values is another.

Nodes are taken in the reverse order in which they were made, so each comes after all that used it.
What is found on the way is kept here, and the nodes get it in the end: a pass that fails or is
interrupted, or that meets a node of another kind, has changed nothing.
"""

from __future__ import annotations

from heapq import heappop, heappush, heappushpop
from operator import attrgetter
from typing import Any

from smolml_array._graph.free_buffers import LARGE, release
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OWN_OPS, Rule, is_own
from smolml_array._graph.vjps import cotangents_of, op_vjps
from smolml_array.backends.signatures import Raw


def backward_arrays(root: ArrayNode) -> bool:
    """Add d(root)/d(leaf) to every leaf, in its silence; False if a node is no plain array."""
    kind = root.__class__
    guarded = root.backend
    xp = guarded.silence.plain
    found: dict[Any, Raw] = {root: xp.ones_like(root.raw)}
    owned: set[ArrayNode] = set()  # whose cotangents were allocated here, and may be written to
    waiting: list[tuple[int, ArrayNode]] = []
    hidden: set[ArrayNode] | None = None  # what nobody can see, once there is something large
    node = root
    while True:
        following = None  # one that waits as well; mostly there is no other, and no heap needed
        operands, rule = node.operands, node.rule
        if rule is not None:  # cotangent x partial, to the cotangent of each operand
            if hidden is None and operands[0].__class__ is kind and operands[0].raw.size >= LARGE:
                hidden = release(root)
            args, params = (xp, found[node], node.out, *node.primals), node.params
            given: Any
            into = rest = over = None
            if rule.__class__ is not Rule:
                given = op_vjps(rule) if rule in OWN_OPS or is_own(rule) else ()
            else:
                given, into, rest = rule.vjps, rule.into, rule.rest
                if rest is not None and node in owned and _is_free(node, found):
                    over, given = rest, (_the_same, *given[1:])
            if not (one_by_one := bool(given)):  # plugins, and rules of any number of operands
                given = cotangents_of(node, found[node])
            for parent, c in zip(operands, given):  # noqa: B905  # strict: 100 ns a node
                if parent is None or c is None:
                    continue
                if into is not None and parent in owned:
                    found[parent] = into(xp, found[parent], found[node], **params)
                    continue
                if one_by_one:
                    c = c(*args, **params) if params else c(*args)
                if parent.__class__ is not kind:
                    return False
                if c.dtype is not (dtype := parent.raw.dtype) and c.dtype != dtype:
                    c = xp.astype(c, dtype)
                if (before := found.get(parent)) is None:
                    found[parent] = c
                    if into is not None or (rest is not None and parent is operands[0]):
                        owned.add(parent)
                    if parent.rule is not None and following is None:
                        following = parent
                    elif parent.rule is not None:
                        heappush(waiting, (parent.sequence, parent))
                elif parent in owned:
                    found[parent] = xp.add_into(before, c)
                else:
                    found[parent] = guarded.add(before, c)  # an array, also of scalars
                    owned.add(parent)
            if over is not None:
                found[operands[0]] = over(xp, found.pop(node), **params)
            elif hidden and node in hidden:
                del found[node]
        if not waiting:
            if following is None:
                break
            node = following
        elif following is None:
            node = heappop(waiting)[1]
        else:
            node = heappushpop(waiting, (following.sequence, following))[1]
    commit(found)
    return True


def _is_free(node: ArrayNode, found: dict[ArrayNode, Raw]) -> bool:
    """Whether the cotangent of a node that nobody can see may become that of its first operand."""
    first, *others = node.operands
    return bool(node.let_go) and first is not None and first not in found and first not in others


def _the_same(xp: Any, g: Raw, *args: Any, **params: Any) -> Raw:
    return g


_grad = attrgetter("grad")


def commit(found: dict[ArrayNode, Raw]) -> None:
    """Add what the leaves got to their gradients; inner nodes have that of the last pass."""
    earlier = list(map(_grad, found))
    try:
        for node, c in found.items():
            if node.rule is None and node.grad is not None:
                c = node.backend.add(node.grad, c)
            elif c.__class__ is not node.raw.__class__:  # a scalar that NumPy makes of 0-d arrays
                c = node.backend.silence.as_array(c)
            node.grad = c
    except BaseException:
        for node, grad in zip(found, earlier, strict=True):
            node.grad = grad
        raise
