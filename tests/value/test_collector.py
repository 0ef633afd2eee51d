"""The garbage collector and Values: cycles through them are found, plain graphs are left alone."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from smolml_value import COMPILED, Value, elementwise, paused_gc
from smolml_value.fused import dot, fsum


class Holder(Value):
    """A user's subclass, which can refer to anything."""

    me: object = None


def through_a_subclass() -> list[Value]:
    x = Holder(1.0)
    y = x * 2.0 + Value(1.0)
    x.me = y
    return [x, y]


def through_a_long_graph_over_a_subclass() -> list[Value]:
    x = Holder(1.0)
    y = Value(2.0) * x
    for _ in range(10):
        y = y * Value(0.5) + y.tanh()
    z = Value(1.0) - y
    x.me = [z]
    return [x, y, z]


def through_an_op() -> list[Value]:
    held: list[Value] = []
    op = elementwise("own", lambda xp, x: x * (1.0 + 0.0 * len(held)), (lambda xp, out, x: 1.0,))
    y = op(Value(1.0))
    z = (y * 2.0).exp()
    held += [y, z]
    return [y, z]


def through_a_fused_node() -> list[Value]:
    x = Holder(1.0)
    y = dot([x, Value(1.0)], [2.0, Value(3.0)])
    z = fsum([y, Value(1.0)]) * 2.0
    x.me = {1: z}
    return [x, y, z]


def through_an_op_of_many_operands() -> list[Value]:
    x = Holder(1.0)
    y = (Value(3.0) + x).clip(0.0, 1.0).sqrt() * Value(1.0)
    x.me = y
    return [x, y]


def through_a_child_given_by_hand() -> list[Value]:
    x = Holder(1.0)
    y = x + 1.0
    z = Value(1.0)
    Value.__init__(z, 2.0, (y,), "own")  # what was plain no longer is
    z._backward = lambda: None
    x.me = z
    return [x, y, z]


@pytest.mark.parametrize(
    "make",
    [
        through_a_subclass,
        through_a_long_graph_over_a_subclass,
        through_an_op,
        through_a_fused_node,
        through_an_op_of_many_operands,
        through_a_child_given_by_hand,
    ],
)
def test_cycles_are_found(make: Callable[[], list[Value]]) -> None:
    with paused_gc():
        nodes = make()
        nodes[-1].backward()
        seen = [weakref.ref(v) for v in nodes]
        del nodes
        assert all(r() is not None for r in seen)
    gc.collect()
    assert [r() for r in seen] == [None] * len(seen)


def test_what_cannot_be_in_a_cycle_is_left_alone_when_compiled() -> None:
    x, y = Value(1.0), Value(2.0)
    plain: list[Value] = [x, x + y, x * 2.0, 2.0 - x, (x / y).exp().log().tanh().relu(), -(x**2)]
    copied: list[Value] = [copy.copy(x), pickle.loads(pickle.dumps(x * y))]
    assert [gc.is_tracked(v) for v in plain + copied] == [not COMPILED] * 8
    others: list[Any] = [Holder(1.0), Holder(1.0) * y, x.sigmoid(), x.sigmoid() * 2.0, fsum([x])]
    assert all(gc.is_tracked(v) for v in others)


def test_a_graph_under_a_container_survives_the_collector() -> None:
    x = Value(3.0)
    held: dict[str, Any] = {"y": (x * 2.0 + 1.0) * x}
    held["me"] = held
    gc.collect()
    held["y"].backward()
    assert x.grad == 13.0
    seen = weakref.ref(held["y"])
    del held
    gc.collect()
    assert seen() is None
