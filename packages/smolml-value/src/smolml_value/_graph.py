"""The graph: Node and the backward pass; knows no op and no number type but float fields.

Backward is iterative: mark what is reachable and count each node's consumers, then propagate a
node when its count is back at zero (Kahn's topological order), so depth costs no stack. What the
pass adds to the leaves is added in the end, all at once: an exception or Ctrl-C on the way adds
nothing, and calling backward twice adds exactly twice the gradient.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from smolml_value._errors import GraphError


class Node:
    """What the graph is made of. A node has parents and can push its cotangent to them.

    Subclasses other than `ScalarNode` override the underscored methods below; the engine calls
    them in this order: `_begin` (first reached), `_seed` (the root only), `_push` (its cotangent
    is complete), then `_commit`, or `_abort` if the pass failed.
    """

    __slots__ = ()

    def _parents(self) -> Sequence[Node]:
        """The nodes that get a part of this node's cotangent, one entry per edge."""
        return ()

    def _begin(self) -> None:
        """A pass reached this node: start from a zero cotangent, remember what must come back."""

    def _seed(self) -> None:
        """This node is the root: its cotangent is one."""

    def _push(self) -> None:
        """Add cotangent x partial to the cotangent of each parent."""

    def _commit(self) -> None:
        """The pass succeeded: add its cotangent to a leaf's gradient."""

    def _abort(self) -> None:
        """The pass failed: everything is as it was before `_begin`."""

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the gradient of every leaf that self depends on."""
        backward(self)


class ScalarNode(Node):
    """A node of one float with at most two parents and the partials to them: the fast case.

    `_made_by` is None for a leaf. A missing parent (None) is a constant; its number is then kept
    in the partial's place (`_dl` for the left, `_dr` for the right), since it has no partial.
    A node with `_made_by` and no parents at all is a subclass with `_parents` and `_push`.
    """

    __slots__ = (
        "_data",
        "_dl",
        "_dr",
        "_epoch",
        "_grad",
        "_lhs",
        "_made_by",
        "_pending",
        "_rhs",
    )
    _data: float
    _grad: float
    _lhs: ScalarNode | None
    _rhs: ScalarNode | None
    _dl: float
    _dr: float
    _made_by: object | None
    _epoch: int
    _pending: int

    def _parents(self) -> Sequence[Node]:
        return tuple(p for p in (self._lhs, self._rhs) if p is not None)

    def _seed(self) -> None:
        self._grad = 1.0


class _State:
    """What one pass must know of the others; guarded by the lock."""

    __slots__ = ("epoch", "running")

    def __init__(self) -> None:
        self.epoch = 0
        self.running = False


_STATE = _State()
_LOCK = threading.RLock()  # reentrant, so that a nested backward raises instead of deadlocking


def backward(root: Node) -> None:
    """Add d(root)/d(leaf) to the gradient of every leaf that `root` depends on.

    Inner nodes hold the gradients of the last pass. Two threads may call it on graphs that share
    leaves: one pass runs at a time. If a pass fails or is interrupted, no leaf has changed.

    Raises:
        GraphError: called from inside a backward pass (from an op's rule, say).
    """
    with _LOCK:
        if _STATE.running:
            raise GraphError(
                "backward: called while a backward pass is running in this thread (from inside "
                "an op's rule?); a rule must return its partials and leave the graph alone"
            )
        try:
            _STATE.running = True
            _STATE.epoch += 1
            _Pass(_STATE.epoch).run(root)
        finally:
            _STATE.running = False


class _Pass:
    """One backward pass: which nodes it reached, and what the leaves held before."""

    __slots__ = ("counts", "epoch", "leaves", "nodes", "others", "saved", "scalars")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.scalars: list[ScalarNode] = []  # to visit, then: ready to propagate
        self.others: list[Node] = []  # the same for nodes that are not ScalarNodes
        self.nodes: list[Node] = []  # every other node reached
        self.counts: dict[int, int] = {}  # id of such a node -> consumers still to come
        self.leaves: list[ScalarNode] = []
        self.saved: list[float] = []  # the gradients of the leaves before this pass

    def run(self, root: Node) -> None:
        try:
            self.mark(root)
            root._seed()
            self.propagate(root)
            for leaf, before in zip(self.leaves, self.saved, strict=True):
                leaf._grad += before
            for node in self.nodes:
                node._commit()
        except BaseException:
            for leaf, before in zip(self.leaves, self.saved, strict=False):
                leaf._grad = before
            for node in self.nodes:
                node._abort()
            raise

    def reach(self, node: Node) -> None:
        """Count one more consumer of `node`; on the first, start it and queue it."""
        if isinstance(node, ScalarNode):
            if node._epoch == self.epoch:
                node._pending += 1
                return
            node._epoch = self.epoch
            node._pending = 1
            if node._made_by is None:
                self.saved.append(node._grad)
                self.leaves.append(node)
            else:
                self.scalars.append(node)
            node._grad = 0.0
        else:
            key = id(node)
            count = self.counts.get(key, 0)
            if count == 0:
                self.nodes.append(node)
                node._begin()
                self.others.append(node)
            self.counts[key] = count + 1

    def mark(self, root: Node) -> None:
        """Reach everything that `root` depends on."""
        epoch = self.epoch
        scalars = self.scalars
        leaves = self.leaves
        saved = self.saved
        self.reach(root)
        while True:
            while scalars:
                v = scalars.pop()
                left = v._lhs
                right = v._rhs
                if left is not None:
                    if left._epoch == epoch:
                        left._pending += 1
                    else:
                        left._epoch = epoch
                        left._pending = 1
                        if left._made_by is None:
                            saved.append(left._grad)
                            leaves.append(left)
                        else:
                            scalars.append(left)
                        left._grad = 0.0
                if right is not None:
                    if right._epoch == epoch:
                        right._pending += 1
                    else:
                        right._epoch = epoch
                        right._pending = 1
                        if right._made_by is None:
                            saved.append(right._grad)
                            leaves.append(right)
                        else:
                            scalars.append(right)
                        right._grad = 0.0
                elif left is None:
                    for parent in v._parents():
                        self.reach(parent)
            if not self.others:
                return
            for parent in self.others.pop()._parents():
                self.reach(parent)

    def release(self, node: Node) -> None:
        """One consumer of `node` is done; when it was the last, the node is ready."""
        if isinstance(node, ScalarNode):
            node._pending -= 1
            if node._pending == 0 and node._made_by is not None:
                self.scalars.append(node)
        else:
            count = self.counts[id(node)] - 1
            self.counts[id(node)] = count
            if count == 0:
                self.others.append(node)

    def propagate(self, root: Node) -> None:
        """Push cotangents from `root` down, each node once, when its own is complete.

        A zero cotangent contributes zero whatever the partial is (0 * inf is nan): so does a
        branch that was not taken, as in where(x > 0, sqrt(x), 0) at x = 0.
        """
        scalars = self.scalars
        self.release(root)
        while True:
            while scalars:
                v = scalars.pop()
                g = v._grad
                left = v._lhs
                right = v._rhs
                if left is not None:
                    if g != 0.0:
                        left._grad += v._dl * g
                    left._pending -= 1
                    if left._pending == 0 and left._made_by is not None:
                        scalars.append(left)
                if right is not None:
                    if g != 0.0:
                        right._grad += v._dr * g
                    right._pending -= 1
                    if right._pending == 0 and right._made_by is not None:
                        scalars.append(right)
                elif left is None:
                    v._push()
                    for parent in v._parents():
                        self.release(parent)
            if not self.others:
                return
            node = self.others.pop()
            node._push()
            for parent in node._parents():
                self.release(parent)
