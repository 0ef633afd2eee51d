"""Passes that fail, are interrupted, nested or concurrent: the gradients stay right."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from smolml_value import GraphError, Op, Value, elementwise, graph, ops
from smolml_value.graph import Node, backward
from tests.value.test_graph import chain, net


def raising(error: BaseException) -> Op:
    """The identity, whose backward raises."""

    def vjp(xp: Any, g: float, out: float, x: float) -> tuple[float]:
        raise error

    return elementwise("raising", lambda xp, x: x, vjp=vjp)


def calling(f: Callable[[], object]) -> Op:
    """The identity, whose backward calls `f`."""

    def vjp(xp: Any, g: float, out: float, x: float) -> tuple[float]:
        f()
        return (g,)

    return elementwise("calling", lambda xp, x: x, vjp=vjp)


@pytest.fixture
def leaves() -> list[Value]:
    """Leaves that hold gradients of an earlier pass."""
    made = [Value(0.1 * i + 0.1) for i in range(5)]
    net(made).backward()
    return made


def expected(leaves: list[Value]) -> list[float]:
    """The gradients after one more pass over net(leaves), bit by bit."""
    twins = [Value(v.data) for v in leaves]
    net(twins).backward()
    return [v.grad + t.grad for v, t in zip(leaves, twins, strict=True)]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ValueError("no"), MemoryError(), SystemExit(1)]
)
def test_a_rule_that_raises_changes_no_leaf(leaves: list[Value], error: BaseException) -> None:
    before = [v.grad for v in leaves]
    wanted = expected(leaves)
    first, *rest = leaves
    # some leaves get their cotangents before the rule raises, some would after
    root = net(rest) + raising(error)(net(leaves)) + first * 2.0
    for _ in range(3):
        with pytest.raises(type(error)):
            root.backward()
        assert [v.grad for v in leaves] == before
    net(leaves).backward()
    assert [v.grad for v in leaves] == wanted


def test_the_same_graph_goes_through_when_the_cause_is_gone(leaves: list[Value]) -> None:
    broken = [True]

    def once() -> None:
        if broken:
            broken.pop()
            raise KeyboardInterrupt

    wanted = expected(leaves)
    root = calling(once)(net(leaves))
    with pytest.raises(KeyboardInterrupt):
        root.backward()
    root.backward()
    assert [v.grad for v in leaves] == wanted


def test_ctrl_c_inside_a_rule(leaves: list[Value]) -> None:
    before = [v.grad for v in leaves]
    wanted = expected(leaves)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        root = calling(lambda: signal.raise_signal(signal.SIGINT))(net(leaves))
        with pytest.raises(KeyboardInterrupt):
            root.backward()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert [v.grad for v in leaves] == before
    net(leaves).backward()
    assert [v.grad for v in leaves] == wanted


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Sets a timer whose signal raises KeyboardInterrupt, as Ctrl-C does."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("no interval timers here")
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, handler)


def test_a_real_signal_at_any_time(alarm: Callable[[float], None]) -> None:
    leaves = [Value(0.001 * i) for i in range(1000)]
    root = net(leaves)
    root.backward()
    once = [v.grad for v in leaves]
    durations = []
    for _ in range(5):
        begin = time.perf_counter()
        root.backward()
        durations.append(time.perf_counter() - begin)
    duration = min(durations)
    interrupted = 0
    for trial in range(30):
        for v, g in zip(leaves, once, strict=True):
            v.grad = g
        try:
            try:
                alarm(duration * (trial + 0.5) / 30)
                root.backward()
            finally:
                alarm(0.0)
        except KeyboardInterrupt:
            # before the pass was over, nothing; after it, all of it; never a part
            got = [v.grad for v in leaves]
            assert got in (once, [g + g for g in once])
            interrupted += got == once
        for v in leaves:
            v.grad = 0.0
        root.backward()
        assert [v.grad for v in leaves] == once
    # compiled code looks for signals only when it is done
    assert interrupted >= 5 or not str(graph.__file__).endswith(".py")


def test_a_nested_backward_is_refused(leaves: list[Value]) -> None:
    before = [v.grad for v in leaves]
    wanted = expected(leaves)
    other = Value(2.0)
    nested = calling((other * other).backward)(net(leaves))
    with pytest.raises(GraphError, match="backward: called while a backward pass is running"):
        nested.backward()
    assert [v.grad for v in leaves] == before
    assert other.grad == 0.0
    net(leaves).backward()
    assert [v.grad for v in leaves] == wanted


def test_a_rule_may_compute_with_values() -> None:
    # only a backward pass is forbidden to it
    made = []
    x = Value(3.0)
    calling(lambda: made.append(Value(2.0) * 3.0))(x * x).backward()
    assert x.grad == 6.0
    assert made[0].data == 6.0


# Threads ---------------------------------------------------------------------------------------


def in_threads(count: int, job: Callable[[int], None]) -> None:
    """Run job(0), job(1), ... at the same time; errors are raised here."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def work(i: int) -> None:
        try:
            start.wait()
            job(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switch as often as can be
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]


def test_four_threads_over_shared_leaves() -> None:
    leaves = [Value(float(i + 1)) for i in range(50)]

    def job(i: int) -> None:
        for _ in range(20):
            total = Value(0.0)
            for v in leaves:
                total = total + v * float(i + 1)
            total.backward()

    in_threads(4, job)
    # whole numbers, so the sums are exact in any order
    assert [v.grad for v in leaves] == [20.0 * (1 + 2 + 3 + 4)] * 50


def test_four_threads_over_one_graph() -> None:
    leaves = [Value(float(i + 1)) for i in range(50)]
    total = Value(0.0)
    for v in leaves:
        total = total + v * v

    def job(i: int) -> None:
        for _ in range(20):
            total.backward()

    in_threads(4, job)
    assert [v.grad for v in leaves] == [80.0 * 2.0 * v.data for v in leaves]


def test_a_failing_thread_does_not_hurt_the_others() -> None:
    x = Value(3.0)

    def job(i: int) -> None:
        for _ in range(20):
            if i:
                (x * 2.0).backward()
            else:
                with pytest.raises(ValueError, match="no"):
                    raising(ValueError("no"))(x * 5.0).backward()

    in_threads(4, job)
    assert x.grad == 3 * 20 * 2.0


def test_another_thread_waits_its_turn() -> None:
    # while a pass runs in one thread, a pass of another waits instead of raising
    x = Value(3.0)
    inside = threading.Event()

    def slow() -> None:
        inside.set()
        time.sleep(0.05)

    slowly = calling(slow)(x * 2.0)

    def job(i: int) -> None:
        if i:
            inside.wait()
            (x * 10.0).backward()
        else:
            slowly.backward()

    in_threads(2, job)
    assert x.grad == 12.0


# Nodes of other kinds, as arrays are -----------------------------------------------------------


class Vector(Node):
    """A node over several numbers: its parents are Values or a Vector."""

    def __init__(self, parents: Sequence[Node], scale: float, fail: bool = False) -> None:
        self.parents = parents
        self.scale = scale
        self.fail = fail
        self.cotangent: list[float] = []
        self.gradient = [0.0] * 3
        self.calls: list[str] = []

    def _parents(self) -> Sequence[Node]:
        return self.parents

    def _begin(self) -> None:
        self.calls.append("begin")
        self.cotangent = [0.0] * 3

    def _seed(self) -> None:
        self.cotangent = [1.0] * 3

    def _push(self) -> None:
        self.calls.append("push")
        if self.fail:
            raise KeyboardInterrupt
        for i, parent in enumerate(self.parents):
            if isinstance(parent, Value):
                parent._grad += self.scale * self.cotangent[i]
            elif isinstance(parent, Vector):
                for j, g in enumerate(self.cotangent):
                    parent.cotangent[j] += self.scale * g

    def _commit(self) -> None:
        self.calls.append("commit")
        if not self.parents:
            self.gradient = [a + b for a, b in zip(self.gradient, self.cotangent, strict=True)]

    def _abort(self) -> None:
        self.calls.append("abort")


class Element(Value):
    """A Value that is one number of a Vector: a parent of it on the scalar side."""

    __slots__ = ("_index", "_vector")
    _vector: Vector
    _index: int

    def __init__(self, vector: Vector, index: int) -> None:
        super().__init__(1.0)
        self._made_by = ops.positive
        self._vector = vector
        self._index = index

    def _parents(self) -> Sequence[Node]:
        return (self._vector,)

    def _push(self) -> None:
        self._vector.cotangent[self._index] += self._grad


def test_nodes_of_other_kinds_take_part_in_one_pass() -> None:
    leaf = Vector([], 1.0)
    doubled = Vector([leaf], 2.0)
    both = Vector([doubled, leaf], 1.0)
    first, last = Element(both, 0), Element(both, 2)
    w = Value(5.0)
    root = first * w + last * last + first
    for passes in (1, 2):
        root.backward()
        # d root / d first = w + 1, d root / d last = 2; both = 2 leaf + leaf
        assert leaf.gradient == [passes * 18.0, 0.0, passes * 6.0]
        assert w.grad == passes * 1.0
    assert leaf.calls == ["begin", "commit"] * 2  # it has nothing to push to
    assert both.calls == ["begin", "push", "commit"] * 2


def test_a_root_of_another_kind() -> None:
    xs = [Value(float(i)) for i in range(3)]
    backward(Vector([Vector(xs, 3.0)], 2.0))
    assert [x.grad for x in xs] == [6.0] * 3


def test_alternating_kinds_in_a_deep_graph() -> None:
    x = Value(1.0)
    node: Value = x
    for _ in range(2000):
        node = chain(Element(Vector([node, Value(0.0), Value(0.0)], 1.0), 0), 4)
    node.backward()
    assert x.grad == 1.0


def test_a_failed_pass_aborts_every_node_it_reached() -> None:
    leaf, x = Vector([], 1.0), Value(1.0)
    failing = Vector([Vector([leaf], 2.0)], 1.0, fail=True)
    root = Element(failing, 0) + x
    with pytest.raises(KeyboardInterrupt):
        root.backward()
    assert leaf.calls == ["begin", "abort"]
    assert failing.calls == ["begin", "push", "abort"]
    assert leaf.gradient == [0.0] * 3
    assert x.grad == 0.0
    failing.fail = False
    root.backward()
    assert leaf.gradient == [2.0, 0.0, 0.0]
    assert x.grad == 1.0
