"""The two rules that making arrays needs: elements in another shape, and arrays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import normalize_axis
from smolml_array.backends.protocol import Raw

RESHAPE = Rule(
    "reshape",
    lambda xp, x, *, shape: xp.reshape(x, shape),
    lambda xp, g, out, x, *, shape: xp.reshape(g, x.shape),
    jvp="linear",
    not_saved=(0, OUT),
)


def _stack_vjp(xp: Any, g: Raw, out: Raw, *xs: Raw, axis: int) -> Sequence[Raw]:
    axis = normalize_axis(axis, out.ndim, "stack")
    return [xp.index(g, (slice(None),) * axis + (i,)) for i in range(len(xs))]


STACK = Rule(
    "stack",
    lambda xp, *xs, axis: xp.stack(list(xs), axis=axis),
    vjp_all=_stack_vjp,
    jvp="linear",
)
