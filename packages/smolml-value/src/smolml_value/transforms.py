"""Derivatives of functions, of every order: grad, vjp, jvp, jacobian, hessian, hvp and more.

All of them run the function once on nodes of the ordinary graph and then walk that graph with
cotangents (reverse) or tangents (forward) that are nodes themselves: so they nest to any depth,
mix with `backward()`, and never touch the `grad` of what the user holds.

Sources: Griewank & Walther, Evaluating Derivatives (2008); the vocabulary is that of JAX.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from smolml_value import _derive, _trees
from smolml_value._mode import no_grad, recording
from smolml_value._op import OperandBase
from smolml_value._walk import pull_back, push_forward

# What functions take and return: numbers, Values, arrays, and containers of these. They nest
# without end and their types come out as they went in, so there is no one type to write.
Tree = Any
Function = Callable[..., Tree]

_depth: ContextVar[int] = ContextVar("smolml_transform_depth", default=0)


@contextmanager
def _transform(numbers_only: bool) -> Iterator[bool]:
    """One level of transforms; yields whether what is computed must be recorded.

    On plain numbers at the outermost level nothing can be differentiated again.
    """
    depth = _depth.get()
    token = _depth.set(depth + 1)
    try:
        with recording():
            yield depth > 0 or not numbers_only
    finally:
        _depth.reset(token)


@contextmanager
def _maybe(record: bool) -> Iterator[None]:
    if record:
        yield
    else:
        with no_grad():
            yield


# Arguments and results -------------------------------------------------------------------------


def _check_leaf(who: str, x: object) -> None:
    if isinstance(x, OperandBase | float):
        return
    if isinstance(x, bool | int):
        raise TypeError(f"{who}: cannot differentiate by the {type(x).__name__} {x!r}; write {x}.0")
    hint = "; wrap it in an MLArray" if hasattr(x, "__array__") else ""
    raise TypeError(
        f"{who}: cannot differentiate by a {type(x).__name__} ({x!r:.40}); expected floats, "
        f"Values, MLArrays, or lists, tuples and dicts of them{hint}. If it is an option, bind it "
        f"with functools.partial, or leave it out of argnums"
    )


def _fresh(who: str, tree: Tree) -> tuple[Tree, list[Any]]:
    """New nodes for the leaves of an argument, in the same containers."""
    for x in _trees.leaves(tree):
        _check_leaf(who, x)
    nodes = [_derive.fresh(x) for x in _trees.leaves(tree)]
    return _trees.rebuild(tree, nodes), nodes


def _selected(who: str, args: Sequence[Any], argnums: int | Sequence[int]) -> list[int]:
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in chosen:
        if not -len(args) <= i < len(args):
            raise IndexError(
                f"{who}: argnums {i} is out of range for {len(args)} positional argument(s)"
            )
    return [i % len(args) for i in chosen]


def _lowered(x: Any, like: Any, record: bool) -> Any:
    """The result for an argument: a float for a float, unless it can be differentiated again."""
    if isinstance(like, float) and isinstance(x, OperandBase):
        connected = record and _derive.node_of(x)._parents()
        return x if connected else float(x)  # type: ignore[arg-type]  # a scalar one
    return x


def _gradients(outputs: list[Any], seeds: list[Any], inputs: list[Any]) -> list[Any]:
    pairs = [
        (_derive.node_of(y), g)
        for y, g in zip(outputs, seeds, strict=True)
        if isinstance(y, OperandBase)
    ]
    found = pull_back(pairs, [_derive.node_of(x) for x in inputs])
    return [
        _derive.full_like(x, 0.0) if c is None else c for x, c in zip(inputs, found, strict=True)
    ]


def _is_scalar(y: Any) -> bool:
    return isinstance(y, float | int) or (isinstance(y, OperandBase) and _derive.shape_of(y) == ())


def _scalar_output(who: str, y: Any) -> Any:
    if not _is_scalar(y):
        given = f"shape {_derive.shape_of(y)}" if isinstance(y, OperandBase) else type(y).__name__
        raise TypeError(
            f"{who}: the function must return one number, got {given}; use jacobian, "
            f"elementwise_grad, or sum it"
        )
    if not isinstance(y, OperandBase) or not _derive.node_of(y)._parents():
        warnings.warn(
            f"{who}: the result does not depend on the arguments (a constant was returned); "
            f"the gradient is zero",
            stacklevel=4,
        )
    return y


def gradients(output: Any, inputs: Sequence[Any], cotangent: Any = None) -> list[Any]:
    """d(output)/d(input) for each input, as nodes that can be differentiated again.

    What `backward` adds to `grad`, but returned, and without touching any `grad`. For an output
    with several elements it is the gradient of their sum, or of their products with `cotangent`.

    >>> from smolml_value import Value
    >>> x = Value(3.0)
    >>> (slope,) = gradients(x**3, [x])
    >>> slope.data, gradients(slope, [x])[0].data, x.grad
    (27.0, 18.0, 0.0)
    """
    seed = _derive.full_like(output, 1.0) if cotangent is None else cotangent
    with recording():
        return _gradients([output], [seed], list(inputs))


# Reverse mode ----------------------------------------------------------------------------------


def value_and_grad(
    f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Function:
    """The function that returns f(*args) and its gradient.

    Args:
        f: a function that returns one number; with has_aux a pair of it and anything else.
        argnums: by which positional arguments; several give a tuple of gradients.
        has_aux: f returns (result, aux); the function then returns ((result, aux), gradient).

    Raises:
        TypeError: f returns more than a number, or an argument is not made of floats.
        IndexError: argnums out of range.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def with_gradient(*args: Tree, **kwargs: Any) -> Tree:
        return _value_and_grad("grad", f, args, kwargs, argnums, has_aux)

    return with_gradient


def _value_and_grad(
    who: str,
    f: Function,
    args: Sequence[Tree],
    kwargs: dict[str, Any],
    argnums: int | Sequence[int],
    has_aux: bool,
) -> Tree:
    chosen = _selected(who, args, argnums)
    originals = [x for i in chosen for x in _trees.leaves(args[i])]
    with _transform(not any(isinstance(x, OperandBase) for x in originals)) as record:
        call = list(args)
        inputs: list[Any] = []
        for i in chosen:
            call[i], nodes = _fresh(who, args[i])
            inputs += nodes
        result = f(*call, **kwargs)
        y, aux = result if has_aux else (result, None)
        _scalar_output(who, y)
        with _maybe(record):
            found = _gradients([y], [_derive.full_like(y, 1.0)], inputs)
        found = [_lowered(c, x, record) for c, x in zip(found, originals, strict=True)]
        if originals and all(isinstance(x, float) for x in originals):
            y = _lowered(y, 0.0, record and _depth.get() > 1)
    trees = []
    for i in chosen:
        count = len(_trees.leaves(args[i]))
        trees.append(_trees.rebuild(args[i], found[:count]))
        found = found[count:]
    gradient = trees[0] if isinstance(argnums, int) else tuple(trees)
    return ((y, aux) if has_aux else y), gradient


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that returns the gradient of f: a float for floats, a Value for Values, ...

    Raises:
        TypeError: f returns more than a number, or an argument is not made of floats.
        IndexError: argnums out of range.

    >>> cube = lambda x: x**3
    >>> grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)
    (12.0, 12.0, 6.0)
    """

    def gradient(*args: Tree, **kwargs: Any) -> Tree:
        return _value_and_grad("grad", f, args, kwargs, argnums, False)[1]

    return gradient


def elementwise_grad(f: Function, argnums: int = 0) -> Function:
    """The derivative of an element-wise function at each element: the gradient of its sum.

    >>> elementwise_grad(lambda x: x * x)(3.0)
    6.0
    """

    def derivative(*args: Tree, **kwargs: Any) -> Tree:
        def summed(*inner_args: Tree, **inner_kwargs: Any) -> Tree:
            y = f(*inner_args, **inner_kwargs)
            return y if _is_scalar(y) else _derive.inner(y, _derive.full_like(y, 1.0))

        return _value_and_grad("elementwise_grad", summed, args, kwargs, argnums, False)[1]

    return derivative


def vjp(f: Function, *primals: Tree) -> tuple[Tree, Function]:
    """f(*primals) and its pullback: cotangents of the result -> cotangents of the primals.

    <v, J u> = <J' v, u>: the pullback is v -> J' v.

    Raises:
        TypeError: an argument is not made of floats, or the cotangent is not made like the result.

    >>> y, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> y, pullback(1.0)
    (12.0, (4.0, 3.0))
    """
    originals = [x for p in primals for x in _trees.leaves(p)]
    numbers_only = not any(isinstance(x, OperandBase) for x in originals)
    with _transform(numbers_only) as record:
        call, inputs = [], []
        for p in primals:
            made, nodes = _fresh("vjp", p)
            call.append(made)
            inputs += nodes
        result = f(*call)

    def pullback(cotangent: Tree) -> Tree:
        if not _trees.same_structure(cotangent, result):
            raise TypeError(
                f"vjp: the cotangent must be made like the result, which is {result!r:.80}; "
                f"got {cotangent!r:.80}"
            )
        seeds = _trees.leaves(cotangent)
        again = record or any(isinstance(g, OperandBase) for g in seeds)
        with recording(), _maybe(again):
            found = _gradients(_trees.leaves(result), _seeds(result, seeds), inputs)
        found = [_lowered(c, x, again) for c, x in zip(found, originals, strict=True)]
        trees = []
        for p in primals:
            count = len(_trees.leaves(p))
            trees.append(_trees.rebuild(p, found[:count]))
            found = found[count:]
        return tuple(trees)

    out = result
    if numbers_only and not record:
        out = _trees.map_leaves(lambda y: float(y) if _is_scalar(y) else y, result)
    return out, pullback


def _seeds(result: Tree, cotangents: list[Any]) -> list[Any]:
    """Cotangents as operands with the shapes of the results."""
    seeds = []
    for y, g in zip(_trees.leaves(result), cotangents, strict=True):
        if isinstance(y, OperandBase) and not isinstance(g, OperandBase):
            g = _derive.full_like(y, 1.0) * g
        if isinstance(y, OperandBase) and _derive.shape_of(g) != _derive.shape_of(y):
            raise TypeError(
                f"vjp: a cotangent has shape {_derive.shape_of(g)}, "
                f"its result has {_derive.shape_of(y)}: they must be equal"
            )
        seeds.append(g)
    return seeds


# Forward mode ----------------------------------------------------------------------------------


def jvp(f: Function, primals: Sequence[Tree], tangents: Sequence[Tree]) -> tuple[Tree, Tree]:
    """f(*primals) and J t, the derivative of f along the tangents.

    Raises:
        TypeError: tangents that are not made like the primals.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    primals, tangents = tuple(primals), tuple(tangents)
    if not _trees.same_structure(primals, tangents):
        raise TypeError(
            f"jvp: tangents must be made like the primals, got {tangents!r:.80} for {primals!r:.80}"
        )
    originals = _trees.leaves(primals)
    given = _trees.leaves(tangents)
    numbers_only = not any(isinstance(x, OperandBase) for x in originals + given)
    with _transform(numbers_only) as record:
        call, inputs = _fresh("jvp", primals)
        result = f(*call)
        pairs = []
        for x, t in zip(inputs, given, strict=True):
            t = t if isinstance(t, OperandBase) else _derive.full_like(x, 1.0) * t
            if _derive.shape_of(t) != _derive.shape_of(x):
                raise TypeError(
                    f"jvp: a tangent has shape {_derive.shape_of(t)}, "
                    f"its primal has {_derive.shape_of(x)}: they must be equal"
                )
            pairs.append((_derive.node_of(x), t))
        outputs = _trees.leaves(result)
        nodes = [_derive.node_of(y) if isinstance(y, OperandBase) else None for y in outputs]
        with _maybe(record):
            found = iter(push_forward(pairs, [n for n in nodes if n is not None]))
            out = [None if n is None else next(found) for n in nodes]
            out = [
                (_derive.full_like(y, 0.0) if isinstance(y, OperandBase) else 0.0)
                if t is None
                else t
                for y, t in zip(outputs, out, strict=True)
            ]
    if numbers_only:
        out = [_lowered(t, 0.0, record) if _is_scalar(t) else t for t in out]
        if not record:
            result = _trees.map_leaves(lambda y: float(y) if _is_scalar(y) else y, result)
    return result, _trees.rebuild(result, out)


# Matrices of derivatives -----------------------------------------------------------------------


def jacobian(f: Function, argnums: int = 0) -> Function:
    """The function that returns all partial derivatives of f.

    For an array x of shape S and a result of shape T they form an array of shape T + S; for
    containers, containers of these: those of the result outside, those of the argument inside.
    Rows are computed by reverse mode or columns by forward mode, whichever are fewer.

    Raises:
        TypeError: the argument is not made of floats.

    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0]]
    """

    def matrix(*args: Tree, **kwargs: Any) -> Tree:
        (i,) = _selected("jacobian", args, argnums)

        def of_one(x: Tree) -> Tree:
            return f(*args[:i], x, *args[i + 1 :], **kwargs)

        return _jacobian(of_one, args[i])

    return matrix


def _size(x: Any) -> int:
    size = 1
    for n in _derive.shape_of(x):
        size *= n
    return size


def _jacobian(f: Function, x: Tree) -> Tree:
    originals = _trees.leaves(x)
    with _transform(not any(isinstance(leaf, OperandBase) for leaf in originals)) as record:
        call, inputs = _fresh("jacobian", x)
        result = f(call)
        outputs = _trees.leaves(result)
        by_rows = sum(map(_size, outputs)) <= sum(map(_size, inputs))
        with _maybe(record):
            blocks = (_rows if by_rows else _columns)(inputs, outputs)
        lowered = [
            [
                _lowered(b, 0.0, record) if isinstance(o, float) else b
                for b, o in zip(row, originals, strict=True)
            ]
            for row in blocks
        ]
    return _trees.rebuild(result, [_trees.rebuild(x, row) for row in lowered])


def _rows(inputs: list[Any], outputs: list[Any]) -> list[list[Any]]:
    """One reverse pass for each element of the result."""
    blocks = []
    for y in outputs:
        if not isinstance(y, OperandBase):
            blocks.append([_derive.full_like(x, 0.0) for x in inputs])
            continue
        rows = [_gradients([y], [unit], inputs) for unit in _derive.basis(y)]
        blocks.append(
            [_derive.assembled(y, [row[j] for row in rows], True, x) for j, x in enumerate(inputs)]
        )
    return blocks


def _columns(inputs: list[Any], outputs: list[Any]) -> list[list[Any]]:
    """One forward pass for each element of the argument."""
    nodes = [_derive.node_of(y) for y in outputs if isinstance(y, OperandBase)]
    blocks: list[list[Any]] = [[] for _ in outputs]
    for x in inputs:
        columns: list[list[Any]] = [[] for _ in outputs]
        for unit in _derive.basis(x):
            found = iter(push_forward([(_derive.node_of(x), unit)], nodes))
            for k, y in enumerate(outputs):
                t = next(found) if isinstance(y, OperandBase) else 0.0
                columns[k].append(_derive.full_like(y, 0.0) if t is None else t)
        for k, y in enumerate(outputs):
            blocks[k].append(_derive.assembled(x, columns[k], False, y))
    return blocks


def hessian(f: Function, argnums: int = 0) -> Function:
    """The function that returns all second derivatives of f, which returns one number.

    >>> hessian(lambda p: p[0] ** 2 * p[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function) -> Function:
    """The function (x, v) -> H v, H being the hessian of f at x, which is never built.

    Forward over reverse: it costs a small multiple of f, in time and memory (Pearlmutter 1994).

    >>> hvp(lambda p: p[0] ** 2 * p[1])([3.0, 4.0], [1.0, 0.0])
    [8.0, 6.0]
    """

    def product(x: Tree, v: Tree) -> Tree:
        return jvp(grad(f), (x,), (v,))[1]

    return product


# Rules of one's own ----------------------------------------------------------------------------


def stop_gradient(x: Tree) -> Tree:
    """The same numbers, cut off from the graph.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return _trees.map_leaves(
        lambda leaf: _derive.constant(leaf) if isinstance(leaf, OperandBase) else leaf, x
    )


class custom_vjp:  # noqa: N801  # a decorator
    """A function whose derivative is given by hand.

    `f.defvjp(forward, backward)`: `forward(*args)` returns the result and whatever `backward`
    needs (the residuals); `backward(residuals, cotangent)` returns a tuple of cotangents, one
    for each argument, None for zero. For derivatives of higher order, compute in backward with
    the operands it is given.

    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (g.clip(-1.0, 1.0),))
    >>> grad(lambda x: 5.0 * clipped(x))(2.0)
    1.0
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.__name__ = getattr(f, "__name__", "custom_vjp")
        self.__doc__ = f.__doc__
        self._forward: Function | None = None
        self._backward: Function | None = None

    def defvjp(self, forward: Function, backward: Function) -> None:
        """Set the rule."""
        self._forward = forward
        self._backward = backward

    def __call__(self, *args: Tree) -> Tree:
        forward, backward = self._forward, self._backward
        if forward is None or backward is None:
            raise TypeError(
                f"{self.__name__}: call {self.__name__}.defvjp(forward, backward) first"
            )
        flat = _trees.leaves(args)
        inputs = [x for x in flat if isinstance(x, OperandBase)]
        if not inputs:
            return self.f(*args)
        with no_grad():
            result, residuals = forward(*args)

        def pullback(g: Any) -> list[Any]:
            with recording():
                cotangents = backward(residuals, g)
            if not isinstance(cotangents, tuple | list) or len(cotangents) != len(args):
                raise TypeError(
                    f"{self.__name__}: its backward returned {cotangents!r:.60}; expected a "
                    f"tuple of {len(args)}, one cotangent per argument"
                )
            parts: list[Any] = []
            for arg, c in zip(args, cotangents, strict=True):
                own = _trees.leaves(arg)
                parts += [None] * len(own) if c is None else _trees.leaves(c)
            return [c for x, c in zip(flat, parts, strict=True) if isinstance(x, OperandBase)]

        if not isinstance(result, OperandBase):
            raise TypeError(
                f"{self.__name__}: forward must return one Value or array and the residuals, "
                f"got {type(result).__name__}"
            )
        return _derive.with_pullback(result, inputs, pullback)


def checkpoint(f: Function) -> Function:
    """f, whose inner results are not kept: backward computes them again when it needs them.

    Memory for time: about one more forward (Griewank & Walther 2000). f must give the same
    result when it is called again.

    >>> grad(checkpoint(lambda x: (x * x) * x))(2.0)
    12.0
    """

    def checkpointed(*args: Tree) -> Tree:
        flat = _trees.leaves(args)
        inputs = [x for x in flat if isinstance(x, OperandBase)]
        if not inputs:
            return f(*args)
        with no_grad():
            result = f(*args)

        def pullback_to(k: int) -> Callable[[Any], list[Any]]:
            def pullback(g: Any) -> list[Any]:
                with recording():
                    again = iter([_derive.fresh(x) for x in inputs])
                    nodes = [next(again) if isinstance(x, OperandBase) else x for x in flat]
                    y = _trees.leaves(f(*_trees.rebuild(args, nodes)))[k]
                    wanted = [n for n in nodes if isinstance(n, OperandBase)]
                    return _gradients([y], [g], wanted)

            return pullback

        made = [
            _derive.with_pullback(y, inputs, pullback_to(k)) if isinstance(y, OperandBase) else y
            for k, y in enumerate(_trees.leaves(result))
        ]
        return _trees.rebuild(result, made)

    return checkpointed
