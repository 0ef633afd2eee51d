"""How deep in transforms a computation is, and whether its results are numbers or operands.

The outermost transform walks the graph with numbers. What it returns for Values and arrays is
connected to them, but the graph of these gradients is made only if somebody differentiates it. A
transform inside another walks with operands, since the outer one will differentiate them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from smolml_value._derivatives import rules, trees
from smolml_value._derivatives.function_node import LazyGradient
from smolml_value._derivatives.leaving import silent
from smolml_value._derivatives.rules import of
from smolml_value._derivatives.trees import Tree
from smolml_value._runtime.modes import Mode, Setting
from smolml_value.node import OperandBase
from smolml_value.recording import grad_enabled, no_grad, recording

# From an operand to what a user gets who gave plain numbers; None: it stays an operand.
Form: TypeAlias = Callable[[Any], Any] | None

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
    level: Level, compute: Callable[[bool], Sequence[Any]], forms: Sequence[Form], name: str
) -> list[Any]:
    """What `compute(create_graph)` gives, the derivatives as operands, in the form for the user.

    Args:
        level: the level of the transform.
        compute: called with False it may return constants; with True it must not.
        forms: per result how the user gets it, outside of all transforms.
        name: what drawings show as the op of a lazy gradient.
    """
    if level.create_graph:
        with recording(), silent():
            return [_as_result(x) for x in compute(True)]
    with no_grad(), silent():
        found = compute(False)
    if not level.connected or None not in forms:
        return [_cut_off(x, form) for x, form in zip(found, forms, strict=True)]

    def make() -> list[Any]:
        with nested(), recording(), silent():
            again = compute(True)
        return [x for x, form in zip(again, forms, strict=True) if form is None]

    function = LazyGradient(make)
    index = iter(range(len(found)))
    return [
        form(x) if form else of(x).make_output(x, function, next(index), name)
        for x, form in zip(found, forms, strict=True)
    ]


def result(level: Level, tree: Tree, form: Form) -> Tree:
    """What the function returned, in the form for the user: numbers for numbers."""
    if level.create_graph or (level.connected and form is None):
        return tree
    return trees.map_leaves(lambda y: _cut_off(y, form), tree)


def _cut_off(x: Any, form: Form) -> Any:
    if not isinstance(x, OperandBase):
        return x
    return form(x) if form else of(x).detach(x)


def _as_result(x: Any) -> Any:
    """x as a node with parents, also where it is a constant, as a derivative may well be.

    A function that returns it returns a result then, not a constant by mistake.
    """
    while not rules.node_of(x)._parents():
        x = of(x).alias(x)  # of a constant array a leaf, of a leaf a node
    return x
