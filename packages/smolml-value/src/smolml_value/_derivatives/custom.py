"""Derivatives given by hand or withheld: custom_vjp and stop_gradient."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from smolml_value._anomaly.state import unchecked
from smolml_value._derivatives import nesting, trees
from smolml_value._derivatives.arguments import Function
from smolml_value._derivatives.function_node import FunctionNode
from smolml_value._derivatives.leaving import silent
from smolml_value._derivatives.made import global_name
from smolml_value._derivatives.reverse import gradients
from smolml_value._derivatives.rules import node_of, of, shape_of
from smolml_value._derivatives.trees import Tree
from smolml_value.node import OperandBase
from smolml_value.recording import grad_enabled, recording


def stop_gradient(x: Tree) -> Tree:
    """The same numbers, cut off from the graph: a constant to every derivative.

    Takes and returns floats, Values, arrays and containers of them.

    >>> from smolml_value.transforms import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return trees.map_leaves(lambda leaf: of(leaf).detach(leaf), x)


class custom_vjp:  # noqa: N801  # a decorator
    """A function whose derivative is given by hand, with `f.defvjp(forward, backward)`.

    `forward(*args)` returns the result and whatever `backward` needs (the residuals);
    `backward(residuals, cotangent)` returns a tuple of cotangents, one for each argument, None
    for zero. Residuals that depend on the arguments are differentiated for derivatives of higher
    order. Forward mode transposes `backward`, which must be linear in the cotangent for that.
    What the function closes over gets no gradient.

    Raises:
        TypeError: on use, if no rule was set, or it returns something else than it must.

    Source: the interface of JAX's custom_vjp.

    >>> from smolml_value.transforms import grad
    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (g.clip(-1.0, 1.0),))
    >>> grad(lambda x: 5.0 * clipped(x))(2.0)
    1.0
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.__name__: str = getattr(f, "__name__", "custom_vjp")
        self.__doc__ = f.__doc__
        self.__wrapped__ = f  # whose signature is shown
        self.__module__ = getattr(f, "__module__", __name__)
        self.__global__: str = getattr(f, "__global__", getattr(f, "__qualname__", ""))
        self._forward: Function | None = None
        self._backward: Function | None = None

    def defvjp(self, forward: Function, backward: Function) -> None:
        """Set the rule."""
        self._forward = forward
        self._backward = backward

    def __repr__(self) -> str:
        return f"<custom_vjp {self.__name__}>"

    def __reduce__(self) -> Any:
        return global_name(self) or super().__reduce__()

    def __call__(self, *args: Tree) -> Tree:
        forward, backward = self._forward, self._backward
        if forward is None or backward is None:
            raise TypeError(
                f"{self.__name__}: call {self.__name__}.defvjp(forward, backward) first"
            )
        flat = trees.leaves(args)
        places = [i for i, x in enumerate(flat) if of(x).is_tracked(x)]
        if not places or not grad_enabled():
            return self.f(*args)
        # with the numbers they have now
        pinned = [of(x).alias(x) if of(x).is_tracked(x) else x for x in flat]
        nodes = [node_of(pinned[i]) for i in places]  # before: forward may assign to an array
        with silent():  # its derivative is given
            made = forward(*trees.rebuild(args, pinned))
        if not isinstance(made, tuple) or len(made) != 2:
            raise TypeError(
                f"{self.__name__}: its forward must return a tuple (result, residuals), "
                f"got a {type(made).__name__}"
            )
        value, residuals = made
        outputs = trees.leaves(value)
        zeros = [of(y).full_like(y, 0.0) if isinstance(y, OperandBase) else 0.0 for y in outputs]

        def pullback(received: list[Any]) -> list[Any]:
            received = received + [None] * (len(outputs) - len(received))
            given = [z if g is None else g for z, g in zip(zeros, received, strict=True)]
            found = backward(residuals, trees.rebuild(value, given))
            parts = self._checked(args, flat, found)
            return [parts[i] for i in places]

        pushforward = partial(_transposed, zeros, pullback)
        shown = self.__name__ if self.__name__.isidentifier() else "custom_vjp"  # <lambda>
        function = FunctionNode(nodes, pullback, pushforward)
        results = [
            of(y).make_output(y, function, k, shown) if isinstance(y, OperandBase) else y
            for k, y in enumerate(outputs)
        ]
        return trees.rebuild(value, results)

    def _checked(self, args: Sequence[Tree], flat: list[Any], found: Any) -> list[Any]:
        """What backward returned as one cotangent per leaf of the arguments."""
        if not isinstance(found, tuple | list) or len(found) != len(args):
            raise TypeError(
                f"{self.__name__}: its backward returned {found!r:.60}; expected a tuple of "
                f"{len(args)}, one cotangent per argument"
            )
        parts: list[Any] = []
        for i, (arg, c) in enumerate(zip(args, found, strict=True)):
            who = f"{self.__name__}: cotangent {i} of its backward"
            parts += (
                [None] * len(trees.leaves(arg)) if c is None else trees.leaves_like(arg, c, who)
            )
        for x, c in zip(flat, parts, strict=True):
            if c is not None and shape_of(c) != shape_of(x):
                raise TypeError(
                    f"{self.__name__}: its backward returned a cotangent of shape "
                    f"{shape_of(c)} for an argument of shape {shape_of(x)}; "
                    f"they must be equal"
                )
        with unchecked():  # what it hands on is reported as what this function sends back
            return [
                of(x).full_like(x, 1.0) * c
                if c is not None and not isinstance(c, OperandBase) and isinstance(x, OperandBase)
                else c
                for x, c in zip(flat, parts, strict=True)
            ]


def _transposed(zeros: list[Any], pullback: Function, tangents: list[Any]) -> list[Any]:
    """J t from the pullback v -> J' v alone: it is linear in v, so d<J' v, t>/dv = J t.

    The trick of J. Townsend (2017), forward mode from two reverse passes.
    """
    places = [k for k, z in enumerate(zeros) if isinstance(z, OperandBase)]
    found: list[Any] = [None] * len(zeros)
    with nesting.nested(), recording():
        seeds = list(zeros)
        for k in places:
            seeds[k] = of(zeros[k]).new_leaf(zeros[k])
        total: Any = None
        given = [of(g).alias(g) if isinstance(g, OperandBase) else g for g in seeds]
        for c, t in zip(pullback(given), tangents, strict=True):
            if c is not None and t is not None:
                term = of(c).inner(c, t)
                total = term if total is None else total + term
        if isinstance(total, OperandBase):
            for k, t in zip(places, gradients(total, [seeds[k] for k in places]), strict=True):
                found[k] = t
    return found
