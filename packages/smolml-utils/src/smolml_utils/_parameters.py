"""Parameters, alone or in nested dicts and lists: their names, their gradients, what is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from smolml_array import MLArray
from smolml_utils._operands import as_array
from smolml_value import Value

Parameter: TypeAlias = MLArray | Value
Parameters: TypeAlias = Iterable[Any]  # of parameters, or of dicts and lists of them, nested


def named(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What stands in nested dicts and lists, under names that say where: "layers.0.w"."""
    if isinstance(tree, dict | list | tuple):
        for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from named(child, f"{name}.{key}" if name else str(key))
    else:
        yield name, tree


def listed(who: str, params: Any) -> dict[str, Parameter]:
    """The parameters by name, each checked.

    Raises:
        TypeError: something that is no parameter, or one in place of a list of them.
        ValueError: none at all, the same one twice, or the result of an operation.
    """
    write = f"write {who.rpartition('.')[2]}"
    if isinstance(params, MLArray | Value):
        one = f"one {type(params).__name__}"
        raise TypeError(f"{who}: expected a list of parameters, got {one}; {write}([x])")
    pairs = [*named(params if isinstance(params, dict) else list(params))]
    if not pairs:
        raise ValueError(f"{who}: expected a list or dict of parameters, got none; {write}([w, b])")
    found = {name: check(who, p, name) for name, p in pairs}
    if len({id(p) for p in found.values()}) != len(pairs):
        raise ValueError(f"{who}: a parameter is given twice; give each once")
    return found


def check(who: str, p: object, which: str) -> Parameter:
    """p itself if it is a leaf.

    Raises:
        TypeError, ValueError: it is not; names it.
    """
    if not isinstance(p, MLArray | Value):
        raise TypeError(
            f"{who}: parameter {which} must be an MLArray or a Value, "
            f"got {type(p).__name__} {p!r:.60}"
        )
    if isinstance(p, Value):
        made_by = p._op if p._made_by is not None else ""
    else:  # "" also for an array of leaves
        made_by = (p if p._view is None else p._view.root)._node.made_by
    if made_by:
        raise ValueError(
            f"{who}: parameter {which} is the result of {made_by!r}; give the "
            f"leaves that it was computed from, or make it one with restart()"
        )
    return p


def gradient(p: Parameter) -> Any:
    """The gradient of a parameter, as a float or a raw array."""
    if isinstance(p, Value):
        return p.grad
    return p._current_node().gradient() if p._view is None else p.grad()._node.raw


def _may_have_one(p: Parameter) -> bool:
    """Whether a backward pass may have left a gradient: of a Value, 0 does not tell."""
    if isinstance(p, Value):
        return True
    node = (p if p._view is None else p._view.root)._node
    return node.grad is not None or bool(node.operands)  # operands of a leaf are Values


def gradients(who: str, params: dict[str, Parameter], grads: Any = None) -> dict[str, Any]:
    """The gradients of parameters as floats and raw arrays: those given, else their own.

    Raises:
        ValueError: no parameter has one, or they are not nested like the parameters.
        ShapeError: one of another shape.
    """
    if grads is None:
        own = {name: gradient(p) for name, p in params.items()}
        if not any(map(_may_have_one, params.values())):
            what = "no parameter has a gradient (a constant never has)"
            raise ValueError(f"{who}: {what}; call backward() before, on a loss computed from them")
        return own
    given = dict(named(grads))
    if given.keys() != params.keys():
        raise ValueError(
            f"{who}: grads must be nested like the parameters, which are {', '.join(params)}; "
            f"got {', '.join(given) or type(grads).__name__}"
        )
    return {name: _like(f"{who}: gradient {name}", p, given[name]) for name, p in params.items()}


def _like(who: str, p: Parameter, g: Any) -> Any:
    array = p if isinstance(p, MLArray) else MLArray(p.data)
    raw, xp = array._given(who, as_array(who, g))
    return xp.to_flat(raw)[0] if isinstance(p, Value) else xp.astype(raw, array.dtype, copy=False)
