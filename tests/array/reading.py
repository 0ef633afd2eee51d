"""What a rule reads, and what of it matters: the rest need not be kept for the backward pass."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from smolml_array._graph import free_buffers
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import OUT
from smolml_array._graph.vjps import cotangents_of
from smolml_array.backends import get_backend

XP: Any = get_backend("numpy")


def read(rule: Any, args: list[Any]) -> set[int]:
    """The operands, and OUT for the result, that it says it reads."""
    return {i for i in (OUT, *range(len(args))) if free_buffers.reads(rule, i)}


def matters(rule: Any, args: list[Any], params: dict[str, Any]) -> set[int]:
    """The operands, and OUT for the result, without whose numbers the cotangents are others."""
    out = XP.silence.run(partial(rule.forward, XP, *args, **params))
    nodes: list[Any] = [ArrayNode(XP, a, True) for a in args]

    def cotangents(i: int | None) -> list[Any]:
        primals = [XP.placeholder(a) if i == j else a for j, a in enumerate(args)]
        node = ArrayNode(XP, out, True, rule, nodes, primals, params)
        if i == OUT:
            node.out = XP.placeholder(out)
        return list(XP.silence.run(cotangents_of, node, np.ones_like(out)))

    wanted = cotangents(None)
    found = set()
    for i in (OUT, *range(len(args))):
        for c, w in zip(cotangents(i), wanted, strict=True):
            assert (c is None) == (w is None)
            if w is not None and not np.array_equal(c, w, equal_nan=True):
                found.add(i)
    return found
