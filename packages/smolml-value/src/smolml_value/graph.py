"""The graph: nodes of one float, and the backward pass over them and over nodes of any kind.

Backward is iterative: mark what is reachable and count each node's consumers, then propagate a
node when its count is back at zero (Kahn's topological order), so depth costs no stack. What the
pass adds to the leaves is added in the end, all at once: an exception or Ctrl-C on the way adds
nothing, and calling backward twice adds exactly twice the gradient.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from smolml_value._runtime.build import COMPILED
from smolml_value._runtime.compat import i32, mypyc_attr
from smolml_value._runtime.forks import after_fork, free
from smolml_value.errors import GraphError
from smolml_value.node import Node as Node
from smolml_value.node import product as product
from smolml_value.operand import Operand
from smolml_value.recording import MODE

CUT_OFF: Final = 1.0
"""What `_dr` is of a leaf that is the result of something that was not recorded."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ScalarNode(Operand):
    """A node of one float with at most two parents and the partials to them: the fast case.

    `_made_by` is None for a leaf. A missing parent (None) is a constant; its number is then kept
    in the partial's place (`_dl` for the left, `_dr` for the right), since it has no partial.
    A leaf that is the result of something, but cut off from it, has CUT_OFF for its `_dr`.
    A node with `_made_by` and no parents at all is a subclass with `_parents` and `_push`.
    """

    __slots__ = ("_data", "_dl", "_dr", "_grad", "_lhs", "_made_by", "_pending", "_rhs")
    _pending: i32  # consumers still to come in the pass that runs; 0 when none runs
    _data: float
    _grad: float
    _lhs: ScalarNode | None
    _rhs: ScalarNode | None
    _dl: float
    _dr: float
    _made_by: object | None

    def _parents(self) -> Sequence[Node]:
        left, right = self._lhs, self._rhs
        if left is None:
            return () if right is None else (right,)
        return (left,) if right is None else (left, right)

    def _seed(self) -> None:
        self._grad = 1.0

    def _receive(self, c: Any) -> None:
        self._grad += float(c)

    def _reach_parents(self, running: Pass) -> None:
        """For nodes that are not of the fast case: `reach` each parent."""
        for parent in self._parents():
            running.reach(parent)

    def _push_and_release(self, running: Pass) -> None:
        """For nodes that are not of the fast case: push, then `release` each parent."""
        self._push()
        for parent in self._parents():
            running.release(parent)


class _State:
    """What one pass must know of the others; guarded by the lock."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest: Pass | None = None  # until it has come to its end

    def clean_up(self) -> None:
        """Remove what a pass that was interrupted has left in its graph."""
        assert self.latest is not None
        self.latest.commit_or_restore()
        self.latest = None


_STATE: Final = _State()
# reentrant, so that a nested backward raises instead of deadlocking
LOCK: Final = threading.RLock()
# held while a pass runs, and no flag: a with statement frees a lock whatever comes between
_RUNNING: Final = threading.Lock()
_acquire: Final = LOCK.acquire
_release: Final = LOCK.release


def backward(root: Node) -> None:
    """Add d(root)/d(leaf) to the gradient of every leaf that `root` depends on.

    Inner nodes hold the gradients of the last pass. Two threads may call it on graphs that share
    leaves: one pass runs at a time. If a pass fails or is interrupted, no leaf has changed.
    Raises GraphError if called from inside a backward pass (from an op's rule, say), or on what was
    cut off from its graph.
    """
    if isinstance(root, ScalarNode) and root._made_by is None and root._dr == CUT_OFF:
        raise GraphError(
            "backward: this Value was computed inside no_grad(), or cut off by stop_gradient(): it "
            "depends on nothing that has a gradient; compute it outside, or make a leaf of it: "
            "Value(y.data)"
        )
    if COMPILED:  # no signal is heard between two calls, and this is faster than `with`
        _acquire()
        try:
            one_pass(root, None)
        finally:
            _release()
    else:
        with LOCK:
            one_pass(root, None)


def one_pass(root: Node, run: Callable[[Any], bool] | None) -> bool:
    """The pass from `root`, for who holds the lock; whether it was made.

    `run(root)` makes it in place of the loop here, for a kind of nodes that has one of its own.
    """
    if _RUNNING.locked():
        raise GraphError(
            "backward: called while a backward pass is running in this thread (from inside "
            "an op's rule?); a rule must return its partials and leave the graph alone"
        )
    with _RUNNING:
        try:
            if _STATE.latest is not None:
                _STATE.clean_up()
            if run is not None:
                return run(root)
            _STATE.latest = running = Pass()
            running.run(root)
            _STATE.latest = None
            return True
        finally:
            if _STATE.latest is not None:
                _STATE.clean_up()  # if this is interrupted too, the next pass does it


@after_fork
def _in_child() -> None:
    if free(LOCK):  # a thread was in a pass that is not there; the next pass cleans up
        free(_RUNNING)


# More consumers than a node can have: one without parents has nothing to push.
_NEVER: Final = 2**40


class _Others:
    """The nodes of a pass that are not ScalarNodes: their state cannot be kept in their fields."""

    __slots__ = ("counts", "queue", "reached", "scalars")

    def __init__(self) -> None:
        self.scalars: list[ScalarNode] = []  # whose parents have been reached
        self.queue: list[Node] = []  # to visit, then: ready to propagate
        self.reached: list[Node] = []
        self.counts: dict[int, int] = {}  # id of a node -> consumers still to come


class Pass:
    """One backward pass: which nodes it reached.

    A leaf's `_pending` is one more than the consumers still to come, from when it is reached until
    it is committed or restored, and its `_dl`, a leaf having no partials, is its gradient before
    the pass.
    """

    __slots__ = ("complete", "leaves", "others", "ready", "scalars")

    def __init__(self) -> None:
        self.scalars: list[ScalarNode] = []  # all that were reached, leaves apart
        self.ready: list[ScalarNode] = []  # to propagate
        self.leaves: list[ScalarNode] = []
        self.others: _Others | None = None  # most graphs of Values have none
        self.complete: bool = False  # every cotangent is: the pass will count

    def run(self, root: Node) -> None:
        try:
            self.mark(root)
            root._seed()
            self.propagate(root)
            if MODE.watched:
                MODE.watcher.passed(root)
            if self.others is not None:
                for node in self.others.reached:
                    node._commit()
            self.complete = True  # an interrupt from here on does not undo it
        finally:
            self.commit_or_restore()
            if not self.complete and self.others is not None:
                for node in self.others.reached:
                    node._abort()
                for node in self.others.queue:  # to visit, and so not there yet
                    node._abort()

    def commit_or_restore(self) -> None:
        """Add to the leaves if the pass is complete, else take back; remove all marks."""
        complete = self.complete
        for leaf in self.leaves:
            if leaf._pending:  # once
                leaf._grad = leaf._grad + leaf._dl if complete else leaf._dl
                leaf._pending = 0
        if not complete:  # else only leaves still bear a mark
            for v in self.scalars:
                v._pending = 0
            if self.others is not None:
                for v in self.others.scalars:
                    v._pending = 0

    def reach(self, node: Node) -> None:
        """Count one more consumer of `node`; on the first, start it and queue it."""
        if isinstance(node, ScalarNode):
            if node._pending:
                node._pending += 1
                return
            if node._made_by is None:
                self.leaves.append(node)
                node._dl = node._grad
                node._pending = 2
            else:
                self.scalars.append(node)
                node._pending = 1
            node._grad = 0.0  # only now: `commit_or_restore` must find every node that bears a mark
            return
        others = self.others
        if others is None:
            others = self.others = _Others()
        key = id(node)
        count = others.counts.get(key, 0)
        if count == 0:
            node._begin()  # first: what has not begun must not be aborted
            others.queue.append(node)
        others.counts[key] = count + 1

    def mark(self, root: Node) -> None:
        """Reach everything that `root` depends on."""
        scalars = self.scalars
        leaves = self.leaves
        self.reach(root)
        while True:
            for v in scalars:  # which grows
                left = v._lhs
                right = v._rhs
                if left is not None:  # reach, written out twice
                    count = left._pending
                    if count:
                        left._pending = count + 1
                    else:
                        if left._made_by is None:
                            leaves.append(left)
                            left._dl = left._grad
                            left._pending = 2
                        else:
                            scalars.append(left)
                            left._pending = 1
                        left._grad = 0.0
                if right is not None:
                    count = right._pending
                    if count:
                        right._pending = count + 1
                    else:
                        if right._made_by is None:
                            leaves.append(right)
                            right._dl = right._grad
                            right._pending = 2
                        else:
                            scalars.append(right)
                            right._pending = 1
                        right._grad = 0.0
                elif left is None:
                    v._reach_parents(self)
            others = self.others
            if others is None or not others.queue:
                return
            others.scalars.extend(scalars)
            scalars.clear()
            self.mark_others(others)

    def mark_others(self, others: _Others) -> None:
        """Reach the parents of the nodes in the queue, theirs and so on."""
        queue = others.queue
        for node in queue:  # which grows
            parents = node._parents()
            if not parents:
                others.counts[id(node)] += _NEVER
            for parent in parents:
                self.reach(parent)
        others.reached.extend(queue)
        queue.clear()

    def release(self, node: Node) -> None:
        """One consumer of `node` is done; when it was the last, the node is ready."""
        if isinstance(node, ScalarNode):
            node._pending -= 1
            if node._pending == 0:  # never a leaf
                self.ready.append(node)
            return
        others = self.others
        assert others is not None  # `mark` has reached the node
        count = others.counts[id(node)] - 1
        others.counts[id(node)] = count
        if count == 0:
            others.queue.append(node)

    def hand_on(self, node: ScalarNode, g: float, partial: float) -> None:
        """Add cotangent x partial to a parent's cotangent, and `release` it."""
        if g != 0.0 and partial != 0.0:
            node._grad += partial * g
        count = node._pending - 1
        node._pending = count
        if count == 0:
            self.ready.append(node)

    def propagate(self, root: Node) -> None:
        """Push cotangents from `root` down, each node once, when its own is complete.

        A zero cotangent contributes zero whatever the partial is, and a zero partial whatever the
        cotangent is (0 * inf is nan): so does a branch that was not taken, as in
        where(x > 0, sqrt(x), 0) at x = 0, or in sqrt(where(x > 0, x, 0)).
        """
        ready = self.ready
        following: ScalarNode | None = None  # ready too: it comes before those in the list
        if isinstance(root, ScalarNode):
            root._pending -= 1
            if root._pending == 0:
                following = root
        else:
            self.release(root)
        while True:
            while True:  # Python 3.11 is slow to adapt to a loop with a condition
                if following is not None:
                    v = following
                    following = None
                elif ready:
                    v = ready.pop()
                else:
                    break
                g = v._grad
                left = v._lhs
                right = v._rhs
                if left is not None:
                    part = v._dl * g  # `product`, written out: only nan may have to be zero
                    if part != part:
                        part = product(g, v._dl)
                    left._grad = left._grad + part
                    count = left._pending
                    if count == 1:  # never a leaf
                        left._pending = 0
                        following = left
                    else:
                        left._pending = count - 1
                if right is not None:
                    part = v._dr * g
                    if part != part:
                        part = product(g, v._dr)
                    right._grad = right._grad + part
                    count = right._pending
                    if count == 1:
                        right._pending = 0
                        if following is not None:
                            ready.append(following)
                        following = right
                    else:
                        right._pending = count - 1
                elif left is None:
                    v._push_and_release(self)
            if self.others is None or not self.others.queue:
                return
            node = self.others.queue.pop()
            node._push()
            for parent in node._parents():
                self.release(parent)
