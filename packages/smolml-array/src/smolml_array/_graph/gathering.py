"""Sums of cotangents, as a pass gathers them: a buffer is allocated once, and then added to.

What arrives at an array is a cotangent of the whole; one of a part, where it was indexed; or those
of single elements, by their places in C order. So n looks at rows cost n rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smolml_array._shapes.nested import unravel
from smolml_array.backends.signatures import Raw

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


class Part(NamedTuple):
    """The cotangent of an operand of which a rule used a part: `into(xp, whole, g, **params)`."""

    into: Callable[..., Raw]
    g: Raw
    params: Mapping[str, Any]


class Total:
    """A sum in a buffer that nobody else holds."""

    __slots__ = ("raw",)

    def __init__(self, raw: Raw) -> None:
        self.raw: Raw = raw


def plus(xp: Backend, like: Raw, total: Any, c: Any) -> Any:
    """total + c, for an array like this one; None is nothing yet."""
    if total is None:
        return c
    if isinstance(total, dict) and isinstance(c, dict):
        total.update(c)  # it was made for the sum alone, and each element sends once
        return total
    if not isinstance(total, Total):
        if not isinstance(total, dict | Part) and not isinstance(c, dict | Part):
            return Total(xp.add(total, c))
        zeros = xp.zeros(like.shape, dtype=like.dtype)
        total = Total(_into(xp, zeros, total))
    total.raw = _into(xp, total.raw, c)
    return total


def whole(xp: Backend, like: Raw, c: Any) -> Raw:
    """What was gathered, as one array."""
    if isinstance(c, Total):
        return c.raw
    if isinstance(c, dict | Part):
        return _into(xp, xp.zeros(like.shape, dtype=like.dtype), c)
    return c


def _into(xp: Backend, total: Raw, c: Any) -> Raw:
    if isinstance(c, Part):
        return c.into(xp, total, c.g, **c.params)
    if isinstance(c, dict):
        for i, number in c.items():
            total = xp.index_add_into(total, unravel(i, total.shape), float(number))
        return total
    return xp.add_into(total, c)
