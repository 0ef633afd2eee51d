"""Values and arrays as windows onto one another: elements of an array, an array of Values.

Elements are made when somebody looks at `x.data`, or walks back to them. They hold their node, the
handle holds them, the node knows neither: no reference cycles.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from gc import isenabled
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from smolml_array._graph.alone import alone
from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.node import ELEMENTS_LOCK, ArrayNode, wholly
from smolml_array._graph.rule import Rule
from smolml_array._graph.walking import numbered, places_behind, put_at, unit
from smolml_array._shapes.axes import Shape
from smolml_array._shapes.nested import flatten, unravel
from smolml_array.backends.signatures import DType, Raw
from smolml_array.convert import as_dtype, check_cast, holds, is_floating, to_raw, value_or_number
from smolml_value import GraphError, Value, grad_enabled, paused_gc
from smolml_value.extending import CUT_OFF, Node, as_float, leave

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


class ValuesNode(ArrayNode):
    """An array made of Values that the user holds: they are the truth, it looks at them.

    Its gradient is theirs, and their data is read anew for every op.
    """

    __slots__ = ("_bits", "values")

    def __init__(self, backend: Backend, values: list[Value], shape: Shape) -> None:
        self.values: list[Value] = values
        numbers = array("d", [v._data for v in values])
        self._bits = numbers.tobytes()
        raw = backend.from_flat(numbers.tolist(), shape, backend.float64)
        super().__init__(backend, raw, True, None, values)
        self.is_live = True

    @property
    def symbol(self) -> str:
        return "array"

    @property
    def made_by(self) -> str:
        return next((v._op for v in self.values if v._op), "")

    @property
    def is_leaf(self) -> bool:
        return not any(v._op for v in self.values)

    def _cotangents(self, g: Raw, needs: Sequence[bool] | None = None) -> Sequence[float]:
        return self.backend.to_flat(g)

    def _add_to_grad(self, c: Raw) -> None:
        for v, part in zip(self.values, self._cotangents(c), strict=True):
            v.grad += part

    def _commit(self) -> None:
        self._cotangent = None

    def current(self) -> Raw:
        numbers = array("d", [v._data for v in self.values])
        bits = numbers.tobytes()  # what tells even nan from nan and 0.0 from -0.0
        if bits != self._bits:  # an equal buffer stays, so that windows need not look again
            self._bits = bits
            self.raw = self.backend.from_flat(numbers.tolist(), self.shape, self.backend.float64)
            self.version += 1
        return self.raw

    def replace(self, raw: Raw) -> None:
        for v, number in zip(self.values, self.backend.to_flat(raw), strict=True):
            v.data = number

    def gradient(self) -> Raw:
        return self.backend.from_flat(
            [v.grad for v in self.values], self.shape, self.backend.float64
        )


def node_from_data(
    xp: Backend, data: ArrayLike, requires_grad: bool, dtype: DType | str | None
) -> ArrayNode:
    """The node for numbers and Values in whatever form, in which there is no MLArray."""
    if isinstance(data, Value) or (isinstance(data, list | tuple) and holds(data, Value)):
        leaves, shape = flatten(data, "MLArray", value_or_number)
        if requires_grad and grad_enabled():
            values = [v if isinstance(v, Value) else Value(v) for v in leaves]
            return ValuesNode(xp, values, shape)
        if requires_grad:
            for v in leaves:
                if isinstance(v, Value):
                    leave(v)
        numbers = [v._data if isinstance(v, Value) else float(v) for v in leaves]
        raw = xp.from_flat(numbers, shape, xp.float64)
    else:
        raw = to_raw(xp, data, "MLArray", copy=True)
    wanted = raw.dtype if dtype is None else as_dtype(xp, dtype)
    if wanted in (xp.int64, xp.bool) and dtype is None:
        wanted = xp.float64
    check_cast(xp, raw, wanted, "MLArray")
    raw = xp.astype(raw, wanted, copy=False)
    return ArrayNode(xp, raw, requires_grad and is_floating(xp, raw))


class Element(Value):
    """One element of an array as a Value: a window onto the array's number and gradient.

    What flows into it through the scalar graph flows on into the array, and `grad` reads the
    array's gradient, so both tell the same whichever way the cotangents came.
    """

    __slots__ = ("_index", "_node")

    def __init__(self, node: ArrayNode, index: int, number: float) -> None:
        # what Value's own does, without its checks: many are made at once
        self._data = number
        self._grad = self._dl = 0.0
        self._lhs = self._rhs = None
        self._pending = 0
        self._made_by, self._dr = (ELEMENT, 0.0) if node.tracked else (None, CUT_OFF)
        self._node = node
        self._index = index

    def __repr__(self) -> str:
        try:
            return super().__repr__()
        except GraphError:  # its gradient is kept by nobody
            return f"Value(data={self.data})"

    @property
    def _children(self) -> tuple[Value, ...]:  # type: ignore[override]  # of any kind
        return tuple(dict.fromkeys(self._made_from()))

    @property
    def _prev(self) -> set[Value]:  # type: ignore[override]  # of any kind
        return set(self._made_from())

    def _made_from(self) -> list[Value]:
        found: list[Value] = []
        for source in self._node._sources(self._index):
            if isinstance(source, Value):
                found.append(source)
                continue
            node, places = source  # no place of a Value that was assigned to another element
            found += [node] * len(places) if isinstance(node, Value) else elements_at(node, places)
        return found

    def _step(self) -> None:
        node, g = self._node, self.grad
        if node.rule is not None and node.tracked and g != 0.0:
            unit_g = unit(node.backend, node.out, self._index, g)
            pairs = zip(node._parents(), node._cotangents(unit_g), strict=True)
            for parent, c in pairs:
                if c is not None:
                    parent._add_to_grad(c)

    @property
    def data(self) -> float:
        """The number in the array; setting it is seen by what is computed from then on."""
        return self._data

    @data.setter
    def data(self, new: float) -> None:
        wholly(self._write, as_float(new, "Value.data"))

    def _write(self, number: float) -> None:
        node, i = self._node, self._index
        with ELEMENTS_LOCK:  # another thread may set another element
            if alone(node):
                node.write_into(unravel(i, node.shape), number)
            else:
                node.replace(put_at(node.backend, node.numbers(), i, number))
            whole = node.raw.dtype == node.backend.float64  # others hold what they can of it
            self._data = number if whole else node.numbers_at((i,))[0]

    @property
    def grad(self) -> float:
        """The array's gradient at this element."""
        if self._pending:  # a node made by hand asks in the middle of a pass
            return self._grad
        return self._node.grad_at(self._index)

    @grad.setter
    def grad(self, new: float) -> None:
        g = as_float(new, "Value.grad")
        if self._pending:
            self._grad = g
        else:
            self._node.set_grad_at(self._index, g)

    @property
    def _op(self) -> str:
        return self._node.symbol

    def _parents(self) -> Sequence[Node]:
        return (self._node,) if self._made_by is not None else ()

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [{self._index: g}]  # of the whole array, element by element

    def _push(self) -> None:
        self._node._receive({self._index: self._grad})

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is a leaf of its own, not a window onto a copy of the array.
        leaf = Value(self._data, self.label)
        leaf.grad = self.grad
        return leaf.__reduce__()


_MANY: Final = 2**10


def elements_at(node: Any, places: Sequence[int]) -> Sequence[Value]:
    """Elements of what a node holds, by their places in C order; the same as long as they are held.

    Of a window they are those of the array it looks at, of an array of Values the Values
    themselves.
    """
    while node.is_window:
        behind = node.operands[0]
        places = places_behind(node.backend, node.rule, node.params, behind.shape, places)
        node = behind
    if isinstance(node, ValuesNode):
        return [node.values[i] for i in places]
    if len(places) > _MANY and isenabled():
        with paused_gc():  # it would look through them again and again, and find nothing
            return elements_at(node, places)
    with ELEMENTS_LOCK:  # two threads that look at the same time must see the same objects
        # and not strict, which takes as long as all the rest
        return [_seen(node, i, x) for i, x in zip(places, node.numbers_at(places))]  # noqa: B905


def _seen(node: ArrayNode, i: int, number: float) -> Value:
    """The element at a place in C order: the one that somebody holds, else a new one."""
    seen = node.seen
    if seen is None:
        seen = node.seen = {}
    if i not in seen or (element := seen[i]()) is None:
        element = Element(node, i, number)
        seen[i] = ref(element)
    return element


class Look:
    """The elements of an array, as `x.data` shows them: those that were asked for are kept.

    The handle keeps it as long as the array stays what it is, and so do the lists of `x.data`.
    """

    __slots__ = ("_held", "node", "places")

    def __init__(self, node: ArrayNode, behind: Look | None = None, places: Any = None) -> None:
        self.node: ArrayNode = node
        self.places: Sequence[int] | None = places  # of a window: in what it looks at
        self._held: dict[int, Value] = {} if behind is None else behind._held

    def one(self, i: int) -> Value:
        """The Value at a place in C order."""
        if self.places is not None:
            i = self.places[i]
        found = self._held.get(i)
        if found is None:
            node = self.node
            if node.__class__ is not ArrayNode or node.is_live:
                found = elements_at(node, (i,))[0]
            else:
                with ELEMENTS_LOCK:
                    found = _seen(node, i, node.number_at(i))
            self._held[i] = found
        return found

    def several(self, places: Sequence[int]) -> Sequence[Value]:
        """The Values at places in C order."""
        if self.places is not None:
            places = [self.places[i] for i in places]
        found = elements_at(self.node, places)
        self._held.update(zip(places, found, strict=True))
        return found


def renew(node: ArrayNode, raw: Raw, key: Any = ...) -> None:
    """Other numbers for a node, and for those of its elements that somebody has seen.

    They are others at most where `key` says.
    """
    wholly(_renew, node, raw, key)


def _renew(node: ArrayNode, raw: Raw, key: Any) -> None:
    node.replace(raw)
    _refresh(node, key)


def put_numbers(node: ArrayNode, key: Any, new: Raw) -> None:
    """Other numbers where `key` says, in the buffer of a node that is `alone`."""
    wholly(_put, node, key, new)


def _put(node: ArrayNode, key: Any, new: Raw) -> None:
    node.write_into(key, new)
    _refresh(node, key)


def _refresh(node: ArrayNode, key: Any) -> None:
    seen = node.seen
    if not seen:
        return
    with ELEMENTS_LOCK:
        todo = [*seen] if key is ... else [i for i in _named(node, key) if i in seen]
        for i, number in zip(todo, node.numbers_at(todo), strict=True):
            element = seen[i]()
            if element is None:
                del seen[i]
            else:
                element._data = number


def _named(node: ArrayNode, key: Any) -> Sequence[int]:
    """The places in C order that a key names."""
    xp, shape = node.backend, node.shape
    parts = key if key.__class__ is tuple else (key,)
    if all(part.__class__ is int for part in parts):  # they lie in one piece
        step, start = node.raw.size, 0
        for part, length in zip(parts, shape, strict=False):
            step //= length
            start += part % length * step
        return range(start, start + step)
    return xp.to_flat(xp.index(numbered(xp, shape), key))


ELEMENT: Final = Rule("element", lambda xp, x: x)
