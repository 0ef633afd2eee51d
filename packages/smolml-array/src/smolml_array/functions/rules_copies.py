"""Rules of elements moved, repeated or replaced by zeros: roll, repeat, tile, triangles."""

from __future__ import annotations

from functools import reduce
from typing import Any, Final

from smolml_array._graph.rule import Rule
from smolml_array.backends.protocol import Raw
from smolml_value.extending import TracedNamespace

_FEW: Final = 8  # copies up to which adding them up beats sums over so short an axis

ROLL = Rule(
    "roll",
    lambda xp, x, *, shift, axis: xp.roll(x, shift, axis=axis),
    lambda xp, g, out, x, *, shift, axis: xp.roll(g, tuple(-s for s in shift), axis=axis),
    jvp="linear",
)


def _repeat_vjp(
    xp: Any, g: Raw, out: Raw, x: Raw, *, repeats: int | tuple[int, ...], axis: int
) -> Raw:
    """The sum over the copies of each element."""
    if isinstance(repeats, int):
        if 0 < repeats <= _FEW and not isinstance(xp, TracedNamespace):
            copies = (
                xp.index(g, (*(slice(None),) * axis, slice(i, None, repeats)))
                for i in range(repeats)
            )
            return reduce(xp.add, copies)
        apart = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
        return xp.sum(xp.reshape(g, apart), axis=axis + 1)
    origins = [i for i, k in enumerate(repeats) for _ in range(k)]
    return xp.index_add(xp.zeros(x.shape, dtype=x.dtype), (slice(None),) * axis + (origins,), g)


REPEAT = Rule(
    "repeat",
    lambda xp, x, *, repeats, axis: xp.repeat(x, repeats, axis=axis),
    _repeat_vjp,
    jvp="linear",
)


def _tile_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, repetitions: tuple[int, ...]) -> Raw:
    """The sum over the tiles."""
    own = (1,) * (len(repetitions) - len(x.shape)) + tuple(x.shape)
    apart = tuple(n for pair in zip(repetitions, own, strict=True) for n in pair)
    tiles = xp.reshape(g, apart)
    return xp.reshape(xp.sum(tiles, axis=tuple(range(0, len(apart), 2))), x.shape)


TILE = Rule(
    "tile",
    lambda xp, x, *, repetitions: xp.tile(x, repetitions),
    _tile_vjp,
    jvp="linear",
)
TRIL = Rule(
    "tril",
    lambda xp, x, *, k: xp.tril(x, k=k),
    lambda xp, g, out, x, *, k: xp.tril(g, k=k),
    jvp="linear",
)
TRIU = Rule(
    "triu",
    lambda xp, x, *, k: xp.triu(x, k=k),
    lambda xp, g, out, x, *, k: xp.triu(g, k=k),
    jvp="linear",
)
