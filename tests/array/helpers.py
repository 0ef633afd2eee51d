"""What the tests of MLArray share without NumPy: comparing nested lists, cotangents, Values."""

from __future__ import annotations

import math
import random
from typing import Any

from smolml_array import MLArray
from smolml_value import Value


def flat(nested: Any) -> list[Any]:
    """What stands in nested lists, in C order."""
    if not isinstance(nested, list | tuple):
        return [nested]
    return [leaf for item in nested for leaf in flat(item)]


def shape_of(nested: Any) -> tuple[int, ...]:
    """The shape of nested lists, judged by their first items."""
    shape = []
    while isinstance(nested, list | tuple):
        shape.append(len(nested))
        if not nested:
            break
        nested = nested[0]
    return tuple(shape)


def identical(x: float, y: float) -> bool:
    """Equal as IEEE numbers: nan equals nan, and the sign of a zero counts."""
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y and math.copysign(1.0, x) == math.copysign(1.0, y)


def is_close(x: float, y: float, rel: float, tol: float) -> bool:
    """Equal (nan equals nan), or both finite and near."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return x == y or (math.isnan(x) and math.isnan(y))
    return abs(x - y) <= max(rel * max(abs(x), abs(y)), tol)


def assert_close(got: Any, want: Any, rel: float = 1e-12, tol: float = 1e-12) -> None:
    """Nested lists or MLArrays of one shape with equal numbers."""
    got = got.to_list() if isinstance(got, MLArray) else got
    want = want.to_list() if isinstance(want, MLArray) else want
    assert shape_of(got) == shape_of(want), f"{got} against {want}"
    for x, y in zip(flat(got), flat(want), strict=True):
        assert is_close(x, y, rel, tol), f"{x} in {got} against {y} in {want}"


def numbers(count: int, name: object = 0, low: float = -2.0, high: float = 2.0) -> list[float]:
    """Irregular numbers, the same in every run for one name."""
    draw = random.Random(f"numbers {name}")
    return [draw.uniform(low, high) for _ in range(count)]


def filled(shape: tuple[int, ...], name: object = 0, **options: Any) -> MLArray:
    """A leaf of irregular numbers."""
    return MLArray(nested(numbers(math.prod(shape), name), shape), **options)


def nested(leaves: list[Any], shape: tuple[int, ...]) -> Any:
    """Nested lists of this shape; a number for ()."""
    if not shape:
        return leaves[0]
    if not shape[1:]:
        return list(leaves)
    step = math.prod(shape[1:])
    return [nested(leaves[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def values_of(x: MLArray) -> list[Value]:
    """The elements of an array, in C order."""
    return flat(x.data)


def gradient(x: MLArray) -> list[float]:
    """The gradient of an array, in C order."""
    return flat(x.grad().to_list())
