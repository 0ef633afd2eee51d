"""A backend whose arrays hold many examples at once, and look to rules and ops like one of them.

Rules, their vjps and their jvps are written against a backend. On this one they compute for every
example what they were written to compute for one, plugins' too. A raw array here is a `Batch`, or
an array of the backend below, which is the same for all examples.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from smolml_array._graph.mixing import taken_in
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule
from smolml_array._shapes.axes import (
    Axis,
    Shape,
    normalize_axes,
    normalize_axis,
    one_axis,
    reshape_shape,
)
from smolml_array._shapes.windowing import overlap_axes, window_axes
from smolml_array.array import MLArray
from smolml_array.backends.derived import DERIVED
from smolml_array.backends.protocol import Backend
from smolml_array.backends.pure.ndarray import give_operators
from smolml_array.backends.signatures import Raw
from smolml_array.backends.silence import Silence
from smolml_value import Value, grad_enabled
from smolml_value.extending import MODE
from smolml_value.extending.derivatives import leaves


class UnbatchedError(Exception):
    """Something is asked that has another answer for each example."""


class Batch:
    """A raw array for every example: the slices of `whole` along its first axis."""

    __slots__ = ("space", "whole")
    __array_ufunc__ = None  # `ndarray * Batch` is our operator

    def __init__(self, space: Batching, whole: Raw) -> None:
        self.space = space
        self.whole = whole

    shape = property(lambda self: self.whole.shape[1:])
    ndim = property(lambda self: len(self.whole.shape) - 1)
    size = property(lambda self: math.prod(self.shape))
    dtype = property(lambda self: self.whole.dtype)
    T = property(lambda self: self.space.permute_dims(self, range(self.ndim)[::-1]))
    mT = property(lambda self: self.space.matrix_transpose(self))  # noqa: N815  # NumPy's name

    def __getitem__(self, key: Any) -> Raw:
        return self.space.index(self, key)

    def __bool__(self) -> bool:
        """What is true of all examples, or of none."""
        below = self.space.adopts
        if self.size == 1 and (bool(below.all(self.whole)) or not bool(below.any(self.whole))):
            return bool(below.all(self.whole))
        raise UnbatchedError

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnbatchedError

    __array__ = __float__ = __int__ = __index__ = __iter__ = _refuse
    __hash__ = object.__hash__


def _operator(name: str) -> Callable[..., Raw]:
    def apply(*operands: Any) -> Raw:
        spaces = [x.space for x in operands if isinstance(x, Batch)]
        return getattr(max(spaces, key=lambda space: space.depth), name)(*operands)

    return apply


give_operators(Batch, _operator, object, "matmul:matmul")


class Crossing(ArrayNode):
    """A node between an array and a batch: the fast pass, which knows one backend, stops here."""

    __slots__ = ()


def _crossing_rule(go: Callable[[Any], Any], back: Callable[[Any], Any]) -> Rule:
    return Rule("vmap", lambda xp, x: go(x), lambda xp, g, out, x: back(g), jvp="linear")


class Batching:
    """The backend of `size` examples over another one.

    Attributes:
        adopts: that one, whose arrays are the same for all examples.
        open: whether the function of one example runs: a gradient that leaves in it would be
            summed over the examples, where each has its own.
    """

    def __init__(self, below: Any, size: int) -> None:
        self.adopts = below
        self.name: str = below.name
        self.depth: int = getattr(below, "depth", 0) + 1
        self.silence = Silence(below.silence.context, self)
        self.size = size
        self.open = False
        self._entering = _crossing_rule(self.enter, self._closed_leave)
        self._leaving = _crossing_rule(self.leave, self.enter)
        self._sharing = _crossing_rule(self.share, self._summed)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self.adopts, name)
        if callable(found) and not isinstance(found, type):
            found = partial(self._call, name, found)
        self.__dict__[name] = found
        return found

    def _call(self, name: str, f: Callable[..., Any], *args: Any, **params: Any) -> Any:
        if not any(map(self.is_batch, leaves(args))):
            return f(*args, **params)
        if name in _BATCHED:
            return _BATCHED[name](self, f, *args, **params)
        if name in DERIVED:
            return DERIVED[name](self, *args, **params)
        raise UnbatchedError

    # Arrays of examples ------------------------------------------------------------------------

    def is_batch(self, x: object) -> bool:
        """Whether x differs from example to example."""
        return isinstance(x, Batch) and x.space is self

    def whole(self, x: Any) -> Raw:
        """The numbers of all examples, along a first axis."""
        if self.is_batch(x):
            return x.whole
        raw = self.adopts.asarray(x)
        return self.adopts.broadcast_to(raw, (self.size, *raw.shape))

    def aligned(self, x: Any, ndim: int) -> Any:
        """x for the backend below: after the first axis come as many as make `ndim`."""
        if not self.is_batch(x):
            return x
        new = (self.size, *(1,) * (ndim - x.ndim), *x.shape)
        return x.whole if len(new) == len(x.whole.shape) else self.adopts.reshape(x.whole, new)

    def is_array(self, obj: object, /) -> bool:
        return self.is_batch(obj) or self.adopts.is_array(obj)

    def asarray(self, obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> Raw:
        if not self.is_batch(obj):
            return self.adopts.asarray(obj, dtype=dtype, copy=copy)
        return obj if dtype in (None, obj.dtype) else self.astype(obj, dtype)

    # Into the graph and out of it: each is the adjoint of another ------------------------------

    def enter(self, x: Any) -> Any:
        """What is below, as the examples along its first axis."""
        if isinstance(x, MLArray):
            return self._cross(self._entering, node_on(self.adopts, x), self)
        return Batch(self, x)

    def leave(self, x: Any) -> Any:
        """All examples, along a first axis."""
        if isinstance(x, MLArray):
            return self._cross(self._leaving, node_on(self, x), self.adopts)
        return self.whole(x)

    def share(self, x: Any) -> Any:
        """What is below, the same for all examples."""
        if isinstance(x, MLArray | Value):
            x = x if isinstance(x, MLArray) else MLArray(x, backend=self.name)
            return self._cross(self._sharing, node_on(self.adopts, x), self)
        return x

    def take_in(self, operand: Any) -> ArrayNode:
        return self.share(operand)._node  # type: ignore[no-any-return]

    def _closed_leave(self, g: Any) -> Any:
        if self.open:
            raise UnbatchedError
        return self.leave(g)

    def _summed(self, g: Any) -> Any:
        every = self._closed_leave(g)
        return every.sum(axis=0) if isinstance(g, MLArray) else self.adopts.sum(every, axis=0)

    def _cross(self, rule: Rule, node: ArrayNode, to: Any) -> MLArray:
        raw = rule.forward(to, node.raw)
        if not (node.tracked and grad_enabled()):
            return MLArray._constant(to, raw)
        made = Crossing(to, raw, True, rule, (node,), (node.raw,))
        if MODE.watched:
            MODE.watcher.made(made)
        return MLArray._from_node(made)


def node_on(xp: Any, x: MLArray) -> ArrayNode:
    """The node of an array on this backend, taken in from below if need be."""
    node = x._current_node()
    return node if node.backend is xp else taken_in(xp, x)


# What the functions of a backend do for all examples at once ------------------------------------


def _elementwise(space: Batching, f: Any, *args: Any, **params: Any) -> Batch:
    ndim = max(len(getattr(a, "shape", ())) for a in args)
    return Batch(space, f(*(space.aligned(a, ndim) for a in args), **params))


def _reduced(space: Batching, f: Any, x: Batch, axis: Axis = None, **params: Any) -> Batch:
    axes = tuple(a + 1 for a in normalize_axes(axis, x.ndim, "vmap"))
    return Batch(space, f(x.whole, axis=axes, **params))


def _along(space: Batching, f: Any, x: Batch, axis: int | None = -1, **params: Any) -> Batch:
    return Batch(space, f(x.whole, axis=1 + one_axis(axis, x.ndim, "vmap"), **params))


def _position(
    space: Batching, f: Any, x: Batch, axis: int | None = None, keepdims: bool = False
) -> Batch:
    if axis is not None:
        return _along(space, f, x, axis, keepdims=keepdims)
    found = _along(space, f, space.reshape(x, (x.size,)), 0)
    return space.reshape(found, (1,) * x.ndim) if keepdims else found  # type: ignore[no-any-return]


def _reshape(space: Batching, f: Any, x: Batch, shape: Any) -> Batch:
    return Batch(space, f(x.whole, (space.size, *reshape_shape(x.shape, shape))))


def _concat(space: Batching, f: Any, arrays: Any, axis: int | None = 0) -> Batch:
    if axis is None:
        arrays, axis = [space.reshape(x, (-1,)) for x in arrays], 0
    axis = normalize_axis(axis, arrays[0].ndim, "concat")
    return Batch(space, f([space.whole(x) for x in arrays], axis=axis + 1))


def _matmul(space: Batching, f: Any, a: Any, b: Any) -> Batch:
    if not space.is_batch(a) and a.ndim == b.ndim == 2:
        return space.matrix_transpose(_matmul(space, f, b.T, a.T))  # type: ignore[no-any-return]
    if not space.is_batch(a) and a.ndim <= 2 and b.ndim == 1:
        a, b = b, a.T
    if not space.is_batch(b) and b.ndim <= 2:  # one long product instead of many
        rows = space.adopts.reshape(a.whole, (space.size * math.prod(a.shape[:-1]), a.shape[-1]))
        return space.enter(  # type: ignore[no-any-return]
            space.adopts.reshape(f(rows, b), (space.size, *a.shape[:-1], *b.shape[1:]))
        )
    left = space.expand_dims(a, 0) if a.ndim == 1 else a
    right = space.expand_dims(b, -1) if b.ndim == 1 else b
    made = _elementwise(space, f, left, right)
    lead = made.shape[:-2]
    shape = lead + (left.shape[-2:-1] if a.ndim > 1 else ()) + (right.shape[-1:] if b.ndim > 1 else ())
    return made if shape == made.shape else space.reshape(made, shape)


def _index(space: Batching, f: Any, x: Any, key: Any) -> Batch:
    if _is_basic(key):
        return Batch(space, f(x.whole, _behind(key)))
    places = _places(space, x.shape, key)
    if space.is_batch(x):
        return Batch(space, f(_in_line(space, x), _from_start(space, x, places)))
    return Batch(space, f(space.adopts.reshape(x, (-1,)), places.whole))


def _index_put(space: Batching, f: Any, x: Any, key: Any, v: Any) -> Batch:
    whole = space.whole(x)
    if _is_basic(key):
        ndim = len(space.adopts.index(whole, _behind(key)).shape) - 1
        return Batch(space, f(whole, _behind(key), space.aligned(v, ndim)))
    places = _places(space, x.shape, key)
    v = space.aligned(v, places.ndim)
    made = f(_in_line(space, x), _from_start(space, x, places), v)
    return Batch(space, space.adopts.reshape(made, whole.shape))


def _behind(key: Any) -> tuple[Any, ...]:
    """The key behind the axis of the examples."""
    return (slice(None), *(key if isinstance(key, tuple) else (key,)))


def _is_basic(key: Any) -> bool:
    kinds = (int, slice, type(None), type(...))
    return all(isinstance(k, kinds) and not isinstance(k, bool) for k in _behind(key))


def _places(space: Batching, shape: Shape, key: Any) -> Any:
    """Where x[key] stands in an x of this shape, counted in C order."""
    below = space.adopts
    numbers = below.reshape(below.arange(math.prod(shape)), shape)
    parts = _behind(key)[1:]
    if not any(map(space.is_batch, parts)):
        return below.index(numbers, key)
    chosen = [i for i, k in enumerate(parts) if not isinstance(k, slice)]
    kinds = [getattr(parts[i], "dtype", below.int64) for i in chosen]
    if any(parts[i] in (None, ...) for i in chosen if not hasattr(parts[i], "dtype")) or any(
        kind == below.bool for kind in kinds
    ):
        raise UnbatchedError
    ndim = max(getattr(k, "ndim", 0) for k in parts)
    found = below.index(numbers, tuple(space.aligned(k, ndim) for k in parts))
    # where what is picked stands: in its place if that is one, else in front, as NumPy has it
    front = chosen[0] if chosen[-1] - chosen[0] < len(chosen) else 0
    return Batch(space, below.moveaxis(found, front, 0))


def _in_line(space: Batching, x: Any) -> Raw:
    return space.adopts.reshape(space.whole(x), (-1,))


def _from_start(space: Batching, x: Any, places: Any) -> Raw:
    """Places in an example, as places in all examples in line."""
    below = space.adopts
    starts = below.multiply(below.arange(space.size), math.prod(x.shape))
    return below.add(
        below.reshape(starts, (space.size, *(1,) * places.ndim)), space.aligned(places, places.ndim)
    )


def _searchsorted(space: Batching, f: Any, x1: Any, x2: Any, **params: Any) -> Batch:
    if space.is_batch(x1):
        raise UnbatchedError
    return _elementwise(space, f, x1, x2, **params)


def _shifted(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + 1 for a in axes)


_BY_KIND: Final[dict[str, Any]] = {
    "Unary": _elementwise,
    "Binary": _elementwise,
    "Reduction": _reduced,
    "TypedReduction": _reduced,
    "Spread": _reduced,
    "ArgReduction": _position,
    "Scan": _along,
}
_BATCHED: Final[dict[str, Callable[..., Any]]] = {
    **{n: _BY_KIND[k] for n, k in inspect.get_annotations(Backend).items() if k in _BY_KIND},
    **dict.fromkeys(("clip", "cotangent_product", "map_scalar", "where"), _elementwise),
    **dict.fromkeys(("argsort", "sort"), _along),
    **dict.fromkeys(("index_add", "index_put"), _index_put),
    "astype": lambda s, f, x, dtype, **params: Batch(s, f(x.whole, dtype, **params)),
    "broadcast_to": lambda s, f, x, shape: Batch(
        s, f(s.aligned(x, len(shape)), (s.size, *shape))
    ),
    "concat": _concat,
    "index": _index,
    "matmul": _matmul,
    "overlap_add": lambda s, f, x, shape, axis=None: Batch(
        s, f(x.whole, (s.size, *shape), _shifted(overlap_axes(x.shape, shape, axis)))
    ),
    "permute_dims": lambda s, f, x, axes: Batch(
        s, f(x.whole, (0, *_shifted(normalize_axes(axes, x.ndim, "permute_dims"))))
    ),
    "reshape": _reshape,
    "result_type": lambda s, f, *args: f(*(x.whole if s.is_batch(x) else x for x in args)),
    "searchsorted": _searchsorted,
    "sliding_windows": lambda s, f, x, window_shape, axis=None: Batch(
        s, f(x.whole, window_shape, _shifted(window_axes(x.shape, window_shape, axis)[1]))
    ),
}
for _name in ("matrix_transpose", "outer"):  # not by elements: derived
    del _BATCHED[_name]
