"""Forward mode: jvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smolml_value._derivatives import arguments, nesting, trees
from smolml_value._derivatives.arguments import Inputs, P
from smolml_value._derivatives.rules import nodes_of, or_zeros
from smolml_value._derivatives.subgraph import Subgraph
from smolml_value._derivatives.trees import Tree
from smolml_value.node import OperandBase
from smolml_value.recording import recording


def jvp(
    f: Callable[P, Any], primals: Sequence[Tree], tangents: Sequence[Tree]
) -> tuple[Tree, Tree]:
    """f(*primals) and J t, the derivative of f along the tangents: forward mode.

    It costs about one more run of f, whatever the number of arguments.

    Args:
        f: a function of floats, Values, arrays and containers of them, to such.
        primals: a tuple or list of its arguments.
        tangents: one for each, of the same containers and shapes.

    Returns:
        The result, and its tangent in the same containers and shapes.

    Raises:
        TypeError: an argument is not made of floats, or tangents are not made like the primals.

    Source: R. E. Wengert (1964); from the same partials as reverse mode.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
        raise TypeError(
            "jvp: primals and tangents must be tuples, one entry per argument of the function; "
            "write (x,) for one"
        )
    level = nesting.current()
    inputs = Inputs("jvp", level, primals, name="primals[{}]")
    given = trees.leaves_like(tuple(primals), tuple(tangents), "jvp: the tangents")
    where = [f"tangents{path}" for path in trees.paths(tuple(primals))]
    value = inputs.call(f)
    with nesting.nested(), recording():
        seeds = [
            arguments.shaped_like("jvp", what, x, t)
            for what, x, t in zip(where, inputs.operands, given, strict=True)
        ]
    outputs = trees.leaves(value)
    form = None if any(isinstance(t, OperandBase) for t in given) else inputs.form
    like = [y if isinstance(y, OperandBase) else 0.0 for y in outputs]
    graph = Subgraph(nodes_of(outputs), inputs.nodes)

    def compute(create_graph: bool) -> list[Any]:
        return or_zeros(graph.jvp(seeds, create_graph), like)

    forms = [form if isinstance(y, OperandBase) else float for y in outputs]
    found = nesting.derivatives(level, compute, forms, "jvp")
    return nesting.result(level, value, form), trees.rebuild(value, found)
