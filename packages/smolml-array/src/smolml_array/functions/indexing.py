"""Indexing: x[key] and x[key] = v, and elements picked by their positions along an axis."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from smolml_array._graph.alone import alone, to_be_forgotten
from smolml_array._graph.apply import INT64
from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.mixing import for_message, numbers_on
from smolml_array._graph.node import ArrayNode, wholly
from smolml_array._graph.rule import OUT, Rule
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import put_numbers
from smolml_array._graph.walking import numbered
from smolml_array._shapes.axes import ShapeError, is_index, normalize_axis, one_axis
from smolml_array._shapes.picking import checked_along, is_basic
from smolml_array.backends.signatures import Raw
from smolml_array.functions.table import A, Array, array_function, as_array, for_rules, linear
from smolml_value import grad_enabled

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

# Rules -----------------------------------------------------------------------------------------


def _index_vjp(xp: Any, g: Raw, out: Raw, x: Raw, *, key: Any) -> Raw:
    return xp.index_add_into(xp.zeros(x.shape, dtype=x.dtype), key, g)


def _put_vjp(xp: Any, g: Raw, out: Raw, x: Raw, v: Raw, *, key: Any) -> Raw:
    """To v: of positions that are named twice, only the last put there what is there."""
    chosen = xp.index(g, key)
    if is_basic(key):  # names none twice; not a part of g, which may be written to
        return xp.sum_to_shape(xp.positive(chosen), getattr(v, "shape", ()))
    order = numbered(xp, chosen.shape)
    last = xp.index(xp.index_put(xp.zeros(x.shape, dtype=order.dtype), key, order), key)
    chosen = xp.where(last == order, chosen, xp.zeros_like(chosen))
    return xp.sum_to_shape(chosen, getattr(v, "shape", ()))


GETITEM = linear(
    "getitem",
    _index_vjp,
    forward=lambda xp, x, *, key: xp.index(x, key),
    into=lambda xp, total, g, *, key: xp.index_add_into(total, key, g),
    formula="{g}; at {place}",
)
INDEX_PUT = Rule(
    "setitem",
    lambda xp, x, v, *, key: xp.index_put(x, key, v),
    lambda xp, g, out, x, v, *, key: xp.index_put(g, key, 0.0),
    _put_vjp,
    jvp="linear",
    rest=lambda xp, g, *, key: xp.index_put_into(g, key, 0.0),
    not_saved=(0, 1, OUT),
    formula=("{g}; elsewhere {place}", "{g}; at {place}"),
)
INDEX_ADD = Rule(
    "index_add",
    lambda xp, x, v, *, key: xp.index_add(x, key, v),
    lambda xp, g, out, x, v, *, key: g,
    lambda xp, g, out, x, v, *, key: xp.sum_to_shape(xp.index(g, key), getattr(v, "shape", ())),
    jvp="linear",
    formula=("{g}", "{g}; at {place}"),
)

# As rules call them: by keys and positions that need no check ----------------------------------


@for_rules
def index(x: A, key: Any) -> A:
    """x[key], a copy."""
    return x._rule(GETITEM, x, key=key)


@for_rules
def index_put(x: A, key: Any, v: ArrayLike) -> A:
    """A copy of x with x[key] = v."""
    return x._rule(INDEX_PUT, x, v, key=key)


@for_rules
def index_add(x: A, key: Any, v: ArrayLike) -> A:
    """A copy of x with v added at x[key]; positions that repeat accumulate."""
    return x._rule(INDEX_ADD, x, v, key=key)


# x[key] ----------------------------------------------------------------------------------------


def getitem(x: A, key: Any) -> A:
    """x[key] with NumPy's indexing: basic indexing gives a window, the rest copies."""
    raw, basic = _index_key(x, key)
    try:
        return x._window(GETITEM, {"key": raw}) if basic else x._rule(GETITEM, x, key=raw)
    except IndexError as error:
        raise _refusal(x, key, error) from None


@array_function(name="index_add")
def add_at(x: ArrayLike, key: Any, values: ArrayLike) -> Array:
    """A copy of x with values added at x[key]; at positions that repeat all are added up.

    The adjoint of x[key], and what NumPy's `add.at`, PyTorch's `index_add` and `scatter_add` do,
    by any key that x[key] takes. Gradients flow to x and to the values.

    Args:
        x: anything that MLArray takes.
        key: a position, slices, arrays of integers or of booleans, or a tuple of these.
        values: what is added; broadcasts to the shape of x[key].

    Raises:
        IndexError: positions that x does not have.
        ShapeError: values that do not broadcast.

    >>> index_add([0, 0, 0], [2, 0, 2], [1, 10, 100]).to_list()
    [10.0, 0.0, 101.0]
    """
    array = as_array(x, values)
    return index_add(array, _index_key(array, key)[0], values)


def setitem(x: Array, key: Any, new: ArrayLike) -> None:
    """Set x[key]; what was recorded before keeps the numbers it was made with.

    Numbers set in a leaf leave it a leaf. Values and arrays set are differentiated: x is from
    then on the result of the assignment. Inside no_grad() only the numbers change.

    >>> x = MLArray([1.0, 2.0])
    >>> x[0] = 5.0
    >>> x.to_list()
    [5.0, 2.0]
    """
    view = x._view
    if key is ... and view is not None and view.rule is GETITEM and view.before is None:
        x, key = view.root, view.params["key"]  # that is all that there is to x
    asked = key
    key, basic = _index_key(x, key)
    is_array = isinstance(new, Array)
    if is_array and basic and _shows(new, x, key):
        return  # the end of `x[key] += v`, which has written through the window x[key]
    given: Any = None
    own = x._current_node()
    xp, numbers = own.backend, new
    if is_array and (source := new._current_node()).backend is xp:  # most often
        given, numbers = source if source.tracked else None, source.raw
    elif new.__class__ is not float and not (new.__class__ is int and new in INT64):
        xp, (_, given), _, (raw, numbers) = x._operands("setitem", (x, new))
        del raw
    del own  # who holds them is asked below
    root: Any = x if x._view is None else x._view.root
    try:
        if _only_numbers(root, given is not None):
            if root is x and x._node.backend is xp and alone(x._node):
                put_numbers(x._node, key, numbers)
            else:
                x._set_numbers(xp.index_put(numbers_on(xp, x), key, numbers), xp, key)
        elif root is x and to_be_forgotten(x):
            wholly(_put_over, x, x._node, given, numbers, key)
        elif root is x:
            x._become(index_put(x, key, new)._node)
        else:  # the root is put together anew, and this window looks at it again
            chosen = xp.index(x._view.positions(xp), key)  # type: ignore[union-attr]  # it is one
            flat = x._rule(RESHAPE, root, shape=(math.prod(root.shape),))
            put = index_put(flat, chosen, new)
            root._become(x._rule(RESHAPE, put, shape=root.shape)._node)
    except IndexError as error:
        raise _refusal(x, asked, error) from None


def _put_over(x: Array, node: Any, given: Any, numbers: Raw, key: Any) -> None:
    """x moves on to index_put(x, key, new) in its own buffer; its node is `to_be_forgotten`."""
    xp, raw = node.backend, node.raw
    plain = xp.silence.plain
    stand_in = plain.placeholder(raw)
    if x._node is node:
        if not hasattr(numbers, "shape"):
            numbers = xp.asarray(numbers, dtype=xp.float64)
        operands, primals = [node, given], [stand_in, numbers]
        made = ArrayNode(xp, raw, True, INDEX_PUT, operands, primals, {"key": key})
        made.raw = made.out = plain.index_put_into(raw, key, numbers)
        x._become(made)
    node.forget(stand_in)  # only now: another thread may look at x


def _refusal(x: Array, key: Any, error: IndexError) -> IndexError:
    """What a backend says of a key, with what was asked and what to do: of all backends the same.

    Some say "numpy.newaxis", and some what they got.
    """
    said = str(error).replace("numpy.newaxis", "newaxis").partition("; got")[0]
    asked = " ".join(f"{key!r:.60}".split()) + f"] of shape {x.shape}"
    do = "" if "boolean" in said else "; count from 0 or back from -1, once an axis"
    return IndexError(f"index: {said}, at x[{asked}{do}")


def in_place(x: A, symbol: str, made: A) -> A:
    """x after `x += y` and its like, where `made` is x + y: as `x[...] = x + y`.

    Whatever shares the elements sees it, and what was recorded before keeps its numbers. Inside
    no_grad() leaves and constants stay what they are.

    Raises:
        ShapeError: the result has another shape.
        TypeError: its dtype is of a kind that does not fit, as floats do not into integers.

    >>> x = MLArray([1.0, 2.0], requires_grad=False)
    >>> first = x[0]
    >>> first *= 10.0
    >>> x.to_list()
    [10.0, 2.0]
    """
    own, new = x._node.raw, made._node.raw
    if new.shape != own.shape:
        raise ShapeError(
            f"{symbol}: an array of shape {own.shape} cannot become one of shape {new.shape} in "
            f"place; write x = x {symbol[:-1]} y for a new array"
        )
    xp = made._node.backend
    if new.dtype != own.dtype and _kind(xp, new) > _kind(xp, own):
        raise TypeError(
            f"{symbol}: the result is of {new.dtype}, which does not fit into an array of "
            f"{own.dtype}; write x = x {symbol[:-1]} y for a new array"
        )
    if x._view is None and _only_numbers(x, made._node.tracked):
        x._set_numbers(new, xp)
    elif x._view is None and new.dtype == own.dtype:
        x._become(made._node)
    else:
        setitem(x, ..., made)
    return x


def _only_numbers(root: Any, given_tracked: bool) -> bool:
    """Whether other numbers are all that an assignment to elements of `root` changes."""
    if not given_tracked:
        node = root._current_node()
        if not node.tracked or node.is_leaf:
            return True
    return not grad_enabled()


def _shows(new: object, x: Array, key: Any) -> bool:
    """Whether `new` is the very window x[key]."""
    if not isinstance(new, Array) or new._view is None or new._view.rule is not GETITEM:
        return False
    view, own = new._view, x._view
    if view.root is not (x if own is None else own.root) or view.params["key"] != key:
        return False
    cut_off = view.behind[0].tracked and not new._node.tracked and grad_enabled()
    cut_off = cut_off and x._current_node().tracked  # it stays so, whatever is in x
    if cut_off:
        return False
    return view.before is None if own is None else view.steps()[:-1] == own.steps()


def _kind(xp: Backend, raw: Raw) -> int:
    """Booleans go into integers, and both into floats."""
    kinds = ("bool", "integral", "real floating")
    return next(i for i, kind in enumerate(kinds) if xp.isdtype(raw.dtype, kind))


def _index_key(x: Array, key: Any) -> tuple[Any, bool]:
    """The key with raw arrays in place of MLArrays, and whether it is basic indexing."""
    if key.__class__ is int or key.__class__ is slice:  # most often
        return key, True
    parts = key if isinstance(key, tuple) else (key,)
    raw_parts: list[Any] = []
    basic = True
    for part in parts:
        if part.__class__ is int or part.__class__ is slice:
            raw_parts.append(part)
        elif isinstance(part, Array):
            node = part._current_node()
            if node.backend.isdtype(node.raw.dtype, "real floating"):
                raise IndexError(
                    f"index: expected integers or booleans, got an array of {node.raw.dtype}; "
                    f"use MLArray(..., dtype='int64') or a comparison"
                )
            raw_parts.append(numbers_on(x._current_node().backend, part))
            basic = False
        else:
            place = (
                part is None
                or part is Ellipsis
                or isinstance(part, slice)
                or (is_index(part) and not isinstance(part, bool) and not hasattr(part, "__len__"))
            )
            # backward needs the key as it is now, and its owner may write to a list or an ndarray
            HOOKS.foreign_read(part)
            raw_parts.append(part if place else deepcopy(part))
            basic = basic and place
    return (tuple(raw_parts) if isinstance(key, tuple) else raw_parts[0]), basic


# By positions along an axis --------------------------------------------------------------------


@array_function("x, indices, /, *, axis=None", numpy="a, indices, axis=None", flattens=True)
def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Array:
    """The slices of x at these positions of an axis; a slice taken twice gets both gradients.

    Args:
        x: anything that MLArray takes.
        indices: integers, in lists or arrays of any shape, which takes the place of the axis;
            negative ones count from the end.
        axis: along which axis; only an x of 1 dimension need not name it.

    Raises:
        IndexError: a position that the axis does not have, or that is no integer.
        AxisError: an axis that x does not have.

    >>> take([[1, 2], [3, 4]], [1, 1, 0], axis=0).to_list()
    [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """
    array = as_array(x)
    axis = one_axis(axis, len(array.shape), "take")
    places = _places(array, "take", indices, axis)
    return index(array, (slice(None),) * axis + (places,))


@array_function("x, indices, /, *, axis=-1", numpy="arr, indices, axis=-1", flattens=True)
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int = -1) -> Array:
    """For each position of `indices` the element of x there: out[i, j] = x[i, indices[i, j]].

    Args:
        x: anything that MLArray takes.
        indices: integers, of as many dimensions as x; the lengths of the other axes broadcast.
        axis: along which axis.

    Raises:
        IndexError: a position that the axis does not have, or that is no integer.
        ShapeError: the dimensions differ in number, or do not broadcast.

    >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]]).to_list()
    [[2.0], [3.0]]
    """
    array = as_array(x)
    axis = normalize_axis(axis, len(array.shape), "take_along_axis")
    places = _places(array, "take_along_axis", indices, axis)
    return index(array, checked_along(array._current_node().backend, array.shape, places, axis))


def _places(x: Array, who: str, indices: ArrayLike, axis: int) -> Raw:
    """Indices as a raw array of int64 that nobody writes to.

    Raises:
        IndexError: what is not an integer, or out of bounds.
    """
    xp = x._current_node().backend
    if isinstance(indices, Array):
        raw = numbers_on(xp, indices)
    else:
        raw = xp.asarray(indices, copy=True)
    if not raw.size:
        return xp.astype(raw, xp.int64)
    if raw.dtype != xp.int64:
        raise IndexError(
            f"{who}: expected integers as positions, got an array of {raw.dtype}; "
            f"use MLArray(..., dtype='int64')"
        )
    n = x.shape[axis]
    low, high = xp.min(raw), xp.max(raw)
    below = bool(xp.less(low, -n))
    if below or bool(xp.greater_equal(high, n)):
        raise IndexError(
            f"{who}: position {int(for_message(low if below else high))} is out of bounds for "
            f"axis {axis} of shape {x.shape}: expected {-n} <= position < {n}"
        )
    return raw


class Indexing(Array):
    """These functions as methods."""

    __slots__ = ()
    index_add: Final = add_at
    take: Final = take
    take_along_axis: Final = take_along_axis
    __getitem__: Final = getitem
    __setitem__: Final = setitem
    _in_place: Final = in_place
