"""vmap: a function of one example, mapped over many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, ParamSpec

from smolml_array._derivatives.batching import Batching, CannotBatchError
from smolml_array._graph.mixing import common, meeting, node_on
from smolml_array._shapes.axes import normalize_axis
from smolml_array.array import MLArray
from smolml_array.functions.joining import stack
from smolml_array.functions.manipulation import moveaxis
from smolml_array.functions.table import as_array
from smolml_value.extending import Mode, Setting
from smolml_value.extending.derivatives import leaves, leaves_like, made, paths, rebuild

_here: Final[Mode[Batching | None]] = Mode("smolml_vmap", None)

_Found = tuple[Any, list[MLArray]]  # what f returned, and what becomes of its leaves
P = ParamSpec("P")
Axes = Any  # an int, None, or containers of these: as nested as what they are for


def lifted(x: MLArray) -> MLArray:
    """x among the examples of the vmap that runs here: what is derived by it differs by example."""
    space = _here.get()
    if space is None or meeting(space, x._current_node().backend) is not space:
        return x
    return MLArray._from_node(node_on(space, x))


def vmap(f: Callable[P, Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[P, Any]:
    """f, written for one example, as a function of many: mapped over an axis of its arguments.

    vmap(f)(xs)[i] = f(xs[i]), but f is called once: every operation in it computes all examples at
    once. It nests, and mixes with all derivatives: `vmap(grad(loss), (None, 0))(w, xs)` are the
    gradients of each example by themselves.

    Where that cannot be, as f looks at numbers (`float(x)`, `if x > 0`, `x.data`), has Values among
    its operands that are differentiated inside, or gives arrays to a plugin's rule that gives them
    to NumPy, it is called once for each example, with the same result. So f should be pure: it may
    be called more than once. Random arrays that f makes are drawn once for all examples if it can
    be batched. Drawings and explanations of what happens in f show the first example.

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

    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = (args, kwargs)
        axes = _spread("in_axes", in_axes, args)
        axes += [0 if hasattr(x, "__array__") else None for x in leaves(kwargs)]
        names = [f"args{p}" for p in paths(args)] + [f"kwargs{p}" for p in paths(kwargs)]
        given = [
            x if axis is None else _Examples(_in_front(name, x, axis))
            for name, x, axis in zip(names, leaves(call), axes, strict=True)
        ]
        size = _size({n: len(x.all) for n, x in zip(names, given, strict=True) if _is_mapped(x)})

        def one(each: Iterable[Any]) -> Any:
            own_args, own_kwargs = rebuild(call, each)
            return f(*own_args, **own_kwargs)

        try:
            out, results = _at_once(one, given, size)
        except CannotBatchError:
            out, results = _one_by_one(one, given, size)
        except MemoryError:  # one by one the results would take as much
            raise
        except Exception as error:
            _one_by_one(one, given, size)  # what is wrong with one example, one example will say
            error.add_note("vmap: this comes of all examples at once, and of none by itself")
            raise
        pairs = zip(results, _spread("out_axes", out_axes, out), strict=True)
        return rebuild(out, [y[0] if axis is None else _moved(y, axis) for y, axis in pairs])

    return made(mapped, vmap, f, in_axes, out_axes)


class _Examples(NamedTuple):
    """An argument that is mapped over, its examples along the first axis."""

    all: MLArray


def _is_mapped(x: object) -> bool:
    return isinstance(x, _Examples)


def _at_once(f: Callable[[Iterable[Any]], Any], given: list[Any], size: int) -> _Found:
    """What f returns when it is called once, and for each leaf that of all examples."""
    below: Any = _here.get()
    for x in (x.all if _is_mapped(x) else x for x in given):
        if isinstance(x, MLArray):
            below = common("vmap", below, x._current_node().backend)
    space = Batching(below, size)
    each = [space.enter(x.all) if _is_mapped(x) else space.share(x) for x in given]
    space.open = True
    try:
        with Setting(_here, space):
            out = f(each)
    finally:
        space.open = False
    return out, [space.leave(as_array(y, _mapped(given))) for y in leaves(out)]


def _one_by_one(f: Callable[[Iterable[Any]], Any], given: list[Any], size: int) -> _Found:
    """The same by a loop."""
    outs = [f(x.all[i] if _is_mapped(x) else x for x in given) for i in range(size)]
    if not outs:
        raise ValueError("vmap: without examples nothing is known of the result")
    rows = [leaves_like(outs[0], out, "vmap: the result") for out in outs]
    like = _mapped(given)
    return outs[0], [stack([as_array(y, like) for y in ys]) for ys in zip(*rows, strict=True)]


def _mapped(given: list[Any]) -> MLArray:
    return next(x.all for x in given if _is_mapped(x))  # type: ignore[no-any-return]


def _in_front(name: str, x: Any, axis: int) -> MLArray:
    """An array with its axis of examples in front."""
    if not hasattr(x, "__array__"):
        raise TypeError(
            f"vmap: {name} is a {type(x).__name__}, which has no axis to map over; make it an "
            f"MLArray, or say None for it in in_axes"
        )
    array: MLArray = as_array(x)  # type: ignore[assignment]  # of lists and numbers it makes these
    axis = normalize_axis(axis, array.ndim, f"vmap: in_axes of {name}")
    return moveaxis(array, axis, 0) if axis else array


def _moved(y: MLArray, axis: int) -> MLArray:
    axis = normalize_axis(axis, y.ndim, "vmap: out_axes")
    return moveaxis(y, 0, axis) if axis else y


def _size(sizes: dict[str, int]) -> int:
    """How many examples there are.

    Raises:
        ValueError: nothing is mapped over, or not as many everywhere.
    """
    if len({*sizes.values()}) != 1:
        told = ", ".join(f"{n} of {name}" for name, n in sizes.items()) or "none"
        raise ValueError(f"vmap: in_axes must name axes to map over, of one length; got {told}")
    return next(iter(sizes.values()))


def _spread(which: str, axes: Axes, tree: Any) -> list[int | None]:
    """The axis of each leaf of a tree.

    Raises:
        TypeError: they are not made like the tree.
    """
    if axes is None or isinstance(axes, int):
        return [axes] * len(leaves(tree))
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        return [a for key, child in tree.items() for a in _spread(which, axes[key], child)]
    kind = (list, tuple)
    if isinstance(axes, kind) and isinstance(tree, kind) and len(axes) == len(tree):
        return [a for pair in zip(axes, tree, strict=True) for a in _spread(which, *pair)]
    raise TypeError(
        f"vmap: {which} has {axes!r:.60} where there is a {type(tree).__name__}; expected an int, "
        f"None, or a container made like it, of these"
    )
