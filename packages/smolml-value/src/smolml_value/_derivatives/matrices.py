"""Matrices of derivatives: jacobian and hessian; products with them: hvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

from smolml_value._derivatives import arguments, nesting, trees
from smolml_value._derivatives.arguments import Function, Inputs, P
from smolml_value._derivatives.forward import jvp
from smolml_value._derivatives.made import made
from smolml_value._derivatives.reverse import grad
from smolml_value._derivatives.rules import nodes_of, of, or_zeros, shape_of
from smolml_value._derivatives.subgraph import Subgraph
from smolml_value._derivatives.trees import Tree
from smolml_value.node import OperandBase


def jacobian(f: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """The function that returns all partial derivatives of f: $J_ij = d f_i / d x_j$.

    For an array x of shape S and a result of shape T they form an array of shape T + S; for
    containers, containers of these: those of the result outside, those of the argument inside.
    Rows are computed by reverse mode or columns by forward mode, whichever are fewer.

    Args:
        f: a function of floats, Values, arrays and containers of them, to such.
        argnums: by which positional argument; several: the argument is the tuple of them.

    Raises:
        TypeError: the argument is not made of floats, or the result not of numbers.
        IndexError: argnums out of range.

    Source: Griewank & Walther, Evaluating Derivatives (2008), chapter 3.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0]]
    """

    def matrix(*args: Tree, **kwargs: Any) -> Tree:
        level = nesting.current()
        inputs = Inputs("jacobian", level, args, argnums)
        value = inputs.call(f, kwargs)
        outputs = trees.leaves(value)
        for path, y in zip(trees.paths(value), outputs, strict=True):
            if not isinstance(y, OperandBase) and not arguments.is_scalar(y):
                raise TypeError(
                    f"jacobian: the function must return numbers, Values and arrays, got "
                    f"a {type(y).__name__}{f' at {path}' if path else ''}"
                )
        arguments.warn_if_constant("jacobian", outputs, inputs)
        found = iter(_blocks(level, inputs, outputs))
        return trees.rebuild(value, [inputs.packed(found) for _ in outputs])

    return made(matrix, jacobian, f, argnums)


def _blocks(level: nesting.Level, inputs: Inputs, outputs: list[Any]) -> list[Any]:
    """All blocks, row by row, in the form for the user."""
    present = [y for y in outputs if isinstance(y, OperandBase)]
    graph = Subgraph(nodes_of(present), inputs.nodes)
    xs, by_rows = inputs.operands, sum(map(_size, present)) <= sum(map(_size, inputs.operands))

    def compute(create_graph: bool) -> list[Any]:
        if by_rows:
            blocks = _walked(graph.vjp, present, xs, create_graph, True)
        else:  # by columns
            columns = _walked(graph.jvp, xs, present, create_graph, False)
            blocks = [[column[k] for column in columns] for k in range(len(present))]
        zeros = [of(x).full_like(x, 0.0) for x in xs]
        found = iter(blocks)
        rows = [next(found) if isinstance(y, OperandBase) else zeros for y in outputs]
        return [block for row in rows for block in row]

    forms = [
        form if inputs.form or shape_of(y) == () else None for y in outputs for form in inputs.forms
    ]
    return nesting.derivatives(level, compute, forms, "jacobian")


def _size(x: Any) -> int:
    return prod(shape_of(x))


def _walked(
    walk: Any, starts: list[Any], ends: list[Any], create_graph: bool, axis_first: bool
) -> list[list[Any]]:
    """For each of the starts what walks from its unit vectors bring to each of the ends."""

    def walked(k: int, seed: Any, with_operands: bool = False) -> list[Any]:
        seeds = [seed if i == k else None for i in range(len(starts))]
        return or_zeros(walk(seeds, create_graph or with_operands), ends)

    return [of(x).rows(x, partial(walked, k), ends, axis_first) for k, x in enumerate(starts)]


def hessian(f: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """The function that returns all second derivatives of f: $H_ij = d**2 f / (d x_i d x_j)$.

    For an array x of shape S they form an array of shape S + S.

    Args:
        f: a function that returns one number.
        argnums: by which positional argument; several: the argument is the tuple of them.

    Raises:
        TypeError: f returns more than a number, or the argument is not made of floats.
        IndexError: argnums out of range.

    >>> hessian(lambda p: p[0] ** 2 * p[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return made(jacobian(grad(f, argnums), argnums), hessian, f, argnums)


def hvp(f: Function) -> Function:
    """The function (x, v, *others) -> H v, H being the hessian of f at x, which is never built.

    Forward over reverse: H v is the derivative of the gradient along v. It costs a small multiple
    of f in time and memory, whatever the size of x. SciPy takes it as `hessp`.

    Args:
        f: a function of x (and others, which are not differentiated by) that returns one number.

    Raises:
        TypeError: f returns more than a number, x is not made of floats, or v not made like x.

    Source: B. A. Pearlmutter, Fast exact multiplication by the Hessian (1994).

    >>> hvp(lambda p: p[0] ** 2 * p[1])([3.0, 4.0], [1.0, 0.0])
    [8.0, 6.0]
    """

    def product(x: Tree, v: Tree, *others: Any, **kwargs: Any) -> Tree:
        slope = grad(lambda x: f(x, *others, **kwargs))
        return jvp(slope, (x,), (v,))[1]

    return made(product, hvp, f, wraps=False)
