"""A backend whose arrays hold many examples at once, and look to rules and ops like one of them.

Rules, their vjps and their jvps are written against a backend. On this one they compute for every
example what they were written to compute for one, those of plugins too. A raw array here is a
`Batch`, or one of the backend below, which is the same for all examples.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from smolml_array._graph.mixing import node_on
from smolml_array._graph.node import ArrayNode
from smolml_array._graph.rule import Rule
from smolml_array._graph.walking import numbered
from smolml_array._shapes.axes import normalize_axes, normalize_axis, one_axis, reshape_shape
from smolml_array._shapes.picking import is_basic
from smolml_array._shapes.windowing import overlap_axes, window_axes
from smolml_array.array import MLArray
from smolml_array.backends.above import Above
from smolml_array.backends.derived import DERIVED
from smolml_array.backends.operators import give_operators
from smolml_array.backends.protocol import Backend
from smolml_array.backends.signatures import Raw
from smolml_value import GraphError, grad_enabled
from smolml_value.extending.derivatives import leaves


class Batch:
    """A raw array for every example: the slices of `whole` along its first axis."""

    __slots__ = ("space", "whole")
    __array_priority__ = 1e6  # `ndarray * Batch` is our operator
    __hash__ = object.__hash__

    def __init__(self, space: Batching, whole: Raw) -> None:
        self.space = space
        self.whole = whole

    shape = property(lambda self: self.whole.shape[1:])
    ndim = property(lambda self: self.whole.ndim - 1)
    size = property(lambda self: math.prod(self.shape))
    dtype = property(lambda self: self.whole.dtype)
    T = property(lambda self: self.space.permute_dims(self, range(self.ndim)[::-1]))
    mT = property(lambda self: self.space.matrix_transpose(self))  # noqa: N815  # NumPy's name

    def __getitem__(self, key: Any) -> Raw:
        return self.space.index(self, key)

    def __bool__(self) -> bool:
        """What is true of all examples, or of none."""
        every = bool(self.space.adopts.all(self.whole))
        if not every and bool(self.space.adopts.any(self.whole)):
            raise differs("a truth value")
        return every

    def _one_number(self, *_: Any, **__: Any) -> Any:
        """To Python and to NumPy, which know nothing of examples."""
        raise differs("a number")

    __float__ = __int__ = __index__ = __array__ = __array_function__ = _one_number


class CannotBatchError(GraphError):
    """One answer is asked for, and each example has its own: vmap asks one after another."""


def differs(what: str) -> CannotBatchError:
    """The error that says so."""
    return CannotBatchError(f"vmap: {what} differs from example to example")


def _operator(name: str) -> Callable[..., Raw]:
    def apply(*operands: Any) -> Raw:
        spaces = [x.space for x in operands if isinstance(x, Batch)]
        return getattr(max(spaces, key=lambda space: space.depth), name)(*operands)

    return apply


give_operators(Batch, _operator)


class Crossing(ArrayNode):
    """A node between an array and a batch: the fast pass, which knows one backend, stops here."""

    __slots__ = ()

    def _sources(self, i: int) -> Any:
        raise GraphError("vmap: behind its results there is no graph of single numbers")


class Batching(Above):
    """The backend of `size` examples over another one.

    Attributes:
        open: whether the function of one example runs. A gradient that leaves meanwhile would be
            summed over the examples, and each is to have its own.
    """

    def __init__(self, below: Any, size: int) -> None:
        super().__init__(below, below)
        self.depth: int = getattr(below, "depth", 0) + 1
        self.size = size
        self.open = False
        # into the graph of batches and out of it, and what is the same for all examples
        self._entering = _rule(self.enter, self._left)
        self._leaving = _rule(self.leave, self.enter)
        self._sharing = _rule(self.share, self._summed)

    def _call(self, name: str, f: Any, *args: Any, **params: Any) -> Any:
        if not any(map(self.is_batch, leaves(args))):
            return f(*args, **params)
        batched = _BATCHED.get(name) or partial(_derived, name)
        return batched(self, f, *args, **params)

    def is_batch(self, x: object) -> bool:
        """Whether x differs from example to example."""
        return isinstance(x, Batch) and x.space is self

    def whole(self, x: Any) -> Raw:
        """The numbers of all examples, along a first axis."""
        raw = self.adopts.asarray(x) if not self.is_batch(x) else None
        return x.whole if raw is None else self.adopts.broadcast_to(raw, (self.size, *raw.shape))

    def aligned(self, x: Any, ndim: int) -> Any:
        """x for the backend below: after the first axis come as many as make `ndim`."""
        if not self.is_batch(x) or x.ndim >= ndim:
            return x.whole if self.is_batch(x) else x
        return self.adopts.reshape(x.whole, (self.size, *(1,) * (ndim - x.ndim), *x.shape))

    # Arrays and raw arrays, to here and back: each is the adjoint of another -------------------

    def enter(self, x: Any) -> Any:
        """What is below, as the examples along its first axis."""
        below, rule = self.adopts, self._entering
        return _crossed(x, below, self, rule) if isinstance(x, MLArray) else Batch(self, x)

    def leave(self, x: Any) -> Any:
        """All examples, along a first axis."""
        below, rule = self.adopts, self._leaving
        return _crossed(x, self, below, rule) if isinstance(x, MLArray) else self.whole(x)

    def share(self, x: Any) -> Any:
        """What is below, the same for all examples."""
        below, rule = self.adopts, self._sharing
        return _crossed(x, below, self, rule) if isinstance(x, MLArray) else x

    def take_in(self, operand: Any) -> ArrayNode:
        """The node of an array or a Value from below."""
        x = operand if isinstance(operand, MLArray) else MLArray(operand, backend=self.name)
        return self.share(x)._node  # type: ignore[no-any-return]

    def _left(self, g: Any) -> Any:
        if self.open:
            raise differs("a gradient")
        return self.leave(g)

    def _summed(self, g: Any) -> Any:
        every = self._left(g)
        return every.sum(axis=0) if isinstance(g, MLArray) else self.adopts.sum(every, axis=0)


def _crossed(x: MLArray, xp: Any, to: Any, rule: Rule) -> MLArray:
    """x, which is on xp or below, on another backend."""
    node = node_on(xp, x)
    raw = rule.forward(to, node.raw)
    if not (node.tracked and grad_enabled()):
        return MLArray._constant(to, raw)
    return MLArray._from_node(Crossing(to, raw, True, rule, (node,), (node.raw,)))


def _rule(go: Callable[[Any], Any], back: Callable[[Any], Any]) -> Rule:
    return Rule("vmap", lambda xp, x: go(x), lambda xp, g, out, x: back(g), jvp="linear")


# What the functions of a backend do for all examples at once ------------------------------------


def _derived(name: str, space: Batching, f: Any, *args: Any, **params: Any) -> Any:
    if name not in DERIVED:
        raise differs(f"what {name} asks for")
    return DERIVED[name](space, *args, **params)


def _told(space: Batching, f: Any, x: Batch) -> Any:
    """Those of the first example, to drawings and the like; nothing to the function itself."""
    if space.open:
        raise differs("a number")
    return f(space.adopts.index(x.whole, 0))


def _by_elements(space: Batching, f: Any, *args: Any, **params: Any) -> Batch:
    ndim = max(len(getattr(a, "shape", ())) for a in args)
    return Batch(space, f(*(space.aligned(a, ndim) for a in args), **params))


def _reduced(space: Batching, f: Any, x: Batch, axis: Any = None, **params: Any) -> Batch:
    return Batch(space, f(x.whole, axis=_behind(normalize_axes(axis, x.ndim, "vmap")), **params))


def _along(space: Batching, f: Any, x: Batch, axis: int | None = None, **params: Any) -> Batch:
    return Batch(space, f(x.whole, axis=1 + one_axis(axis, x.ndim, "vmap"), **params))


def _place(
    space: Batching, f: Any, x: Batch, axis: int | None = None, *, keepdims: bool = False
) -> Batch:
    if axis is not None:
        return _along(space, f, x, axis, keepdims=keepdims)
    made = f(space.adopts.reshape(x.whole, (space.size, x.size)), axis=1)
    shape = (space.size, *(1,) * x.ndim) if keepdims else (space.size,)
    return Batch(space, space.adopts.reshape(made, shape))


def _behind(axes: tuple[int, ...]) -> tuple[int, ...]:
    """These axes, where that of the examples comes first."""
    return tuple(a + 1 for a in axes)


def _concat(space: Batching, f: Any, arrays: Any, axis: int = 0) -> Batch:
    axis = 1 + normalize_axis(axis, arrays[0].ndim, "concat")
    return Batch(space, f([space.whole(x) for x in arrays], axis=axis))


def _several(space: Batching, f: Any, x: Batch) -> tuple[Batch, ...]:
    return tuple(Batch(space, part) for part in f(x.whole))


def _turned(x: Any) -> Any:
    return x.T if x.ndim == 2 else x


def _matmul(space: Batching, f: Any, a: Any, b: Any) -> Any:
    below = space.adopts
    if not space.is_batch(a) and a.ndim <= 2 and b.ndim <= 2:
        return _turned(_matmul(space, f, _turned(b), _turned(a)))
    if not space.is_batch(b) and b.ndim <= 2:  # one long product instead of many
        rows = below.reshape(a.whole, (space.size * math.prod(a.shape[:-1]), a.shape[-1]))
        return Batch(space, below.reshape(f(rows, b), (space.size, *a.shape[:-1], *b.shape[1:])))
    left = space.expand_dims(a, 0) if a.ndim == 1 else a
    right = space.expand_dims(b, -1) if b.ndim == 1 else b
    key = (..., *(slice(None) if x.ndim > 1 else 0 for x in (a, b)))
    return space.index(_by_elements(space, f, left, right), key)


def _index(space: Batching, f: Any, x: Any, key: Any) -> Batch:
    if is_basic(key := key if isinstance(key, tuple) else (key,)):
        return Batch(space, f(x.whole, (slice(None), *key)))
    if not space.is_batch(x):  # one array for all, of which there are no copies
        return Batch(space, f(space.adopts.reshape(x, (-1,)), _places(space, x, key, 0)))
    return Batch(space, f(_in_line(space, x), _places(space, x, key, x.size)))


def _index_put(space: Batching, f: Any, x: Any, key: Any, v: Any) -> Batch:
    whole = space.whole(x)
    if is_basic(key := key if isinstance(key, tuple) else (key,)):
        key = (slice(None), *key)
        ndim = space.adopts.index(whole, key).ndim - 1
        return Batch(space, f(whole, key, space.aligned(v, ndim)))
    places = _places(space, x, key, math.prod(x.shape))
    made = f(_in_line(space, x), places, space.aligned(v, places.ndim - 1))
    return Batch(space, space.adopts.reshape(made, whole.shape))


def _in_line(space: Batching, x: Any) -> Raw:
    return space.adopts.reshape(space.whole(x), (-1,))


def _places(space: Batching, x: Any, key: tuple[Any, ...], step: int) -> Raw:
    """Where x[key] stands, counted in C order: in all examples, one begins `step` after another."""
    below = space.adopts
    numbers = numbered(below, x.shape)
    if any(map(space.is_batch, key)):
        keys = [[k.whole[i] if space.is_batch(k) else k for k in key] for i in range(space.size)]
        each = [below.index(numbers, tuple(k)) for k in keys]
        if len({x.shape for x in each}) > 1:
            raise differs("how many elements a mask picks")
        places = below.stack(each)
    else:
        places = below.expand_dims(below.index(numbers, key), 0)
    starts = below.multiply(below.arange(space.size), step)
    return below.add(places, below.reshape(starts, (-1, *(1,) * (places.ndim - 1))))


_BY_KIND: Final[dict[str, Any]] = {
    **dict.fromkeys(("Unary", "Binary"), _by_elements),
    **dict.fromkeys(("Reduction", "TypedReduction", "Spread"), _reduced),
    "ArgReduction": _place,
    "Scan": _along,
}
_BATCHED: Final[dict[str, Callable[..., Any]]] = {
    **{n: _BY_KIND[k] for n, k in inspect.get_annotations(Backend).items() if k in _BY_KIND},
    **{name: partial(_derived, name) for name in ("matrix_transpose", "outer")},
    **dict.fromkeys(("clip", "cotangent_product", "map_scalar", "where"), _by_elements),
    **dict.fromkeys(
        ("argsort", "sort"), lambda s, f, x, axis=-1, **how: _along(s, f, x, axis, **how)
    ),
    **dict.fromkeys(("cholesky", "det"), lambda s, f, x: Batch(s, f(x.whole))),
    "slogdet": _several,
    "solve": _by_elements,
    **dict.fromkeys(("index_add", "index_put"), _index_put),
    **dict.fromkeys(("cotangent_matmul", "matmul"), _matmul),
    **dict.fromkeys(("to_flat", "to_list"), _told),
    "index": _index,
    "concat": _concat,
    "is_array": lambda s, f, x: True,
    "asarray": lambda s, f, x, dtype=None, copy=None: x if dtype is None else s.astype(x, dtype),
    "astype": lambda s, f, x, *dtype, **copy: Batch(s, f(x.whole, *dtype, **copy)),
    "broadcast_to": lambda s, f, x, shape: Batch(s, f(s.aligned(x, len(shape)), (s.size, *shape))),
    "permute_dims": lambda s, f, x, axes: Batch(
        s, f(x.whole, (0, *_behind(normalize_axes(axes, x.ndim, "permute_dims"))))
    ),
    "reshape": lambda s, f, x, shape: Batch(
        s, f(x.whole, (s.size, *reshape_shape(x.shape, shape)))
    ),
    "result_type": lambda s, f, *args: f(*(s.aligned(a, 0) for a in args)),
    "sliding_windows": lambda s, f, x, window_shape, axis=None: Batch(
        s, f(x.whole, window_shape, _behind(window_axes(x.shape, window_shape, axis)[1]))
    ),
    "overlap_add": lambda s, f, x, shape, axis=None: Batch(
        s, f(x.whole, (s.size, *shape), _behind(overlap_axes(x.shape, shape, axis)))
    ),
}
