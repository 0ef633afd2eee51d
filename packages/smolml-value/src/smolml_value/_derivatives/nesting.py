"""How deep in transforms a computation is, and whether its results are numbers or operands.

The outermost transform walks the graph with numbers. What it returns for Values and arrays is
connected to them, but the graph of these gradients is made only if somebody differentiates it. A
transform inside another walks with operands, since the outer one will differentiate them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from smolml_value._derivatives import rules, trees
from smolml_value._derivatives.function_node import LazyGradient
from smolml_value._derivatives.leaving import silent
from smolml_value._derivatives.rules import of
from smolml_value._derivatives.trees import Tree
from smolml_value._runtime.modes import Mode, Setting
from smolml_value.node import OperandBase
from smolml_value.recording import grad_enabled, no_grad, recording

_depth: Final[Mode[int]] = Mode("smolml_transform_depth", 0)


class Level(NamedTuple):
    """Of a transform that is called.

    Attributes:
        create_graph: whether it walks with operands.
        connected: whether operands that the user gives are differentiated.
    """

    create_graph: bool
    connected: bool


def current() -> Level:
    """The level of a transform that is called here."""
    enabled = grad_enabled()
    return Level(create_graph=enabled and _depth.get() > 0, connected=enabled)


def nested() -> Setting[int]:
    """One level down; with `recording()`, since there everything is: a function runs in it."""
    return Setting(_depth, _depth.get() + 1)


def derivatives(
    level: Level, compute: Callable[[bool], Sequence[Any]], as_floats: Sequence[bool], name: str
) -> list[Any]:
    """What `compute(create_graph)` gives, the derivatives as operands, in the form for the user.

    Args:
        level: the level of the transform.
        compute: called with False it may return constants; with True it must not.
        as_floats: per result whether the user gets a float for it, outside of all transforms.
        name: what drawings show as the op of a lazy gradient.
    """
    if level.create_graph:
        with recording(), silent():
            return [_as_result(x) for x in compute(True)]
    with no_grad(), silent():
        found = compute(False)
    if not level.connected or all(as_floats):
        return [_float_or_constant(x, low) for x, low in zip(found, as_floats, strict=True)]

    def make() -> list[Any]:
        with nested(), recording(), silent():
            again = compute(True)
        return [x for x, low in zip(again, as_floats, strict=True) if not low]

    function = LazyGradient(make)
    index = iter(range(len(found)))
    return [
        _float_or_constant(x, True) if low else of(x).make_output(x, function, next(index), name)
        for x, low in zip(found, as_floats, strict=True)
    ]


def result(level: Level, tree: Tree, numbers_only: bool) -> Tree:
    """What the function returned, in the form for the user: numbers for numbers."""
    if level.create_graph or (level.connected and not numbers_only):
        return tree
    return trees.map_leaves(lambda y: _float_or_constant(y, numbers_only), tree)


def _float_or_constant(x: Any, as_float: bool) -> Any:
    if not isinstance(x, OperandBase):
        return x
    return float(x) if as_float and rules.shape_of(x) == () else of(x).detach(x)  # type: ignore[arg-type]  # a scalar


def _as_result(x: Any) -> Any:
    """x as a node with parents, also where it is a constant, as a derivative may well be.

    A function that returns it returns a result then, not a constant by mistake.
    """
    while not rules.node_of(x)._parents():
        x = of(x).alias(x)  # of a constant array a leaf, of a leaf a node
    return x
