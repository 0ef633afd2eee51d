"""vmap: a function of one example, mapped over many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, Final

from smolml_array._derivatives.batching import Batching, node_on
from smolml_array._graph.mixing import common, meeting
from smolml_array._shapes.axes import normalize_axis
from smolml_array.array import MLArray
from smolml_array.config import default_backend
from smolml_array.convert import to_raw
from smolml_array.functions.joining import stack
from smolml_array.functions.manipulation import moveaxis
from smolml_array.functions.table import as_array
from smolml_value.extending import Mode, Setting
from smolml_value.extending.derivatives import leaves, leaves_like, paths, rebuild

_here: Final[Mode[Batching | None]] = Mode("smolml_vmap", None)

Axes = Any  # an int, None, or containers of these: as nested as what they are for


def lifted(x: MLArray) -> MLArray:
    """x among the examples of the vmap that runs here: what is derived by it differs by example."""
    space = _here.get()
    if space is None or meeting(space, own := x._current_node().backend) is not space is not own:
        return x
    return MLArray._from_node(node_on(space, x))


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """f, written for one example, as a function of many: mapped over an axis of its arguments.

    vmap(f)(xs)[i] = f(xs[i]), but f is called once: every operation in it computes all examples at
    once. It nests, and mixes with all derivatives: `vmap(grad(loss), (None, 0))(w, xs)` are the
    gradients of each example by themselves.

    Where that cannot be, as f looks at numbers (`float(x)`, `if x > 0`, `x.data`) or has Values
    among its operands that are differentiated inside, it is called once for each example, with the
    same result. So f should be pure: it may be called more than once. Random arrays that f makes
    are drawn once for all examples if it can be batched.

    Args:
        f: a function of arrays and containers of them to arrays, numbers and containers of them.
        in_axes: which axis of the arguments counts the examples: an int for all arrays, None for
            what is the same for all examples, or a tuple of these with one for each positional
            argument; where an argument is a container, it may be one that is made like it. Of
            keyword arguments that are arrays it is axis 0.
        out_axes: where that axis stands in the results, likewise. None: the result is the same for
            all examples, and that of the first is returned.

    Raises:
        ValueError: nothing to map over, or axes of different lengths.
        AxisError: an array does not have the axis.
        TypeError: axes that do not fit the arguments, an argument without axes.

    Source: the batching transformation of JAX (Bradbury et al. 2018), `torch.func.vmap`.

    >>> from smolml_array import MLArray
    >>> from smolml_value import grad
    >>> loss = lambda w, x: (w * x).sum() ** 2
    >>> w, xs = MLArray([1.0, 1.0]), MLArray([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]])
    >>> vmap(loss, (None, 0))(w, xs).to_list()
    [9.0, 1.0, 9.0]
    >>> vmap(grad(loss), (None, 0))(w, xs).to_list()
    [[6.0, 12.0], [0.0, 2.0], [18.0, 0.0]]
    """

    @wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = (args, kwargs)
        given = leaves(call)
        axes = _spread("in_axes", in_axes, args)
        axes += [0 if hasattr(x, "__array__") else None for x in leaves(kwargs)]
        names = [f"argument {i}{p}" for i, arg in enumerate(args) for p in paths(arg)]
        names += [f"argument {name}{p}" for name, arg in kwargs.items() for p in paths(arg)]
        examples = [
            None if axis is None else _examples(name, x, axis)
            for name, x, axis in zip(names, given, axes, strict=True)
        ]
        size = _size(names, examples)

        def called(each: Iterable[Any]) -> Any:
            own_args, own_kwargs = rebuild(call, each)
            return f(*own_args, **own_kwargs)

        found = None
        with suppress(Exception):  # what is wrong with one example, one example will say
            found = _at_once(called, given, examples, size)
        out, results = found or _one_by_one(called, given, examples, size)
        places = _spread("out_axes", out_axes, out)
        pairs = zip(results, places, strict=True)
        return rebuild(out, [y[0] if a is None else _placed(y, a) for y, a in pairs])

    return mapped


def _spread(which: str, axes: Axes, tree: Any, path: str = "") -> list[int | None]:
    """The axis of each leaf of a tree.

    Raises:
        TypeError: they are not made like the tree.
    """
    if axes is None or isinstance(axes, int):
        return [axes] * len(leaves(tree))
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        children = [(f"{path}[{key!r}]", axes[key], child) for key, child in tree.items()]
    elif (
        isinstance(axes, list | tuple) and isinstance(tree, list | tuple) and len(axes) == len(tree)
    ):
        children = [(f"{path}[{i}]", *pair) for i, pair in enumerate(zip(axes, tree, strict=True))]
    else:
        what = "the arguments are" if which == "in_axes" else "the result is"
        shown = f"{type(tree).__name__} of {len(leaves(tree))}"
        raise TypeError(
            f"vmap: {which}{path} is {axes!r:.60}, and what {what} there is a {shown}; give an "
            f"int, None, or a container made like it, with one for each"
        )
    return [axis for where, a, child in children for axis in _spread(which, a, child, where)]


def _examples(name: str, x: Any, axis: int) -> MLArray:
    """x with its axis of examples in front."""
    if not hasattr(x, "__array__"):
        raise TypeError(
            f"vmap: {name} is a {type(x).__name__}, which has no axis to map over; make it an "
            f"MLArray, or give None for it in in_axes"
        )
    if not isinstance(x, MLArray):
        xp = default_backend()
        x = MLArray._constant(xp, to_raw(xp, x, "vmap", copy=True))
    return moveaxis(x, normalize_axis(axis, x.ndim, f"vmap: in_axes of {name}"), 0)


def _size(names: Sequence[str], examples: Sequence[MLArray | None]) -> int:
    """How many examples there are.

    Raises:
        ValueError: none are named, or not as many everywhere.
    """
    sizes = {name: len(x) for name, x in zip(names, examples, strict=True) if x is not None}
    if not sizes:
        raise ValueError(
            "vmap: nothing to map over: there is no array whose axis in_axes names; call the "
            "function itself"
        )
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ValueError(f"vmap: the mapped axes differ in length: {told}; expected equal lengths")
    return next(iter(sizes.values()))


def _at_once(
    f: Callable[[Iterable[Any]], Any],
    given: Sequence[Any],
    examples: Sequence[MLArray | None],
    size: int,
) -> tuple[Any, list[MLArray]]:
    """What f returns, and in the place of each leaf that of all examples."""
    below: Any = _here.get()
    for x in (x for x in (*given, *examples) if isinstance(x, MLArray)):
        below = common("vmap", below, x._current_node().backend)
    space = Batching(below, size)
    each = [
        space.enter(x) if x is not None else space.share(y) if isinstance(y, MLArray) else y
        for x, y in zip(examples, given, strict=True)
    ]
    space.open = True
    try:
        with Setting(_here, space):
            out = f(each)
    finally:
        space.open = False
    like = next(x for x in examples if x is not None)
    return out, [space.leave(as_array(y, like)) for y in leaves(out)]


def _one_by_one(
    f: Callable[[Iterable[Any]], Any],
    given: Sequence[Any],
    examples: Sequence[MLArray | None],
    size: int,
) -> tuple[Any, list[MLArray]]:
    """The same by a loop."""
    if not size:
        raise ValueError(
            "vmap: there are no examples, and the function cannot be called for all at once: "
            "nothing is known of its result"
        )
    outs = [
        f(y if x is None else x[i] for x, y in zip(examples, given, strict=True))
        for i in range(size)
    ]
    rows = [leaves_like(outs[0], out, "vmap: the result") for out in outs]
    return outs[0], [stack(column) for column in zip(*rows, strict=True)]


def _placed(y: MLArray, axis: int) -> MLArray:
    return moveaxis(y, 0, normalize_axis(axis, y.ndim, "vmap: out_axes"))
