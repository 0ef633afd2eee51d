"""The traced namespace for arrays: rules run on MLArrays give results with derivatives.

It has the part of the backend protocol that rules use, on MLArrays in place of raw arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import Shape, unbroadcast_axes
from smolml_array.array import MLArray
from smolml_array.backends import get_backend
from smolml_array.backends.protocol import Raw
from smolml_array.functions import rules, rules_copies, rules_sort, rules_windows
from smolml_value.extending import TracedNamespace, find_traced

Operand = Any  # an MLArray, or a number or Value in its place


def _rule(rule: Rule) -> Callable[..., MLArray]:
    def apply(*operands: Operand, **params: Any) -> MLArray:
        return MLArray._rule(rule, *operands, **params)

    return apply


def _reshape(x: MLArray, shape: Shape) -> MLArray:
    return MLArray._rule(rules.RESHAPE, x, shape=x.reshape(shape).shape)


def _index(x: MLArray, key: Any) -> MLArray:
    return MLArray._rule(rules.TAKE, x, key=key)


def _index_add(x: MLArray, key: Any, v: Operand) -> MLArray:
    return MLArray._rule(rules.INDEX_ADD, x, v, key=key)


def _index_put(x: MLArray, key: Any, v: Operand) -> MLArray:
    return MLArray._rule(rules.INDEX_PUT, x, v, key=key)


def _matrix_transpose(x: MLArray) -> MLArray:
    last = x.ndim - 1
    return x.transpose((*range(last - 1), last, last - 1))


def _concat(arrays: Sequence[MLArray], axis: int = 0) -> MLArray:
    return MLArray._rule(rules.CONCAT, *arrays, axis=axis)


def _stack(arrays: Sequence[MLArray], axis: int = 0) -> MLArray:
    return MLArray._rule(rules.STACK, *arrays, axis=axis)


def _sliding_windows(x: MLArray, window_shape: Shape, axis: tuple[int, ...]) -> MLArray:
    return MLArray._rule(rules_windows.SLIDING_WINDOWS, x, window_shape=window_shape, axis=axis)


def _overlap_add(x: MLArray, shape: Shape, axis: tuple[int, ...]) -> MLArray:
    return MLArray._rule(rules_windows.OVERLAP_ADD, x, shape=shape, axis=axis)


def _pad(x: MLArray, pad_width: Any, *, constant_values: Operand = 0) -> MLArray:
    return MLArray._rule(rules_windows.PAD, x, constant_values, pad_width=pad_width)


def _roll(x: MLArray, shift: tuple[int, ...], axis: tuple[int, ...] | None) -> MLArray:
    return MLArray._rule(rules_copies.ROLL, x, shift=shift, axis=axis)


def _repeat(x: MLArray, repeats: int | tuple[int, ...], axis: int) -> MLArray:
    return MLArray._rule(rules_copies.REPEAT, x, repeats=repeats, axis=axis)


def _tile(x: MLArray, repetitions: tuple[int, ...]) -> MLArray:
    return MLArray._rule(rules_copies.TILE, x, repetitions=repetitions)


def _take_along_axis(x: MLArray, indices: Raw, axis: int) -> MLArray:
    key = rules_sort.along(x._node.backend, x.shape, indices, axis)
    params = {"indices": indices, "axis": axis, "key": key}
    return MLArray._rule(rules_sort.TAKE_ALONG_AXIS, x, **params)


def _sum_to_shape(x: MLArray, shape: Shape) -> MLArray:
    """The adjoint of broadcasting from `shape`."""
    if x.shape == shape:
        return x
    axes = unbroadcast_axes(x.shape, shape)
    summed = MLArray._rule(rules.SUM, x, axis=axes, keepdims=False)
    return summed if summed.shape == shape else _reshape(summed, shape)


def _method(name: str) -> Callable[..., Any]:
    def call(x: MLArray, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, name)(*args, **kwargs)

    return call


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "matmul": _rule(rules.MATMUL),
    "reshape": _reshape,
    "index": _index,
    "index_add": _index_add,
    "index_put": _index_put,
    "matrix_transpose": _matrix_transpose,
    "permute_dims": _method("transpose"),
    "concat": _concat,
    "stack": _stack,
    "sum_to_shape": _sum_to_shape,
    "add_into": lambda total, x: total + x,
    "roll": _roll,
    "repeat": _repeat,
    "tile": _tile,
    "take_along_axis": _take_along_axis,
    "sliding_windows": _sliding_windows,
    "overlap_add": _overlap_add,
    "pad": _pad,
    **{
        name: _method(name)
        for name in [
            "all",
            "any",
            "sum",
            "mean",
            "prod",
            "max",
            "min",
            "var",
            "std",
            "argmax",
            "argmin",
            "squeeze",
            "expand_dims",
            "flip",
            "broadcast_to",
            "astype",
            "cumulative_prod",
            "cumulative_sum",
            "tril",
            "triu",
        ]
    },
}
_CREATION = ("zeros", "ones", "full", "arange", "eye", "zeros_like", "ones_like", "full_like")


@cache
def traced(backend: str) -> TracedNamespace:
    """The `xp` for MLArrays of one backend."""
    xp = get_backend(backend)

    def create(name: str) -> Callable[..., MLArray]:
        def made(*args: Any, **kwargs: Any) -> MLArray:
            numbers = (a._fetch().raw if isinstance(a, MLArray) else a for a in args)
            return MLArray._constant(xp, getattr(xp, name)(*numbers, **kwargs))

        return made

    functions = {**_FUNCTIONS, **{name: create(name) for name in _CREATION}}

    def look_up(name: str) -> Any:
        function = functions.get(name)
        return find_traced(name) if function is None else function

    return TracedNamespace(look_up)


HOOKS.traced = traced
