"""The ops of the registry, samples of their domains, and the same computed on Values alone."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from smolml_value import Op, Value, ops
from tests.array.numeric import cotangent

NAMES = ops.names()
every_op = pytest.mark.parametrize("name", NAMES)
OPERATORS: dict[str, Callable[..., Any]] = {
    "abs": operator.abs,
    "add": operator.add,
    "divide": operator.truediv,
    "multiply": operator.mul,
    "negative": operator.neg,
    "pow": operator.pow,
    "subtract": operator.sub,
}


def operand_count(op: Op) -> int:
    """How many operands to try `op` with; three where it takes any number."""
    return 3 if op.arity == -1 else op.arity


def samples(op: Op, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """An array in the domain of `op` for each of its operands; the same ones in every run."""
    draw = np.random.default_rng(random.Random(op.name).getrandbits(32))
    count = operand_count(op)
    intervals = op.domain if op.arity != -1 else op.domain * count
    return [draw.uniform(*intervals[i], size=shapes[i % len(shapes)]) for i in range(count)]


def on_values(op: Op, arrays: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Forward and gradients by the scalar op alone: each element is a Value of its own."""
    apply: Any = op
    leaves = []
    for a in arrays:
        objects = np.empty(a.shape, dtype=object)
        for at in np.ndindex(*a.shape):
            objects[at] = Value(float(a[at]))
        leaves.append(objects)
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    spread = [np.broadcast_to(objects, shape) for objects in leaves]
    out, weights = np.zeros(shape), cotangent(shape)
    for at in np.ndindex(*shape):
        made = apply(*(objects[at] for objects in spread))
        out[at] = made.data
        (made * float(weights[at])).backward()
    grads = [np.vectorize(lambda v: v.grad, otypes=[float])(o) for o in leaves]
    return out, grads
