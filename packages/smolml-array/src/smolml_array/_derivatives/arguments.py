"""How transforms see arrays, and ndarrays, as arguments and results, and results of functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from smolml_array._derivatives.nodes import ArrayNodeRules, of_values, same_numbers
from smolml_array._derivatives.traced import traced
from smolml_array._derivatives.vmap import lifted, vmap
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import ValuesNode
from smolml_array._shapes.sizes import NUMBER, check_count
from smolml_array.array import MLArray
from smolml_array.backends.signatures import Raw
from smolml_array.functions.joining import concat, stack
from smolml_array.functions.table import as_array
from smolml_value import Value
from smolml_value.extending import MODE, Node
from smolml_value.extending.derivatives import (
    FunctionNode,
    OperandRules,
    Parts,
    of,
    register,
    shape_of,
)

BATCH_NUMBERS: Final = 2**20
"""How many numbers rows of a jacobian have that are computed at once, at most."""
FEWEST: Final = 8
"""From how many rows on that pays."""


class ArrayRules(OperandRules):
    """The answers for arrays, as operands."""

    def node_of(self, x: MLArray) -> Node:
        return x._current_node()

    def is_tracked(self, x: MLArray) -> bool:
        return x._current_node().tracked

    def alias(self, x: MLArray) -> MLArray:
        x = lifted(x)
        if x._current_node().tracked:
            return MLArray._rule(RESHAPE, x, shape=_differentiable(x).shape)
        return self.new_leaf(x)

    def new_leaf(self, x: MLArray) -> MLArray:
        """Other numbers in it are an assignment: nothing is then computed from those it has."""
        node = _differentiable(lifted(x))
        return same_numbers(ArrayNode(node.backend, node.raw, True), node.raw)

    def detach(self, x: MLArray) -> MLArray:
        return x.detach()

    def shape_of(self, x: MLArray) -> tuple[int, ...]:
        return x.shape

    def number_of(self, x: MLArray) -> Raw:
        return x._current_node().raw

    def full_like(self, x: MLArray, number: float) -> MLArray:
        node = x._current_node()
        return MLArray._constant(node.backend, node.backend.full_like(node.raw, number))

    def inner(self, x: MLArray, y: Any) -> MLArray:
        return (x * y).sum()  # type: ignore[no-any-return]

    def rows(self, like: MLArray, walk: Any, ends: list[Any], axis_first: bool) -> list[Any]:
        """By vmap, as many at once as `BATCH_NUMBERS` allows."""
        node, size, axis = like._current_node(), like.size(), 0 if axis_first else -1
        shapes = [shape_of(x) for x in ends]
        check_count(size * sum(map(math.prod, shapes)), "jacobian", NUMBER)
        xp, parts = node.backend, []
        step = max(1, BATCH_NUMBERS // max([1, size, *map(math.prod, shapes)]))
        for start in range(0, max(size, 1), step):
            units = xp.eye(min(step, size - start), size, k=start, dtype=node.raw.dtype)
            seeds = MLArray._constant(xp, xp.reshape(units, (units.shape[0], *like.shape)))
            if 0 < size < FEWEST:
                rows = [[as_array(y, like) for y in walk(seed)] for seed in seeds]
                parts.append([stack(column, axis) for column in zip(*rows, strict=True)])
                continue
            by_row = vmap(lambda seed: walk(seed, hasattr(seed._node.raw, "whole")), 0, axis)
            parts.append(by_row(seeds))
        joined = [concat(part, axis) for part in zip(*parts, strict=True)]
        return [
            c.reshape((*like.shape, *shape) if axis_first else (*shape, *like.shape))
            for c, shape in zip(joined, shapes, strict=True)
        ]

    def make_output(self, x: MLArray, function: Any, index: int, op: str) -> MLArray:
        return MLArray._from_node(OutputNode(x._current_node(), function, index, op))

    def sources(self, x: MLArray) -> tuple[list[Node], Callable[[list[Any]], Any]]:
        """The gradient of a window is what it shows of its root's, that of Values is theirs."""
        node = x._current_node()
        view = x._view
        if view is not None:
            nodes, shown = self.sources(view.root)
            xp: Any = traced(node.backend.name)

            def through(cotangents: list[Any]) -> Any:
                c = shown(cotangents)
                return None if c is None else view.shown(xp, c)

            return nodes, through
        if isinstance(node, ValuesNode):
            return list(node.values), partial(of_values, node)
        return super().sources(x)

    def to_floats(self, x: MLArray) -> list[float]:
        node = x._current_node()
        return [float(number) for number in node.backend.to_flat(node.raw)]

    def from_floats(self, like: MLArray, numbers: list[float]) -> MLArray:
        node = like._current_node()
        raw = node.backend.from_flat(numbers, node.shape, node.raw.dtype)
        return MLArray._from_node(ArrayNode(node.backend, raw, node.tracked))

    def epsilon(self, x: MLArray) -> float:
        node = x._current_node()
        is_float = node.backend.isdtype(node.raw.dtype, "real floating")
        return float(node.backend.finfo(node.raw.dtype).eps) if is_float else 2.0**-52

    def is_close(self, x: MLArray, y: Any) -> bool:
        if not isinstance(y, MLArray) or x.shape != y.shape:
            return False
        xp, a, b = x._node.backend, x._current_node().raw, y._current_node().raw
        return bool(xp.silence.run(_close, xp, a, b, 1e4 * self.epsilon(x)))


def _differentiable(x: MLArray) -> ArrayNode:
    node = x._current_node()
    if not node.backend.isdtype(node.raw.dtype, "real floating"):
        raise TypeError(f"an array of {node.raw.dtype} has no derivative; use x.astype('float64')")
    return node


def _close(xp: Any, a: Raw, b: Raw, tolerance: float) -> Raw:
    # < and not <=: no number is near inf
    near = xp.abs(a - b) < tolerance * xp.maximum(xp.abs(a), xp.abs(b))
    return xp.all(near | (a == b) | (xp.isnan(a) & xp.isnan(b)))


_ARRAYS: Final = ArrayRules()


class NDArrayRules(OperandRules):
    """The answers for NumPy's arrays and scalars, which need not be installed."""

    is_plain = True

    def plain(self, x: Any, y: Any) -> Any:
        """Floats for single results; for x an array of its dtype, or a scalar as x is one."""
        if x is None and shape_of(y) == ():
            return float(y)
        import numpy as np  # who gives an ndarray has it

        made = np.array(y, None if x is None else x.dtype)
        return made[()] if isinstance(x, np.generic) else made

    def new_leaf(self, x: Any) -> MLArray:
        if x.dtype.kind != "f":
            raise TypeError(f"an ndarray of {x.dtype} has no derivative; use x.astype('float64')")
        return _ARRAYS.new_leaf(MLArray(x))

    alias = new_leaf


# Results of functions --------------------------------------------------------------------------


class OutputNode(ArrayNode):
    """An array that is one result of a FunctionNode."""

    __slots__ = ("_function", "_index")

    def __init__(self, node: ArrayNode, function: FunctionNode, index: int, op: str) -> None:
        super().__init__(node.backend, node.raw, True, Rule(op, lambda xp, *xs: xs[0]))
        self._function = function
        self._index = index
        if MODE.watched:
            MODE.watcher.made(self)

    def _parents(self) -> Sequence[Node]:
        return (self._function,)

    def _operands(self) -> Sequence[Any]:
        return (self._function,)

    def _cotangents(self, g: Raw, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [{self._index: MLArray._constant(self.backend, g)}]

    def _sources(self, i: int) -> Sequence[Value]:
        return of(self._function).values(self._function)  # type: ignore[no-any-return]


class OutputNodeRules(ArrayNodeRules):
    """The answers for results of functions, whose cotangents a FunctionNode collects."""

    def vjp(self, node: Any, g: MLArray, needs: Sequence[bool]) -> Parts:
        return [{node._index: +g}]  # a copy: the function may write to it

    def jvp(self, node: Any, tangents: Parts, create_graph: bool) -> Any:
        t = tangents[0][node._index]  # type: ignore[index]  # those of all results
        return t if t is None or create_graph else of(t).number_of(t)


register(MLArray, _ARRAYS)
register(OutputNode, OutputNodeRules())
for _name in ("ndarray", "float16", "float32", "longdouble"):  # a float64 is a float
    register(f"numpy.{_name}", NDArrayRules())
