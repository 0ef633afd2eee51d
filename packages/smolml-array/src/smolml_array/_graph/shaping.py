"""The rules that making arrays needs: elements in another shape, and arrays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.rule import OUT, Rule
from smolml_array._shapes.axes import ShapeError, normalize_axis
from smolml_array.backends.signatures import Raw

RESHAPE = Rule(
    "reshape",
    lambda xp, x, *, shape: xp.reshape(x, shape),
    lambda xp, g, out, x, *, shape: xp.reshape(g, x.shape),
    jvp="linear",
    not_saved=(0, OUT),
    formula="{g}; back",
)


def _stack_vjp(xp: Any, g: Raw, out: Raw, *xs: Raw, axis: int) -> Sequence[Raw]:
    return [xp.index(g, (slice(None),) * axis + (i,)) for i in range(len(xs))]


STACK = Rule(
    "stack",
    lambda xp, *xs, axis: xp.stack(list(xs), axis=axis),
    vjp_all=_stack_vjp,
    jvp="linear",
    formula="{g}; part",
)


def _concat_vjp(xp: Any, g: Raw, out: Raw, *xs: Raw, axis: int) -> Sequence[Raw]:
    parts, start = [], 0
    for x in xs:
        stop = start + x.shape[axis]
        parts.append(xp.index(g, (slice(None),) * axis + (slice(start, stop),)))
        start = stop
    return parts


CONCAT = Rule(
    "concat",
    lambda xp, *xs, axis: xp.concat(list(xs), axis=axis),
    vjp_all=_concat_vjp,
    jvp="linear",
    formula="{g}; part",
)


def axis_to_join(arrays: Sequence[Any], axis: int) -> int:
    """The axis along which arrays are to be joined, counted from 0.

    Raises:
        ShapeError: they differ along another axis.
    """
    first = arrays[0]
    place = normalize_axis(axis, len(first.shape), "concat")
    for i, a in enumerate(arrays):
        same = len(a.shape) == len(first.shape) and all(
            n == m or j == place for j, (n, m) in enumerate(zip(a.shape, first.shape, strict=True))
        )
        if not same:
            raise ShapeError(
                f"concat: array {i} has shape {a.shape}, array 0 has {first.shape}: "
                f"expected equal lengths on every axis but {place}"
            )
    return place
