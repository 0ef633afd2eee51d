"""Functions of arrays for the fuzz: those of the tables, and more with parameters drawn at random.

All but windows and what is linear have a twin for tensors; reductions have one for Values, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from smolml_array import MLArray, concat, einsum, stack
from smolml_value import Value, fused
from tests.array.operations import ROWS as ARRAY_ROWS
from tests.utils.operations import ROWS as UTILS_ROWS

Function = Callable[..., Any]
Shape = tuple[int, ...]


class Choice:
    """A number taken apart: one small choice after another."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def __call__(self, count: int) -> int:
        self._rest, found = divmod(self._rest, count)
        return found

    def of(self, items: Sequence[Any]) -> Any:
        return items[self(len(items))]

    def axis(self, shape: Shape) -> int:
        axis = self(2 * len(shape))
        return axis - len(shape)

    def axes(self, shape: Shape) -> Any:
        """None, one axis or several."""
        if not shape or not self(3):
            return None
        chosen = tuple(i for i in range(len(shape)) if self(2))
        return self.axis(shape) if len(chosen) < 2 else chosen


class Fixed(NamedTuple):
    """A row of a table: a call at given shapes."""

    ours: Function
    shapes: tuple[Shape, ...]
    domains: tuple[tuple[float, float], ...] | None
    theirs: Function | None  # NumPy's, of what is linear
    torch: Function | None


ROWS: dict[str, Fixed] = {
    **{
        name: Fixed(row.ours, row.shapes, None, row.theirs if row.linear else None, row.torch)
        for name, row in ARRAY_ROWS.items()
    },
    **{
        name: Fixed(row.ours, row.shapes, row.domains, None, row.torch)
        for name, row in UTILS_ROWS.items()
    },
}


# Windows: a method, and the same on NumPy's array of places ---------------------------------------

Pair = tuple[Function, Function]


def both(f: Function) -> Pair:
    return f, f


def key(shape: Shape, choose: Choice) -> Any:
    """An index of ints, slices, None and an ellipsis."""
    parts: list[Any] = []
    for n in shape:
        kind = choose(5)
        if kind == 0 and n:
            parts.append(choose(2 * n) - n)
        elif kind == 1:
            parts.append(slice(choose(3) - 1, None))
        elif kind == 2:
            parts.append(slice(None, None, choose.of((-1, 2, -2))))
        elif kind == 3:
            parts.append(slice(None))
        else:
            break
    if choose(3) == 0:
        parts.append(...)
    if choose(4) == 0:
        parts.insert(choose(len(parts) + 1), None)
    return tuple(parts)


def _index(shape: Shape, c: Choice) -> Pair | None:
    at = key(shape, c)
    open_ended = at if ... in at else (*at, ...)  # NumPy gives an array then, even if it is 0-d
    return lambda x: x[at], lambda a: a[open_ended]


def _reshape(shape: Shape, c: Choice) -> Pair | None:
    size = math.prod(shape)
    new = c.of([(size,), (1, size), (size, 1), (2, size // 2), (size // 3, 3), (-1,)])
    if (-1 not in new and math.prod(new) != size) or not size:
        new = (size,)
    return both(lambda a: a.reshape(new))


def _transpose(shape: Shape, c: Choice) -> Pair | None:
    if c(2):
        return both(lambda a: a.T)
    order = sorted(range(len(shape)), key=lambda i: (c(3), i))
    return lambda x: x.transpose(*order) if order else x.T, lambda a: a.transpose(order)


def _diagonal(shape: Shape, c: Choice) -> Pair | None:
    if len(shape) < 2:
        return None
    offset = c(3) - 1
    return lambda x: x.diagonal(offset), lambda a: np.diagonal(a, offset, -2, -1)


def _split(shape: Shape, c: Choice) -> Pair | None:
    if not shape:
        return None
    axis = c.axis(shape)
    at = [c(shape[axis] + 1)]
    which = c(2)
    return lambda x: x.split(at, axis)[which], lambda a: np.split(a, at, axis)[which]


def _flip(shape: Shape, c: Choice) -> Pair | None:
    axis = c.axes(shape)
    return lambda x: x.flip(axis), lambda a: np.flip(a, axis)


def _expand(shape: Shape, c: Choice) -> Pair | None:
    axis = c(len(shape) + 1)
    return lambda x: x.expand_dims(axis), lambda a: np.expand_dims(a, axis)


def _squeeze(shape: Shape, c: Choice) -> Pair | None:
    if 1 not in shape:
        return None
    return lambda x: x.squeeze(shape.index(1)), lambda a: np.squeeze(a, shape.index(1))


LAPACK = ("cholesky", "det", "inv", "matrix_power", "slogdet", "solve")
"""What each library answers in its own way for matrices that are not finite."""

WINDOWS: dict[str, Callable[[Shape, Choice], Pair | None]] = {
    "index": _index,
    "reshape": _reshape,
    "transpose": _transpose,
    "diagonal": _diagonal,
    "split": _split,
    "flip": _flip,
    "expand_dims": _expand,
    "squeeze": _squeeze,
}

# What is linear, with an operand or two -----------------------------------------------------------


def _sum(shape: Shape, c: Choice) -> Pair | None:
    axis, keepdims = c.axes(shape), bool(c(2))
    name = c.of(("sum", "mean"))
    if name == "mean" and 0 in shape:
        return None
    return both(lambda a: getattr(a, name)(axis=axis, keepdims=keepdims))


def _take(shape: Shape, c: Choice) -> Pair | None:
    if not shape or not shape[0]:
        return None
    rows = [c(2 * shape[0]) - shape[0] for _ in range(1 + c(3))]
    if c(2) and len(shape) > 1 and shape[1]:
        columns = [c(shape[1]) for _ in rows]
        return both(lambda a: a[rows, columns])
    return both(lambda a: a[rows])


def _broadcast(shape: Shape, c: Choice) -> Pair | None:
    new = (1 + c(2), *(1 + c(3) if n == 1 else n for n in shape))
    return lambda x: x.broadcast_to(new), lambda a: np.broadcast_to(a, new)


def _roll(shape: Shape, c: Choice) -> Pair | None:
    shift, axis = c(7) - 3, c.axis(shape) if shape and c(2) else None
    return lambda x: x.roll(shift, axis), lambda a: np.roll(a, shift, axis)


def _tile(shape: Shape, c: Choice) -> Pair | None:
    often = tuple(1 + c(2) for _ in range(1 + c(2)))
    return lambda x: x.tile(often), lambda a: np.tile(a, often)


def _repeat(shape: Shape, c: Choice) -> Pair | None:
    axis = c.axis(shape) if shape and c(2) else None
    often = c(3)
    return lambda x: x.repeat(often, axis), lambda a: np.repeat(a, often, axis)


def _pad(shape: Shape, c: Choice) -> Pair | None:
    if not shape or 0 in shape:
        return None
    mode = c.of(("constant", "edge", "symmetric", "wrap"))
    width = (c(3), 1 + c(2))
    return lambda x: x.pad(width, mode), lambda a: np.pad(a, width, mode)


def _cumulative(shape: Shape, c: Choice) -> Pair | None:
    if not shape:
        return None
    axis = c.axis(shape)
    return lambda x: x.cumulative_sum(axis), lambda a: np.cumsum(a, axis)


def _sliding(shape: Shape, c: Choice) -> Pair | None:
    if not shape or 0 in shape or len(shape) > 2:
        return None
    axis = c.axis(shape)
    length = 1 + c(shape[axis])
    view = np.lib.stride_tricks.sliding_window_view
    return lambda x: x.sliding_windows(length, axis), lambda a: view(a, length, axis)


def _triangle(shape: Shape, c: Choice) -> Pair | None:
    if len(shape) < 2:
        return None
    k, name = c(3) - 1, c.of(("tril", "triu"))
    return lambda x: getattr(x, name)(k), lambda a: getattr(np, name)(a, k)


def _diff(shape: Shape, c: Choice) -> Pair | None:
    if not shape:
        return None
    axis, n = c.axis(shape), 1 + c(2)
    return lambda x: x.diff(n=n, axis=axis), lambda a: np.diff(a, n, axis)


LINEAR: dict[str, Callable[[Shape, Choice], Pair | None]] = {
    "sum": _sum,
    "take": _take,
    "broadcast_to": _broadcast,
    "roll": _roll,
    "tile": _tile,
    "repeat": _repeat,
    "pad": _pad,
    "cumulative_sum": _cumulative,
    "sliding_windows": _sliding,
    "triangle": _triangle,
    "diff": _diff,
}

# What joins two operands of one shape -------------------------------------------------------------

JOINS: dict[str, Pair] = {
    "concat": (lambda x, y: concat([x, y], axis=-1), lambda a, b: np.concatenate([a, b], -1)),
    "concat twice": (lambda x, y: concat([x, y, x]), lambda a, b: np.concatenate([a, b, a])),
    "stack": (lambda x, y: stack([x, y], axis=-1), lambda a, b: np.stack([a, b], -1)),
    "nested list": (lambda x, y: MLArray([x, y, x]), lambda a, b: np.stack([a, b, a])),
}

# Reductions and extremes: along an axis, of tensors and of Values ---------------------------------


def along(f: Callable[[list[Any]], Any]) -> Function:
    """f of lists of Values, along an axis of an array of objects."""

    def reduced(machine: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
        moved = x.reshape(-1) if axis is None else np.moveaxis(x, axis, -1)
        out = np.empty(moved.shape[:-1], dtype=object)
        for at in np.ndindex(*out.shape):
            out[at] = f(list(moved[at])) * 1.0
        if not keepdims:
            return out
        return out.reshape((1,) * x.ndim) if axis is None else np.expand_dims(out, axis)

    return reduced


def _prod(row: list[Any]) -> Any:
    made: Any = Value(1.0)
    for v in row:
        made = made * v
    return made


def _var(row: list[Any], correction: float = 0.0) -> Any:
    mean = sum(row[1:], row[0]) * (1.0 / len(row))
    squares = [(v - mean) * (v - mean) for v in row]
    return sum(squares[1:], squares[0]) * (1.0 / (len(row) - correction))


def _extreme(name: str) -> Function:
    def of_tensors(t: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
        """All of the gradient to the first of several."""
        flat = x.reshape(-1) if axis is None else x
        find = getattr(np, f"arg{name}")
        first = t.tensor(find(flat.detach().numpy(), axis or 0 if axis is None else axis))
        at = 0 if axis is None else axis
        out = t.take_along_dim(flat, first.unsqueeze(at), at).squeeze(at)
        if not keepdims:
            return out
        return out.reshape((1,) * x.ndim) if axis is None else out.unsqueeze(axis)

    return of_tensors


def _simple(f: Function) -> Function:
    """f of a tensor and an axis."""

    def of_tensors(t: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
        flat, at = (x.reshape(-1), 0) if axis is None else (x, axis)
        out = f(flat, at)
        if not keepdims:
            return out
        return out.reshape((1,) * x.ndim) if axis is None else out.unsqueeze(axis)

    return of_tensors


CORRECTION = 0.5
REDUCTIONS: dict[str, tuple[Function, Function]] = {
    "max": (_extreme("max"), along(lambda row: max(row, key=lambda v: float(v)))),
    "min": (_extreme("min"), along(lambda row: min(row, key=lambda v: float(v)))),
    "prod": (_simple(lambda x, at: x.prod(at)), along(_prod)),
    "var": (_simple(lambda x, at: x.var(at, correction=0)), along(_var)),
    "std": (_simple(lambda x, at: x.std(at, correction=0)), along(lambda row: _var(row) ** 0.5)),
    "var, corrected": (
        _simple(lambda x, at: x.var(at, correction=0) * (x.shape[at] / (x.shape[at] - CORRECTION))),
        along(lambda row: _var(row, CORRECTION)),
    ),
}
"""A method of MLArray -> the same of tensors, and of Values."""

# Contractions -------------------------------------------------------------------------------------

EINSUMS = ("ij,kj->ki", "ij,ij->i", "ij,ij->ji", "ij,jk", "ij,kl->jl", "ii,ij->j")


def matmul(machine: Any, x: Any, y: Any) -> Any:
    """The product of arrays of Values."""
    made = x @ y
    return machine.wrapped(made, np.shape(made) if isinstance(made, np.ndarray) else ())


def contraction(subscripts: str) -> tuple[Function, Function]:
    return (
        lambda x, y: einsum(subscripts, x, y),
        lambda t, x, y: t.einsum(subscripts, x, y),
    )


# Sums and products of many Values -----------------------------------------------------------------


def _logsumexp(row: list[Any]) -> Any:
    powers = [v.exp() for v in row]
    return sum(powers[1:], powers[0]).log()


FUSED: dict[str, tuple[Function, Function, Function]] = {
    "fsum": (fused.fsum, lambda row: sum(row, Value(0.0)), lambda t, x: x.sum()),
    "mean": (
        fused.mean,
        lambda row: sum(row, Value(0.0)) * (1.0 / len(row)),
        lambda t, x: x.mean(),
    ),
    "dot": (
        lambda row: fused.dot(row, [*row[::-1]]),
        lambda row: sum((v * w for v, w in zip(row, row[::-1], strict=True)), Value(0.0)),
        lambda t, x: (x * x.flip(0)).sum(),
    ),
    "logsumexp": (fused.logsumexp, _logsumexp, lambda t, x: t.logsumexp(x, 0)),
    "softmax": (
        lambda row: fused.softmax(row)[0],
        lambda row: row[0].exp() * sum((v.exp() for v in row), Value(0.0)) ** -1.0,
        lambda t, x: t.softmax(x, 0)[0],
    ),
}
"""Ours of a list of Values, the same of single Values, and of a tensor."""
