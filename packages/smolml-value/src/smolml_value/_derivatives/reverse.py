"""Reverse mode: value_and_grad, grad, elementwise_grad, vjp and gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smolml_value._derivatives import arguments, nesting, trees
from smolml_value._derivatives.arguments import Function, Inputs, P, T
from smolml_value._derivatives.leaving import silent
from smolml_value._derivatives.made import made
from smolml_value._derivatives.rules import node_of, nodes_of, of, or_zeros, shape_of
from smolml_value._derivatives.subgraph import Subgraph
from smolml_value._derivatives.trees import Tree
from smolml_value.node import OperandBase
from smolml_value.recording import recording


def cotangents(
    outputs: Sequence[Any], seeds: Sequence[Any], inputs: Inputs
) -> Callable[[bool], list[Any]]:
    """The function that computes J' seeds: with operands if called with True, else constants."""
    graph = Subgraph(nodes_of(outputs), inputs.nodes)
    return lambda create_graph: or_zeros(graph.vjp(seeds, create_graph), inputs.operands)


def gradients(output: Any, inputs: Sequence[Any], cotangent: Any = None) -> list[Any]:
    """d(output)/d(input) for each input, as nodes that can be differentiated again.

    What `backward` adds to `grad`, but returned, and without touching any `grad`. For an output
    with several elements it is the gradient of their sum, or of their products with `cotangent`.
    Where the output does not depend on an input the gradient is zero.

    Args:
        output: a Value or an array.
        inputs: Values and arrays, leaves or not, that it was computed from.
        cotangent: an operand of the shape of output, or a number.

    Returns:
        One gradient per input, of its shape.

    Raises:
        TypeError: something else is given, or the cotangent has another shape.

    >>> from smolml_value import Value
    >>> x = Value(3.0)
    >>> (slope,) = gradients(x**3, [x])
    >>> slope.data, gradients(slope, [x])[0].data, x.grad
    (27.0, 18.0, 0.0)
    """
    if not isinstance(inputs, list | tuple):
        raise TypeError(
            f"gradients: inputs must be a list or tuple, got a {type(inputs).__name__}; "
            f"write [x] for one"
        )
    for what, x in [("the output", output), *((f"input {i}", x) for i, x in enumerate(inputs))]:
        if not isinstance(x, OperandBase):
            raise TypeError(
                f"gradients: {what} is a {type(x).__name__}; expected a Value or an MLArray "
                f"(for functions of floats use grad)"
            )
    seed = 1.0 if cotangent is None else cotangent
    seed = arguments.shaped_like("gradients", "the cotangent", output, seed)
    sources = [of(x).sources(x) for x in inputs]
    nodes = [node for own, _ in sources for node in own]
    with nesting.nested(), recording(), silent():
        found = iter(Subgraph([node_of(output)], nodes, beyond=True).vjp([seed], True))
        made = [shown([next(found) for _ in own]) for own, shown in sources]
        return or_zeros(made, inputs)


def value_and_grad(
    f: Callable[P, T], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, tuple[T, Any]]:
    """The function that returns f(*args) and its gradient, both from one run of f.

    The gradient has the containers and shapes of the arguments: floats for floats (where nothing
    differentiates them again), Values for Values, arrays for arrays.

    Args:
        f: a function that returns one number; with has_aux a pair of it and anything else.
        argnums: by which positional arguments; several give a tuple of gradients.
        has_aux: f returns (result, aux); the function then returns ((result, aux), gradient).

    Raises:
        TypeError: f returns more than a number, or an argument is not made of floats.
        IndexError: argnums out of range.

    Source: Griewank & Walther, Evaluating Derivatives (2008), section 3.2.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def with_gradient(*args: Tree, **kwargs: Any) -> Tree:
        return run("value_and_grad", f, args, kwargs, argnums, has_aux)

    return made(with_gradient, value_and_grad, f, argnums, has_aux)


def grad(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, Any]:
    """The function that returns the gradient of f: df/dx, in the containers and shapes of x.

    In place of an ndarray f sees an MLArray, and the gradient is an ndarray again.

    Args:
        f: a function that returns one number (a float, a Value or a 0-d array).
        argnums: by which positional arguments; several give a tuple of gradients.
        has_aux: f returns (result, aux); the function then returns (gradient, aux).

    Raises:
        TypeError: f returns more than a number, or an argument is not made of floats.
        IndexError: argnums out of range.

    Source: reverse mode, S. Linnainmaa (1970).

    >>> cube = lambda x: x**3
    >>> grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)
    (12.0, 12.0, 6.0)
    """

    def gradient(*args: Tree, **kwargs: Any) -> Tree:
        value, found = run("grad", f, args, kwargs, argnums, has_aux)
        return (found, value[1]) if has_aux else found

    return made(gradient, grad, f, argnums, has_aux)


def elementwise_grad(f: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """The derivative of an element-wise function at each element: the gradient of its sum.

    Args:
        f: a function whose result has the shape of its argument, element i of it depending on
            element i only.
        argnums: by which positional arguments; several give a tuple of derivatives.

    Raises:
        TypeError: the result has another shape than the argument.

    >>> elementwise_grad(lambda x: x * x)(3.0)
    6.0
    """

    def derivative(*args: Tree, **kwargs: Any) -> Tree:
        def summed(*inner_args: Tree, **inner_kwargs: Any) -> Any:
            results = trees.leaves(f(*inner_args, **inner_kwargs))
            for i in arguments.selected("elementwise_grad", args, argnums):
                given = [shape_of(x) for x in trees.leaves(inner_args[i])]
                got = [shape_of(y) for y in results]
                if got != given:
                    raise TypeError(
                        f"elementwise_grad: the result has shape {_joined(got)} and argument {i} "
                        f"{_joined(given)}; they must be equal (for other functions use jacobian)"
                    )
            total: Any = 0.0
            for y in results:
                scalar = arguments.is_scalar(y)
                total = total + (y if scalar else of(y).inner(y, of(y).full_like(y, 1.0)))
            return total

        return run("elementwise_grad", summed, args, kwargs, argnums, False)[1]

    return made(derivative, elementwise_grad, f, argnums)


def _joined(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "of nothing"


def run(
    who: str,
    f: Function,
    args: Sequence[Tree],
    kwargs: dict[str, Any],
    argnums: int | Sequence[int],
    has_aux: bool,
) -> Tree:
    """f(*args, **kwargs), with aux if it has, and the gradient."""
    level = nesting.current()
    inputs = Inputs(who, level, args, argnums)
    value = inputs.call(f, kwargs)
    y = value
    if has_aux:
        if not isinstance(value, tuple) or len(value) != 2:
            raise TypeError(
                f"{who}: with has_aux=True the function must return a tuple (result, aux), "
                f"got a {type(value).__name__}"
            )
        y = value[0]
    arguments.check_scalar(who, y, inputs)
    with nesting.nested(), recording():
        seed = of(y).full_like(y, 1.0) if isinstance(y, OperandBase) else 1.0
    compute = cotangents([y], [seed], inputs)
    found = nesting.derivatives(level, compute, inputs.forms, "grad")
    return nesting.result(level, value, inputs.form), inputs.packed(found)


def vjp(f: Callable[P, Any], *primals: Tree) -> tuple[Tree, Function]:
    """f(*primals) and its pullback v -> J' v: cotangents of the result -> those of the primals.

    <v, J u> = <J' v, u> for all u, v. The pullback takes a cotangent made like the result and
    returns a tuple with one for each primal. It may be called as often as one likes.

    Raises:
        TypeError: an argument is not made of floats, or the cotangent is not made like the
            result, or has other shapes.

    Source: Griewank & Walther, Evaluating Derivatives (2008), section 3.2.

    >>> y, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> y, pullback(1.0)
    (12.0, (4.0, 3.0))
    """
    level = nesting.current()
    inputs = Inputs("vjp", level, primals)
    value = inputs.call(f)
    outputs = trees.leaves(value)

    def pullback(cotangent: Tree) -> Tree:
        given = trees.leaves_like(value, cotangent, "vjp: the cotangent")
        where = [f"the cotangent{path}" for path in trees.paths(value)]
        numbers = not any(isinstance(g, OperandBase) for g in given)
        seeds = [
            arguments.shaped_like("vjp", what, y, g) if isinstance(y, OperandBase) else g
            for what, y, g in zip(where, outputs, given, strict=True)
        ]
        here = nesting.current()
        mode = nesting.Level(level.create_graph or here.create_graph, here.connected)
        compute = cotangents(outputs, seeds, inputs)
        forms = [form if numbers else None for form in inputs.forms]
        return inputs.packed(nesting.derivatives(mode, compute, forms, "vjp"))

    return nesting.result(level, value, inputs.form), pullback
