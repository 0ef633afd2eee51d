"""One number for the results and gradients of many programs: `python -m tests.value.digest`.

Equal digests mean that every float is equal, bit for bit. They depend on the platform's
mathematical functions, so they are compared between builds on one machine, never with a constant.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator

from smolml_value import COMPILED, Value, ops
from smolml_value.fused import dot, fsum, logsumexp, mean, softmax
from tests.value.fuzz import grow
from tests.value.helpers import EDGES, operand_count, samples


def _programs() -> Iterator[float]:
    """Random graphs of all kinds of nodes: data and gradients of all nodes, two passes."""
    for seed in range(150):
        rng = random.Random(seed)
        leaves = [Value(rng.uniform(-2, 2)) for _ in range(6)]
        nodes = grow(rng, leaves, 40)
        for _ in range(2):
            nodes[-1].backward()
            for v in nodes:
                yield v.data
                yield v.grad


def _ops() -> Iterator[float]:
    """Every built-in op at points of its domain and at the edges of floats."""
    for info in ops.info():
        if info.status != "built-in":
            continue
        op = ops[info.name]
        count = operand_count(op)
        edges = [(x, y, 1.0)[:count] for x in EDGES for y in (EDGES if count > 1 else (0.0,))]
        for point in [*samples(op), *edges]:
            xs = [Value(x) for x in point]
            out = op(*xs)
            out.backward()
            yield out.data
            yield from (x.grad for x in xs)


def _arithmetic() -> Iterator[float]:
    """The operators at the edges of floats, with numbers on either side."""
    for x in EDGES:
        for y in EDGES:
            v, w = Value(x), Value(y)
            made = (
                *(v + w, v - w, v * w, v / w, v**w, -v, abs(v)),
                *(v + y, v - y, v * y, v / y, v**y, x + w, x - w, x * w, x / w, x**w),
            )
            for out in made:
                out.backward()
                yield out.data
            yield from (v.grad, w.grad)


def _fused() -> Iterator[float]:
    """The n-ary ops on 1 to 100 Values and numbers."""
    rng = random.Random(0)
    for n in range(1, 101):
        xs = [Value(rng.uniform(-3, 3)) for _ in range(n)]
        some = [x if rng.random() < 0.7 else x.data for x in xs]
        made = (fsum(some), dot(xs, some), mean(some), logsumexp(some), *softmax(xs)[:3])
        for out in made:
            if isinstance(out, Value):
                if out._prev:  # one of numbers alone depends on nothing
                    out.backward()
                yield out.data
        yield from (x.grad for x in xs)


def digest() -> str:
    """A hash of all the numbers; a nan counts as any other nan."""
    found = hashlib.sha256()
    for part in (_programs, _ops, _arithmetic, _fused):
        for x in part():
            found.update(struct.pack("<d", x) if x == x else b"nan")
    return found.hexdigest()


if __name__ == "__main__":
    print("compiled" if COMPILED else "interpreted", digest())
