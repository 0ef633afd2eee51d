"""An N-d array of Values: nested lists, and rules for how their shapes go together.

The guide "Build it yourself" writes this file step by step. There is no derivative in it: an array
only says which Values meet, and `value.py` does the rest.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterable
from itertools import zip_longest
from math import prod
from typing import Any

from .value import Value, as_value

Shape = tuple[int, ...]
Nested = Any  # a Value, or a list of Nested


class MLArray:
    """Values in nested lists, with a shape."""

    def __init__(self, data: Any) -> None:
        self.data = nested_values(data)
        self.shape = shape_of(self.data)

    def __repr__(self) -> str:
        return f"MLArray({self.to_list()})"

    def to_list(self) -> Any:
        return combine(lambda v: v.data, self.data)

    def item(self) -> float:
        (value,) = flat(self.data)
        return value.data

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def size(self) -> int:
        return prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    # Element by element ------------------------------------------------------------------------

    def _with(self, other: Any, f: Callable[[Value, Value], Value]) -> MLArray:
        other = as_array(other)
        shape = broadcast_shapes(self.shape, other.shape)
        left = stretch(self.data, self.shape, shape)
        right = stretch(other.data, other.shape, shape)
        return MLArray(combine(f, left, right))

    def __add__(self, other: Any) -> MLArray:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> MLArray:
        return self._with(other, operator.sub)

    def __mul__(self, other: Any) -> MLArray:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> MLArray:
        return self._with(other, operator.truediv)

    def __pow__(self, n: Any) -> MLArray:
        if isinstance(n, int | float):  # a number needs no logarithm
            return MLArray(combine(lambda v: v**n, self.data))
        return self._with(n, operator.pow)

    def __neg__(self) -> MLArray:
        return self * -1.0

    def __radd__(self, other: Any) -> MLArray:
        return as_array(other) + self

    def __rsub__(self, other: Any) -> MLArray:
        return as_array(other) - self

    def __rmul__(self, other: Any) -> MLArray:
        return as_array(other) * self

    def __rtruediv__(self, other: Any) -> MLArray:
        return as_array(other) / self

    def exp(self) -> MLArray:
        return MLArray(combine(Value.exp, self.data))

    def log(self) -> MLArray:
        return MLArray(combine(Value.log, self.data))

    def tanh(self) -> MLArray:
        return MLArray(combine(Value.tanh, self.data))

    def relu(self) -> MLArray:
        return MLArray(combine(Value.relu, self.data))

    def sigmoid(self) -> MLArray:
        return MLArray(combine(Value.sigmoid, self.data))

    def sqrt(self) -> MLArray:
        return MLArray(combine(Value.sqrt, self.data))

    # Reductions --------------------------------------------------------------------------------

    def _reduced(
        self, f: Callable[[list[Value]], Value], axis: int | None, keepdims: bool
    ) -> MLArray:
        if axis is None:
            one = f(flat(self.data))
            return MLArray(nest([one], (1,) * self.ndim) if keepdims else one)
        if not -self.ndim <= axis < self.ndim:
            raise IndexError(f"axis {axis} of an array of shape {self.shape}")
        return MLArray(reduce(f, self.data, axis % self.ndim, keepdims))

    def sum(self, axis: int | None = None, keepdims: bool = False) -> MLArray:
        return self._reduced(total, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> MLArray:
        summed = self.sum(axis, keepdims)
        return summed * (summed.size() / self.size())

    def max(self, axis: int | None = None, keepdims: bool = False) -> MLArray:
        return self._reduced(lambda values: max(values, key=lambda v: v.data), axis, keepdims)

    def min(self, axis: int | None = None, keepdims: bool = False) -> MLArray:
        return self._reduced(lambda values: min(values, key=lambda v: v.data), axis, keepdims)

    def std(self, axis: int | None = None, keepdims: bool = False) -> MLArray:
        away = self - self.mean(axis, keepdims=True)
        return (away * away).mean(axis, keepdims).sqrt()

    # The matrix product ------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> MLArray:
        other = as_array(other)
        if not (0 < self.ndim < 3 and 0 < other.ndim < 3 and self.shape[-1] == other.shape[0]):
            raise ValueError(f"@: shapes {self.shape} and {other.shape} do not fit")
        rows = self.data if self.ndim == 2 else [self.data]
        columns = list(zip(*other.data, strict=True)) if other.ndim == 2 else [other.data]
        products = [[total(map(operator.mul, row, column)) for column in columns] for row in rows]
        return MLArray(nest(flat(products), self.shape[:-1] + other.shape[1:]))

    # The same Values in another shape ----------------------------------------------------------

    def reshape(self, *shape: int) -> MLArray:
        if -1 in shape:
            known = prod(n for n in shape if n != -1)
            shape = tuple(self.size() // known if n == -1 else n for n in shape)
        if prod(shape) != self.size():
            raise ValueError(f"reshape: {self.size()} elements do not fill the shape {shape}")
        return MLArray(nest(flat(self.data), shape))

    def flatten(self) -> MLArray:
        return self.reshape(-1)

    def transpose(self, *axes: int) -> MLArray:
        axes = axes or tuple(reversed(range(self.ndim)))
        shape = tuple(self.shape[axis] for axis in axes)

        def build(index: Shape) -> Nested:
            if len(index) == self.ndim:
                return element(self.data, [index[axes.index(axis)] for axis in range(self.ndim)])
            return [build((*index, i)) for i in range(shape[len(index)])]

        return MLArray(build(()))

    @property
    def T(self) -> MLArray:
        return self.transpose()

    def __getitem__(self, key: int | slice) -> MLArray:
        return MLArray(self.data[key])

    # Gradients ---------------------------------------------------------------------------------

    def backward(self) -> None:
        total(flat(self.data)).backward()

    def grad(self) -> MLArray:
        return MLArray(combine(lambda v: v.grad, self.data))

    def zero_grad(self) -> None:
        for value in flat(self.data):
            value.grad = 0.0


def as_array(x: Any) -> MLArray:
    return x if isinstance(x, MLArray) else MLArray(x)


def zeros(*shape: int) -> MLArray:
    return MLArray(nest([0.0] * prod(shape), shape))


def ones(*shape: int) -> MLArray:
    return MLArray(nest([1.0] * prod(shape), shape))


def randn(*shape: int) -> MLArray:
    return MLArray(nest([random.gauss(0.0, 1.0) for _ in range(prod(shape))], shape))


# Nested lists ------------------------------------------------------------------------------------


def nested_values(data: Any) -> Nested:
    """Every number becomes a Value; a Value stays the one that it is."""
    if isinstance(data, MLArray):
        return data.data
    if isinstance(data, list | tuple):
        return [nested_values(item) for item in data]
    return as_value(data)


def shape_of(data: Nested) -> Shape:
    """How long the lists are, from the outermost to the innermost."""
    if isinstance(data, Value):
        return ()
    shapes = {shape_of(item) for item in data}
    if len(shapes) != 1:
        raise ValueError("the lists are empty, or not all of the same length")
    return (len(data), *shapes.pop())


def combine(f: Callable[..., Any], *datas: Nested) -> Any:
    """f of the elements that stand at the same place, in lists of the same shape."""
    if isinstance(datas[0], Value):
        return f(*datas)
    return [combine(f, *items) for items in zip(*datas, strict=True)]


def flat(data: Nested) -> list[Value]:
    """All elements, in one list."""
    if isinstance(data, Value):
        return [data]
    return [value for item in data for value in flat(item)]


def nest(items: list[Any], shape: Shape) -> Any:
    """The other way round: one list, cut into lists of that shape."""
    if not shape:
        return items[0]
    step = len(items) // shape[0]
    return [nest(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def element(data: Nested, index: Iterable[int]) -> Nested:
    """data[i][j]..., one index after the other."""
    for i in index:
        data = data[i]
    return data


def broadcast_shapes(a: Shape, b: Shape) -> Shape:
    """The shape in which both fit: aligned on the right, and 1 goes with everything."""
    pairs = list(zip_longest(reversed(a), reversed(b), fillvalue=1))
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        raise ValueError(f"shapes {a} and {b} do not broadcast")
    return tuple(max(pair) for pair in reversed(pairs))


def stretch(data: Nested, shape: Shape, to: Shape) -> Nested:
    """The same Values, repeated until they have the other shape."""
    if len(shape) < len(to):
        return [stretch(data, shape, to[1:])] * to[0]
    if not to:
        return data
    items = data * to[0] if shape[0] == 1 else data
    return [stretch(item, shape[1:], to[1:]) for item in items]


def reduce(f: Callable[[list[Value]], Value], data: Nested, axis: int, keepdims: bool) -> Nested:
    """f of the elements along an axis."""
    if axis:
        return [reduce(f, item, axis - 1, keepdims) for item in data]
    one = combine(lambda *values: f(list(values)), *data)
    return [one] if keepdims else one


def total(values: Iterable[Value]) -> Value:
    """The sum of many Values as one node: a long chain of + would be deep."""
    values = tuple(values)
    out = Value(sum(v.data for v in values), values, "sum")

    def _backward() -> None:
        for v in values:
            v.grad += out.grad

    out._backward = _backward
    return out
