"""The rule of x @ w + b: one node, and one buffer, where the composite has two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.rule import OUT, Rule
from smolml_array.backends.protocol import Raw
from smolml_array.functions.rules import _matmul_left, _matmul_right


def _affine(xp: Any, x: Raw, w: Raw, b: Raw) -> Raw:
    out = xp.matmul(x, w)
    if b.dtype is out.dtype or b.dtype == out.dtype:
        return xp.add_into(out, b)
    return out + xp.broadcast_to(b, out.shape)


def _affine_jvp(
    xp: Any, tangents: Sequence[Raw | None], out: Raw, x: Raw, w: Raw, b: Raw
) -> Raw | None:
    dx, dw, db = tangents
    total = None if dx is None else xp.matmul(dx, w)
    if dw is not None:
        total = xp.matmul(x, dw) if total is None else total + xp.matmul(x, dw)
    if db is not None:
        total = xp.broadcast_to(db, out.shape) if total is None else total + db
    return total


AFFINE = Rule(
    "affine",
    _affine,
    _matmul_left,
    _matmul_right,
    lambda xp, g, out, x, w, b: xp.sum_to_shape(g, b.shape),
    jvp=_affine_jvp,
    not_saved=(2, OUT),
)
