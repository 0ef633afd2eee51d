"""Random programs over arrays, and three that run them: MLArrays, arrays of Values, PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from smolml_array import MLArray, concat, einsum, stack, where
from smolml_value import Value, ops

UNARY = ["tanh", "sin", "sigmoid", "softplus", "negative", "square", "relu", "abs", "atan"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "hypot"]
Step = tuple[str, int, int, int]
KINDS = [
    *("unary", "unary", "binary", "binary", "binary", "matmul", "sum", "mean", "max", "var"),
    *("transpose", "reshape", "index", "rows", "flip", "concat", "stack", "where", "element"),
    *("assign", "look", "scan", "sort", "roll", "windows", "pad", "repeat", "split", "diagonal"),
    "einsum",
]

steps = st.lists(
    st.tuples(st.sampled_from(KINDS), *[st.integers(0, 11)] * 3), min_size=1, max_size=10
)


class Arrays:
    """Programs on MLArrays."""

    def leaf(self, a: Any) -> Any:
        return MLArray(a)

    def unary(self, name: str, x: Any) -> Any:
        return getattr(x, name)()

    def binary(self, name: str, x: Any, y: Any) -> Any:
        apply: Any = ops[name]
        return apply(x, y)

    def matmul(self, x: Any, y: Any) -> Any:
        return x @ y

    def reduce(self, name: str, x: Any, axis: int) -> Any:
        return getattr(x, name)(axis=axis)

    def transpose(self, x: Any) -> Any:
        return x.T

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    def index(self, x: Any, key: Any) -> Any:
        return x[key]

    def concat(self, x: Any, y: Any, axis: int) -> Any:
        return concat([x, y], axis)

    def stack(self, x: Any, y: Any) -> Any:
        return stack([x, y])

    def where(self, x: Any, y: Any) -> Any:
        return where(x > 0.25, x, y)

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        row = x.data
        for i in at:
            row = row[i]
        return row

    def assigned(self, x: Any, key: Any, y: Any) -> Any:
        out = x * 1.0
        out[key] = y
        return out

    def look(self, x: Any) -> None:
        assert x.data is not None

    def scan(self, x: Any, axis: int) -> Any:
        return x.cumulative_sum(axis)

    def sort(self, x: Any, axis: int) -> Any:
        return x.sort(axis)

    def roll(self, x: Any, shift: int) -> Any:
        return x.roll(shift)

    def windows(self, x: Any, length: int) -> Any:
        return x.sliding_windows(length, 0)

    def pad(self, x: Any) -> Any:
        return x.pad(1)

    def repeat(self, x: Any, axis: int) -> Any:
        return x.repeat(2, axis)

    def piece(self, x: Any, start: int) -> Any:
        return x.split([start])[1]

    def diagonal(self, x: Any) -> Any:
        return x.diagonal()

    def einsum(self, x: Any, y: Any) -> Any:
        return einsum("ij,kj->ki", x, y)

    def total(self, x: Any, weights: Any) -> Any:
        return (x * weights).sum()


class Scalars(Arrays):
    """The same on NumPy's arrays of objects, each element a Value: no array rule is used."""

    def leaf(self, a: Any) -> Any:
        return self.mapped(lambda number: Value(float(number)), a)

    def mapped(self, f: Callable[..., Any], *arrays: Any) -> Any:
        made = np.frompyfunc(f, len(arrays), 1)(*arrays)
        out = np.empty(np.shape(made), dtype=object)
        out[...] = made
        return out

    def copied(self, x: Any) -> Any:
        """Elements of their own, as in an array that is no window."""
        return self.mapped(lambda v: v * 1.0, x)

    def unary(self, name: str, x: Any) -> Any:
        return self.mapped(ops[name], x)

    def binary(self, name: str, x: Any, y: Any) -> Any:
        apply: Any = ops[name]
        return self.mapped(lambda a, b: apply(a, b), x, y)

    def matmul(self, x: Any, y: Any) -> Any:
        products = self.binary("multiply", x[:, :, None], y[None, :, :])
        return self.reduce("sum", products, 1)

    def reduce(self, name: str, x: Any, axis: int) -> Any:
        moved = np.moveaxis(x, axis, -1)
        out = np.empty(moved.shape[:-1], dtype=object)
        for at in np.ndindex(*out.shape):
            row = list(moved[at])
            total = sum(row, Value(0.0))
            mean = total * (1.0 / max(len(row), 1))
            if name == "max":
                out[at] = max(row, key=lambda v: v.data) * 1.0  # the first of several
            elif name == "var":
                squares = [(v - mean) * (v - mean) for v in row]
                out[at] = sum(squares[1:], squares[0]) * (1.0 / len(row))
            else:
                out[at] = mean if name == "mean" else total
        return out

    def index(self, x: Any, key: Any) -> Any:
        return self.copied(x[key]) if isinstance(key, list) else x[key]

    def concat(self, x: Any, y: Any, axis: int) -> Any:
        return self.copied(np.concatenate([x, y], axis))

    def stack(self, x: Any, y: Any) -> Any:
        return self.copied(np.stack([x, y]))

    def where(self, x: Any, y: Any) -> Any:
        return self.mapped(lambda a, b: 1.0 * (a if a.data > 0.25 else b), x, y)

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        return x[(*at, ...)]  # of 0 dimensions: a Value itself is refused by NumPy

    def assigned(self, x: Any, key: Any, y: Any) -> Any:
        out = self.copied(x)
        out[key, ...] = self.copied(y)
        return out

    def look(self, x: Any) -> None:
        pass

    def scan(self, x: Any, axis: int) -> Any:
        moved = np.moveaxis(x, axis, 0)
        sums = np.empty(moved.shape, dtype=object)
        for i in range(len(moved)):  # each on its own: no sum hands its cotangent to another
            sums[i, ...] = self.reduce("sum", moved[: i + 1], 0)
        return np.moveaxis(sums, 0, axis)

    def sort(self, x: Any, axis: int) -> Any:
        numbers = np.array([v.data for v in x.flat]).reshape(x.shape)
        order = np.argsort(numbers, axis, kind="stable")
        return self.copied(np.take_along_axis(x, order, axis))

    def roll(self, x: Any, shift: int) -> Any:
        return self.copied(np.roll(x, shift))

    def windows(self, x: Any, length: int) -> Any:
        return self.copied(np.lib.stride_tricks.sliding_window_view(x, length, 0))

    def pad(self, x: Any) -> Any:
        out = self.leaf(np.zeros([n + 2 for n in x.shape]))
        out[(slice(1, -1),) * x.ndim] = self.copied(x)
        return out

    def repeat(self, x: Any, axis: int) -> Any:
        return self.copied(np.repeat(x, 2, axis))

    def piece(self, x: Any, start: int) -> Any:
        return x[start:]

    def diagonal(self, x: Any) -> Any:
        return np.diagonal(x, 0, -2, -1)

    def einsum(self, x: Any, y: Any) -> Any:
        return self.copied(self.matmul(x, y.T).T)

    def total(self, x: Any, weights: Any) -> Any:
        parts = [v * float(w) for v, w in zip(x.flat, np.ravel(weights), strict=True)]
        return sum(parts[1:], parts[0]) if parts else Value(0.0)


class Torch(Arrays):
    """The same on PyTorch's tensors of float64."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def leaf(self, a: Any) -> Any:
        return self.torch.tensor(a, requires_grad=True)

    def unary(self, name: str, x: Any) -> Any:
        f = {"softplus": self.torch.nn.functional.softplus, "relu": self.torch.relu}.get(name)
        return (f or getattr(self.torch, name))(x)

    def binary(self, name: str, x: Any, y: Any) -> Any:
        return getattr(self.torch, name)(x, y)

    def reduce(self, name: str, x: Any, axis: int) -> Any:
        if name == "max":
            first = self.torch.tensor(np.argmax(x.detach().numpy(), axis))
            return self.torch.take_along_dim(x, first.unsqueeze(axis), axis).squeeze(axis)
        if name == "var":
            return ((x - x.mean(axis, keepdim=True)) ** 2).mean(axis)
        return getattr(x, name)(axis)

    def transpose(self, x: Any) -> Any:
        return x.permute(tuple(reversed(range(x.ndim))))

    def index(self, x: Any, key: Any) -> Any:
        if isinstance(key, slice) and (key.step or 1) < 0:
            return x.flip(0)
        return x[key]

    def concat(self, x: Any, y: Any, axis: int) -> Any:
        return self.torch.concat([x, y], axis)

    def stack(self, x: Any, y: Any) -> Any:
        return self.torch.stack([x, y])

    def where(self, x: Any, y: Any) -> Any:
        return self.torch.where(x > 0.25, x, y)

    def element(self, x: Any, at: tuple[int, ...]) -> Any:
        return x[at]

    def assigned(self, x: Any, key: Any, y: Any) -> Any:
        out = x * 1.0
        out[key] = y
        return out

    def look(self, x: Any) -> None:
        pass

    def scan(self, x: Any, axis: int) -> Any:
        return x.cumsum(axis)

    def sort(self, x: Any, axis: int) -> Any:
        return self.torch.sort(x, dim=axis, stable=True).values

    def roll(self, x: Any, shift: int) -> Any:
        return self.torch.roll(x, shift)

    def windows(self, x: Any, length: int) -> Any:
        return x.unfold(0, length, 1)

    def pad(self, x: Any) -> Any:
        return self.torch.nn.functional.pad(x, (1, 1) * x.ndim)

    def repeat(self, x: Any, axis: int) -> Any:
        return self.torch.repeat_interleave(x, 2, axis)

    def piece(self, x: Any, start: int) -> Any:
        return x[start:]

    def diagonal(self, x: Any) -> Any:
        return self.torch.diagonal(x, 0, -2, -1)

    def einsum(self, x: Any, y: Any) -> Any:
        return self.torch.einsum("ij,kj->ki", x, y)

    def total(self, x: Any, weights: Any) -> Any:
        return (x * self.torch.tensor(weights)).sum()


def broadcast(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(x, y)
    except ValueError:
        return None


def apply(lib: Arrays, step: Step, made: list[Any]) -> Any:
    """The array that a step makes, or None where the shapes do not allow it."""
    kind, i, j, k = step
    x, y = made[i % len(made)], made[j % len(made)]
    shape, other = tuple(x.shape), tuple(y.shape)
    ndim = len(shape)
    if kind == "unary":
        return lib.unary(UNARY[k % len(UNARY)], x)
    if kind == "binary" and (together := broadcast(shape, other)) is not None:
        return lib.binary(BINARY[k % len(BINARY)], x, y) if np.prod(together) <= 64 else None
    if kind == "matmul" and ndim == len(other) == 2 and shape[1] == other[0]:
        return lib.matmul(x, y)
    if kind in ("sum", "mean", "max", "var") and ndim and shape[k % ndim]:
        return lib.reduce(kind, x, k % ndim)
    if kind == "transpose":
        return lib.transpose(x)
    if kind == "reshape":
        size = int(np.prod(shape))
        return lib.reshape(x, (2, size // 2) if k % 2 and size % 2 == 0 else (size,))
    if kind == "index" and ndim and shape[0]:
        return lib.index(x, (k % shape[0], ..., *[slice(1, None)][: ndim - 1]))
    if kind == "rows" and ndim and shape[0]:
        return lib.index(x, [k % shape[0], j % shape[0], k % shape[0]])
    if kind == "flip" and ndim:
        return lib.index(x, slice(None, None, -1))
    if kind == "concat" and ndim and shape[1:] == other[1:] and len(other) == ndim:
        return lib.concat(x, y, 0)
    if kind == "stack" and shape == other and ndim < 3:
        return lib.stack(x, y)
    if kind == "where" and shape == other:
        return lib.where(x, y)
    if kind == "element" and 0 not in other:
        return lib.binary("multiply", x, lib.element(y, tuple(k % n for n in other)))
    if kind == "assign" and ndim and shape[0] and other == shape[1:]:
        return lib.assigned(x, k % shape[0], y)
    return arranged(lib, step, x, y)


def arranged(lib: Arrays, step: Step, x: Any, y: Any) -> Any:
    """As `apply`, for what moves, repeats, sorts or adds up elements."""
    kind, _, _, k = step
    shape, other = tuple(x.shape), tuple(y.shape)
    ndim, few = len(shape), np.prod(shape) <= 24
    if kind == "scan" and ndim:
        return lib.scan(x, k % ndim)
    if kind == "sort" and ndim:
        return lib.sort(x, k % ndim)
    if kind == "roll" and ndim:
        return lib.roll(x, k - 5)
    if kind == "windows" and 0 < ndim < 3 and shape[0] and few:
        return lib.windows(x, 1 + k % shape[0])
    if kind == "pad" and ndim and few:
        return lib.pad(x)
    if kind == "repeat" and ndim and few:
        return lib.repeat(x, k % ndim)
    if kind == "split" and ndim:
        return lib.piece(x, k % (shape[0] + 1))
    if kind == "diagonal" and ndim > 1:
        return lib.diagonal(x)
    if kind == "einsum" and ndim == len(other) == 2 and shape[1] == other[1]:
        return lib.einsum(x, y)
    if kind == "look":
        lib.look(x)
    return None


def run(lib: Arrays, program: list[Step], leaves: list[Any]) -> tuple[list[Any], Any]:
    """Every array that a program makes, leaves first, and the loss."""
    made = [lib.leaf(a) for a in leaves]
    for step in program:
        out = apply(lib, step, made)
        if out is not None:
            made.append(out)
    draw = np.random.default_rng(0)
    weights = [draw.uniform(0.5, 1.5, size=tuple(x.shape)) for x in made[-3:]]
    loss = lib.total(made[-1], weights[-1])
    for x, w in zip(made[-3:-1], weights, strict=False):
        loss = loss + lib.total(x, w)
    return made, loss
