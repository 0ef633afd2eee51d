"""All ways to a gradient of a function of arrays: those of Values, and what only arrays have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from smolml_array import MLArray, replay
from smolml_value import Value, jvp
from tests.array.by_hand import backward_by_hand
from tests.array.numeric import cotangent
from tests.value.helpers import close
from tests.value.paths import PATHS, WATCHED, Path, by_backward, leaf, numbers, spread

Function = Callable[..., Any]


def weighted(y: Any) -> Any:
    """One number, in which each element of y counts differently."""
    return (y * MLArray(cotangent(y.shape), False, backend=y.backend, dtype=y.dtype)).sum()


def constant(x: MLArray, flat: Iterable[float]) -> MLArray:
    """Numbers in the shape of x, on its backend, of its dtype."""
    return MLArray([*map(float, flat)], False, backend=x.backend, dtype=x.dtype).reshape(x.shape)


def by_replay(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """Played back, once it has been recorded."""
    leaves = [leaf(x) for x in xs]
    step = replay(lambda: f(*leaves), leaves)
    step()
    for x in leaves:
        x.zero_grad()
    step()
    return [x.grad() for x in leaves]


def by_elements(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """As arrays of Values, whose gradients come through the graph of Values."""
    values = [[Value(n) for n in numbers(x)] for x in xs]
    arrays = [
        MLArray(row, backend=x.backend).reshape(x.shape).astype(x.dtype)
        for row, x in zip(values, xs, strict=True)
    ]
    f(*arrays).backward()
    return [constant(x, [v.grad for v in row]) for row, x in zip(values, xs, strict=True)]


def by_walk(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """From element to element, each with its own `_backward`."""
    leaves = [leaf(x) for x in xs]
    backward_by_hand(f(*leaves))
    return [x.grad() for x in leaves]


def by_jvp(f: Function, xs: Sequence[MLArray]) -> list[Any]:
    """Forward mode, one element after the other."""
    found = []
    for i, x in enumerate(xs):
        slopes = []
        for k in range(x.size()):
            units = [
                constant(y, [float((i, k) == (j, n)) for n in range(y.size())])
                for j, y in enumerate(xs)
            ]
            slopes.append(float(jvp(f, tuple(xs), tuple(units))[1]))
        found.append(constant(x, slopes))
    return found


ALL: dict[str, Path] = {
    **PATHS,
    **WATCHED,
    "replay": by_replay,
    "arrays of Values": by_elements,
    "element by element": by_walk,
    "jvp": by_jvp,
}


def check(
    f: Function,
    xs: Sequence[Any],
    where: str,
    paths: Mapping[str, Path] = ALL,
    tolerance: float = 1e-9,
) -> None:
    """All paths give what backward gives."""
    want = [numbers(g) for g in by_backward(f, xs)]
    for name, path in paths.items():
        found = path(f, xs)
        for x, g, w in zip(xs, found, want, strict=True):
            if isinstance(g, MLArray) and isinstance(x, MLArray):
                assert (g.shape, g.dtype) == (x.shape, x.dtype), f"{where}, {name}"
            got = spread(g, x)
            same = all(a == b or close(a, b, tolerance, 1e-12) for a, b in zip(got, w, strict=True))
            assert same, f"{where}, {name}: {got}, and backward {w}"
