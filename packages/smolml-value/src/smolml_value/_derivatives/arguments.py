"""What users give to transforms, checked: arguments, argnums, results, tangents."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import index
from typing import Any, Final, ParamSpec, TypeVar

from smolml_value._derivatives import nesting, rules, trees
from smolml_value._derivatives.leaving import differentiating
from smolml_value._derivatives.nesting import Form, Level
from smolml_value._derivatives.rules import of, shape_of
from smolml_value._derivatives.trees import Tree
from smolml_value._ops.number import is_number
from smolml_value.node import OperandBase
from smolml_value.recording import recording

Function = Callable[..., Tree]
P = ParamSpec("P")  # what is made of a function takes the same arguments
T = TypeVar("T")
NO_OPTIONS: Final[Mapping[str, Any]] = {}


class Inputs:
    """The arguments that a function is differentiated by, remade from new nodes.

    Those that argnums names, or all; errors call them by `name`, in which {} is their number.

    Attributes:
        arguments: all that the function is called with, those it is differentiated by remade.
        operands: the new leaves of these.
        nodes: the nodes of the operands.
        forms: per leaf how the user gets what belongs to it: as the plain numbers it was given as.
        form: how the user gets results: as plain numbers if no Value or MLArray was given.
    """

    def __init__(
        self,
        who: str,
        level: Level,
        args: Sequence[Tree],
        argnums: int | Sequence[int] | None = None,
        name: str = "argument {}",
    ) -> None:
        places = range(len(args)) if argnums is None else selected(who, args, argnums)
        self._is_one = argnums is not None and not isinstance(argnums, Sequence)
        self._args = [args[i] for i in places]
        self.arguments = list(args)
        self.operands: list[Any] = []
        for i in places:
            flat = trees.leaves(args[i])
            made = [_operand(who, level, x, args[i], name.format(i), k) for k, x in enumerate(flat)]
            self.arguments[i] = trees.rebuild(args[i], made)
            self.operands += made
        self.nodes = [rules.node_of(x) for x in self.operands]
        flat = trees.leaves(self._args)
        kinds = [kind for x in (*flat, *args) if (kind := of(x)).is_plain and kind is not of(0.0)]
        of_results = partial(kinds[0].plain if kinds else of(0.0).plain, None)

        def form(x: Any) -> Form:
            if isinstance(x, float):
                return of_results
            return partial(of(x).plain, x) if of(x).is_plain else None

        self.forms = list(map(form, flat))
        self.form: Form = None if None in self.forms else of_results

    def call(self, f: Function, kwargs: Mapping[str, Any] = NO_OPTIONS) -> Tree:
        """What f returns for them, recorded."""
        with nesting.nested(), recording(), differentiating(self.nodes):
            return f(*self.arguments, **kwargs)

    def packed(self, found: Iterable[Any]) -> Tree:
        """The next of these, one per leaf, in the containers of the arguments: a tuple, or one."""
        rest = iter(found)
        made = [trees.rebuild(arg, rest) for arg in self._args]
        return made[0] if self._is_one else tuple(made)


def _operand(who: str, level: Level, x: object, arg: Tree, name: str, k: int) -> Any:
    if isinstance(x, OperandBase) or of(x).is_plain:
        try:
            return of(x).alias(x) if level.connected else of(x).new_leaf(x)
        except TypeError as error:
            raise TypeError(f"{who}: {name}{trees.paths(arg)[k]}: {error}") from None
    where = f"{name}{trees.paths(arg)[k]}"
    if is_number(x):
        raise TypeError(
            f"{who}: {where} is the {type(x).__name__} {x!r}, and only floats have derivatives; "
            f"write {float(x)!r}"  # type: ignore[arg-type]  # is_number has seen __float__
        )
    hint = (
        "wrap it in an MLArray"
        if hasattr(x, "__array__")
        else "if it is an option, bind it with functools.partial or leave it out of argnums"
    )
    raise TypeError(
        f"{who}: {where} is a {type(x).__name__} ({x!r:.40}); expected floats, Values, MLArrays, "
        f"ndarrays, or lists, tuples and dicts of them; {hint}"
    )


def selected(who: str, args: Sequence[Any], argnums: int | Sequence[int]) -> list[int]:
    """The positions that argnums names, counted from the front.

    Raises:
        TypeError: argnums is neither an int nor several.
        IndexError: out of range.
        ValueError: an argument twice, or none.
    """
    try:
        given = [index(argnums)] if not isinstance(argnums, Sequence) else list(map(index, argnums))
    except TypeError:
        raise TypeError(
            f"{who}: argnums must be an int or a tuple of them, got {argnums!r}"
        ) from None
    for i in given:
        if not -len(args) <= i < len(args):
            raise IndexError(
                f"{who}: argnums {i} is out of range: the function was called with {len(args)} "
                f"positional argument{'' if len(args) == 1 else 's'}"
            )
    chosen = [i % len(args) for i in given]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"{who}: argnums must name each argument once, got {argnums!r}")
    return chosen


def is_scalar(y: object) -> bool:
    """Whether y is one number."""
    return is_number(y) or (isinstance(y, OperandBase) and shape_of(y) == ())


def check_scalar(who: str, y: object, inputs: Inputs) -> None:
    """Raise unless y is one number; warn if it is a constant.

    Raises:
        TypeError: it has more elements, or is something else.
    """
    if not is_scalar(y):
        given = f"shape {shape_of(y)}" if isinstance(y, OperandBase) else _described(y)
        raise TypeError(
            f"{who}: the function must return one number, got {given}; use jacobian, "
            f"elementwise_grad, or sum it"
        )
    warn_if_constant(who, [y], inputs)


def warn_if_constant(who: str, outputs: Sequence[object], inputs: Inputs) -> None:
    """Warn if none of the results was computed from anything."""
    own = {id(node) for node in inputs.nodes}
    nodes = [rules.node_of(y) for y in outputs if isinstance(y, OperandBase)]
    computed = any(id(node) in own or node._parents() for node in nodes)
    if outputs and inputs.operands and not computed:
        warnings.warn(
            f"{who}: the function returned a constant, so the derivative is zero; was the "
            f"argument turned into a plain number (float(x), x.data), or computed in no_grad()?",
            stacklevel=_stacklevel(),
        )


def _stacklevel() -> int:
    """The frame outside this package, as warnings count from warn_if_constant."""
    import sys

    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    return level


def _described(y: object) -> str:
    if isinstance(y, tuple) and len(y) == 2:
        return "a tuple of 2 (for a result and anything else use has_aux=True)"
    return f"a {type(y).__name__}" if y is not None else "None (is a return missing?)"


def shaped_like(who: str, what: str, y: Any, g: Any) -> Any:
    """A tangent or cotangent g for y as an operand of its kind.

    Raises:
        TypeError: it has another shape, or is no number.
    """
    if is_number(g):
        return of(y).full_like(y, float(g))
    if not isinstance(g, OperandBase):
        if not hasattr(g, "__array__"):
            raise TypeError(f"{who}: {what} is a {type(g).__name__}: {g!r:.40}; expected numbers")
        g = of(y).full_like(y, 1.0) * g
    if shape_of(g) != shape_of(y):
        raise TypeError(
            f"{who}: {what} has shape {shape_of(g)}, but what it belongs to has "
            f"{shape_of(y)}; they must be equal"
        )
    return g
