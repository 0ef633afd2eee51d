"""Random programs on Values for a given time, to find a crash: `python -m tests.value.fuzz 60`.

Random graphs, exceptions in the middle of a pass, subclasses, threads over shared leaves, copies,
weak references, cycles and deletion in any order; every gradient is compared with a second pass.
"""

from __future__ import annotations

import copy
import faulthandler
import gc
import math
import pickle
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from smolml_value import COMPILED, Value, elementwise, no_grad, paused_gc
from smolml_value.fused import dot, fsum, logsumexp, mean, softmax


class BrokenError(Exception):
    """What the failing op raises."""


def _fail(xp: Any, g: Any, out: Any, x: Any) -> tuple[Any]:
    raise BrokenError


failing = elementwise("failing", lambda xp, x: x, vjp=_fail)


class Sub(Value):
    """A user's subclass, with a dict."""


class Slotted(Value):
    """A user's subclass, with slots and an op of its own."""

    __slots__ = ("more",)

    def relu(self) -> Any:
        return super().relu() + 0.0


UNARY: Sequence[Callable[[Any], Any]] = (
    lambda a: a.tanh(),
    lambda a: a.relu(),
    lambda a: a.exp().log(),
    lambda a: -a,
    abs,
    lambda a: a**2,
    lambda a: 2.0**a,
    lambda a: a.sigmoid(),
    lambda a: a.clip(-1.0, 1.0),
)
BINARY: Sequence[Callable[[Any, Any], Any]] = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a.maximum(b),
    lambda a, b: a + 3,
    lambda a, b: 0.5 * b,
)
NARY: Sequence[Callable[[list[Any]], Any]] = (
    fsum,
    mean,
    logsumexp,
    lambda xs: dot(xs, xs[::-1]),
    lambda xs: softmax(xs)[0],
)


def grow(rng: random.Random, leaves: list[Value], size: int) -> list[Value]:
    """A random graph on the leaves: all of its nodes."""
    nodes = list(leaves)
    for _ in range(size):
        kind = rng.random()
        if kind < 0.3:
            made = rng.choice(UNARY)(rng.choice(nodes))
        elif kind < 0.9:
            made = rng.choice(BINARY)(rng.choice(nodes), rng.choice(nodes))
        else:
            some = [rng.choice(nodes) for _ in range(rng.randrange(1, 8))]
            made = rng.choice(NARY)([*some, 1.5])
        if not abs(made.data) < 1e6:
            made = made * 0.0 if math.isfinite(made.data) else Value(1.0)
        nodes.append(made)
    return nodes


def tie(rng: random.Random, leaves: list[Value], nodes: list[Value]) -> None:
    """Make cycles through the graph."""
    for leaf in leaves:
        if type(leaf) is Sub:
            leaf.me = rng.choice(nodes)  # type: ignore[attr-defined]


def once(rng: random.Random) -> None:
    """One random program."""
    kinds = (Value, Sub, Slotted)
    leaves: list[Value] = [rng.choice(kinds)(rng.uniform(-2, 2)) for _ in range(6)]
    nodes = grow(rng, leaves, rng.randrange(1, 60))
    root = nodes[-1]
    root.backward()
    first = [v.grad for v in leaves]
    if rng.random() < 0.3:
        with suppress(BrokenError):
            (failing(rng.choice(nodes)) + root * rng.choice(nodes)).backward()
    root.backward()
    for v, g in zip(leaves, first, strict=True):
        if math.isfinite(g) and v.grad != 2 * g:
            raise AssertionError(f"gradients {g} and then {v.grad}")
    refs = [weakref.ref(v) for v in rng.sample(nodes, min(5, len(nodes)))]
    twin = pickle.loads(pickle.dumps(copy.copy(rng.choice(nodes))))
    twin.label = "twin"
    if rng.random() < 0.2:
        tie(rng, leaves, nodes)
        sub = Sub(1.0)
        sub.me = (sub, root)  # type: ignore[attr-defined]  # a cycle, for the collector
        del sub
    with no_grad():
        grow(rng, leaves, 5)
    rng.shuffle(nodes)
    while nodes:
        nodes.pop()
        if rng.random() < 0.05 and nodes:
            rng.choice(nodes).backward()
    del root, leaves, twin, v
    if rng.random() < 0.02:
        gc.collect()
        if any(r() is not None for r in refs):
            raise AssertionError("a dropped graph is still there")


def shared(seed: int) -> None:
    """Threads that grow and walk graphs over the same leaves."""
    leaves = [Value(0.1 * i) for i in range(5)]

    def work(n: int) -> None:
        rng = random.Random(seed * 100 + n)
        for _ in range(20):
            with paused_gc():
                grow(rng, leaves, 30)[-1].backward()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not gc.isenabled():
        raise AssertionError("the garbage collector was left off")


def main(seconds: float) -> None:
    """Run random programs for so long."""
    faulthandler.enable()
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        once(random.Random(count))
        if count % 100 == 0:
            shared(count)
        if count % 1000 == 500:
            v = Value(0.0)
            for _ in range(200_000):
                v = v + 1.0
            v.backward()
            del v
        count += 1
    print(f"compiled: {COMPILED}; {count} programs in {seconds:g} s, no fault")


if __name__ == "__main__":
    main(float(sys.argv[1]))
