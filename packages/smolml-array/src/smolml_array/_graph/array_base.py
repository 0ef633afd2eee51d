"""ArrayBase: what an MLArray is without its operations: a node, a window, elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import ref

from smolml_array._graph.alone import shown
from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.elements import Elements, OneValue
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.mixing import meeting, node_on, numbers_on
from smolml_array._graph.node import NO_PARAMS, ArrayNode, init_node, new_node
from smolml_array._graph.rule import Rule
from smolml_array._graph.shaping import RESHAPE
from smolml_array._graph.views import Look, ValuesNode, node_from_data, renew
from smolml_array._graph.walking import put_at
from smolml_array._graph.windows import Behind, ViewOf
from smolml_array._shapes.axes import Shape, ShapeError
from smolml_array.backends.signatures import DType, Raw
from smolml_array.config import default_backend
from smolml_array.convert import as_dtype, each, holds
from smolml_value import Value, grad_enabled, no_grad
from smolml_value.extending import MODE, Node, Op, leave, recording

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend


class ArrayBase(OneValue):
    """A handle on a node of the graph, or a window onto the elements of another array."""

    __slots__ = ("__weakref__", "_behind", "_list", "_look", "_node", "_view")
    _node: ArrayNode
    _view: ViewOf | None
    _look: Look | None
    _list: Elements | None
    _behind: Behind | None  # its node, once windows share it

    def __init__(self, data: ArrayLike) -> None:
        raise NotImplementedError  # MLArray has it

    def __setitem__(self, key: Any, new: ArrayLike) -> None:
        raise NotImplementedError  # MLArray has it

    # MLArray has these, too
    _apply: ClassVar[Callable[..., Any]]
    _stacked: ClassVar[Callable[..., Any]]
    to_backend: ClassVar[Callable[..., Any]]

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        return self._node.raw.shape  # type: ignore[no-any-return]  # a tuple on every backend

    @classmethod
    def _from_node(cls, node: ArrayNode, view: ViewOf | None = None) -> Self:
        """A handle on a node."""
        made = cls.__new__(cls)
        made._node, made._view = node, view
        made._look = made._list = made._behind = None
        return made

    @classmethod
    def _constant(
        cls,
        xp: Backend,
        raw: Raw,
        tracked: bool = False,
        rule: Op | Rule | None = None,
        operands: Sequence[Node | None] = (),
        primals: Sequence[Raw] = (),
        params: Mapping[str, Any] = NO_PARAMS,
    ) -> Self:
        """An array of these numbers: a constant, a leaf, or what a rule made of operands."""
        if MODE.special and rule is not None:  # no_grad() or detect_anomaly() is open somewhere
            node = ArrayNode(xp, raw, tracked and grad_enabled(), rule, operands, primals, params)
            if MODE.watched:
                MODE.watcher.made(node)
            return cls._from_node(node) if node.tracked else cls._constant(xp, raw)
        made = cls.__new__(cls)
        made._view = made._look = made._list = made._behind = None
        made._node = node = new_node(ArrayNode)  # for less than by a call of the class
        if tracked:
            init_node(node, xp, raw, True, rule, operands, primals, params)
        else:
            init_node(node, xp, raw, False)
        return made

    @classmethod
    def _from_data(
        cls,
        data: ArrayLike,
        xp: Backend | None = None,
        requires_grad: bool = True,
        dtype: DType | str | None = None,
    ) -> Self:
        """An array of what was given, on this backend."""
        made = cls.__new__(cls)
        made._process_data(data, xp, requires_grad, dtype)
        return made

    def _process_data(
        self, data: ArrayLike, xp: Backend | None, requires_grad: bool, dtype: DType | str | None
    ) -> None:
        """Be an array of what was given: every number becomes the data of a Value.

        Without a backend it is that of the arrays among the data, else the default.

        Raises:
            ValueError: arrays of different backends: no gradient goes from one to another.
        """
        self._view = self._look = self._list = self._behind = None
        is_list, given = isinstance(data, list | tuple), data
        backends = [x._current_node().backend for x in each(data, ArrayBase)] if is_list else ()
        if backends:
            xp = backends[0] if xp is None else xp
            for own in backends:
                xp = meeting(xp, own) or xp
            there = [isinstance(x, ArrayBase) and x._current_node().backend is xp for x in data]
            parts = zip(data, there, strict=True)
            data = self._stacked([x if found else self._from_data(x, xp) for x, found in parts])
        elif dtype is not None and (isinstance(data, Value) or (is_list and holds(data, Value))):
            data = self._from_data(data, xp, requires_grad)
        if isinstance(data, ArrayBase):
            source = data._current_node()
            if xp is not None and (found := meeting(xp, source.backend)) is not source.backend:
                if found is None:
                    raise ValueError(
                        f"MLArray: one array lives on the backend {source.backend.name!r}, and "
                        f"{xp.name!r} was expected; move it with x.to_backend({xp.name!r})"
                    )
                self._node = node_on(xp, data)
                return
            own, has = source.backend, source.raw.dtype
            wanted = has if dtype is None else as_dtype(own, dtype)
            flows = source.tracked and grad_enabled() and own.isdtype(wanted, "real floating")
            if requires_grad and (dtype is None or flows):
                shown: Any = data
                if wanted != has:
                    shown = shown.astype(wanted)
                elif data is given:  # else made here: no window onto it
                    shown = shown._window(RESHAPE, {"shape": source.shape})
                self._node, self._view = shown._node, shown._view
                return
            if requires_grad:
                leave(data)
            xp, data = own, source.raw
        xp = default_backend() if xp is None else xp
        self._node = node_from_data(xp, data, requires_grad, dtype)

    @classmethod
    def ensure_array(cls, *args: ArrayLike) -> Any:
        """The argument as an MLArray, itself if it is one; several arguments give a tuple.

        >>> a = MLArray([1.0])
        >>> MLArray.ensure_array(a) is a
        True
        """
        arrays = tuple(a if isinstance(a, cls) else cls(a) for a in args)
        return arrays[0] if len(arrays) == 1 else arrays

    # Reading -----------------------------------------------------------------------------------

    def _current_node(self) -> ArrayNode:
        """The node with its numbers up to date: elements or the root may have been changed."""
        view = self._view
        if view is None:
            if self._node.is_live:
                self._node.current()
            on_read = HOOKS.on_read
            return self._node if on_read is None else on_read(self)
        root_node = view.root._current_node()
        if root_node is not view.behind[0] or root_node.version != view.version:
            self._look_again(view)
        return self._node

    def _look_again(self, view: ViewOf) -> None:
        """Make this window anew from what its root is now.

        Whether gradients flow through it was settled when it was made: somebody may look at it
        inside no_grad() and train with it afterwards.
        """
        cut_off = view.behind[0].tracked and not self._node.tracked
        fresh = view.root
        with no_grad() if cut_off else recording():
            for rule, params in view.steps():
                fresh = fresh._window(rule, params)
        fresh._node.label = self._node.label
        self._node, self._view = fresh._node, fresh._view

    def _window(self, rule: Rule, params: Mapping[str, Any]) -> Self:
        """The same elements in another arrangement."""
        node, view = self._node, self._view
        window: Self
        if not node.is_live and HOOKS.on_read is None:  # what `_apply` does, in less time
            xp, shared = node.backend, self._behind
            if shared is None or shared.nodes[0] is not node:
                shared = self._behind = Behind.of(node)
            behind, version = shared.nodes, node.version
            out, primals = shown(xp, node.raw, rule, params, shared.stand_ins)
            window = self._constant(xp, out, node.tracked, rule, behind, primals, params)
        else:
            window = self._apply(rule, (self,), params)
            if view is None:
                node = self._node if HOOKS.on_read is None else self._current_node()
                behind, version = [node], node.version
            else:
                behind, version = view.behind, view.version
        window._node.is_live = True
        root = self if view is None else view.root
        # for less than by a call of the class, as nodes are made
        window._view = tuple.__new__(ViewOf, (root, behind, version, rule, params, view))
        return window

    # Elements ----------------------------------------------------------------------------------

    def _looking(self) -> Look:
        """What shows its elements, the same as long as they are the same Values."""
        known, view = self._look, self._view
        if view is None:
            node = self._node if HOOKS.on_read is None else self._current_node()
            if known is None or known.node is not node:
                known = Look(node)
                if node is self._node:  # a recording has another one in its place
                    self._look = known
            return known
        behind = view.root._looking()
        if known is None or known.node is not behind.node:
            xp = self._node.backend
            places = xp.to_flat(view.positions(xp)) if known is None else known.places
            known = self._look = Look(behind.node, behind, places)
        return known

    def _owner(self) -> Callable[[], Any]:
        """What gives this array, or one that is as good if nobody has this one any more."""
        again = partial(self._from_node, self._node, self._view)
        if self._view is not None:  # a window of its own is soon gone
            return again
        own = ref(self)
        return lambda: again() if (found := own()) is None else found

    def _values(self) -> Sequence[Value]:
        """The elements as Values, in C order, always the same objects."""
        return self._looking().several(range(self._node.raw.size))

    @property
    def data(self) -> Any:
        """Nested lists of the Values that the array consists of; a Value for a 0-d array.

        Their `data` may be set and their `grad` read; items of the lists may be set too. Setting
        `data` as a whole takes nested lists (or anything that MLArray takes) of the same shape;
        Values among them become the elements (of an array of float64).

        >>> x = MLArray([[1.0, 2.0], [3.0, 4.0]])
        >>> x.data[1][0] is x.T.data[0][1]
        True
        >>> x.data[1][0].data = 5.0
        >>> x.sum().item()
        12.0
        """
        known = self._list
        if known is not None and known.look.node is self._node and HOOKS.on_read is None:
            return known  # of most; a window's elements are those of another node
        look = self._looking()
        if not self.shape:
            return look.one(0)
        if known is None or known.look is not look:
            known = self._list = Elements(look, self.shape, self._owner())
        return known

    @data.setter
    def data(self, new: ArrayLike) -> None:
        old = self._current_node()
        given = self._from_data(new, old.backend)
        if given.shape != old.shape:
            wrong = f"expected the shape {old.shape}, got {given.shape}"
            raise ShapeError(f"MLArray.data: {wrong}; for another shape make a new MLArray")
        node = given._current_node()
        if isinstance(node, ValuesNode) and node.raw.dtype == old.raw.dtype:
            self._take_values(node)
        elif isinstance(new, ArrayBase) or isinstance(node, ValuesNode) or node.rule is not None:
            self[...] = given  # gradients flow to what was given
        elif self._view is not None:
            self[...] = given.detach()  # what lies beneath may be the result of an operation
        elif old.rule is None and not isinstance(old, ValuesNode):
            self._set_numbers(node.raw, node.backend)
        else:
            self._become(ArrayNode(node.backend, node.raw, old.tracked))

    def _take_values(self, given: ValuesNode) -> None:
        """Have these Values as elements; a window puts them into the array that it looks at."""
        root = self
        if self._view is not None:
            root = self._view.root
            values = [*root._values()]
            places = given.backend.to_flat(self._view.positions(given.backend))
            for place, v in zip(places, given.values, strict=True):
                values[place] = v
            given = ValuesNode(given.backend, values, root.shape)
        root._become(given)

    def _become(self, node: ArrayNode) -> None:
        """Move this handle on to another node."""
        if HOOKS.moved(self, node):
            return
        if label := self._node.label:
            node.label = node.label or label
        self._node, self._view, self._look, self._list, self._behind = node, None, None, None, None

    def _set_numbers(self, raw: Raw, xp: Backend | None = None, key: Any = ...) -> None:
        """Other numbers in place: the same node, its gradient and its elements stay.

        `xp` is their backend where that may be a recording and ours is not; `key` says where they
        are others.
        """
        node = self._current_node()
        xp = xp or node.backend
        if self._view is not None:
            root = self._view.root
            root._set_numbers(put_at(xp, numbers_on(xp, root), self._view.positions(xp), raw), xp)
            return
        if raw.dtype != node.raw.dtype:
            raw = xp.astype(raw, node.raw.dtype)
        if xp is not node.backend:  # it takes in the numbers of ours, but not the other way round
            self._become(ArrayNode(xp, raw, node.tracked))
            return
        renew(node, raw, key)

    def update_values(self, new_data: ArrayLike) -> Self:
        """Set the numbers of the existing Values; graph and gradients stay. Returns self.

        Raises:
            ShapeError: another shape.

        >>> MLArray([1.0, 2.0]).update_values([3.0, 4.0]).to_list()
        [3.0, 4.0]
        """
        self._set_numbers(*self._given("update_values", new_data))
        return self

    def _given(self, who: str, new: ArrayLike) -> tuple[Raw, Backend]:
        """The numbers of something of this shape, on this backend or on one that takes it in."""
        node = self._current_node()
        if isinstance(new, ArrayBase):  # its numbers are wanted, wherever they live
            leave(new)
            new = new.detach().to_backend(node.backend.name)
        given = self._from_data(new, node.backend)
        if given.shape != node.shape:
            raise ShapeError(f"{who}: expected the shape {node.shape}, got {given.shape}")
        return given._current_node().raw, given._node.backend

    def restart(self) -> Self:
        """Start anew: a leaf with the same numbers and a gradient of zero. Returns self.

        What led to these numbers is let go, so memory does not grow from epoch to epoch.

        >>> x = MLArray([1.0, 2.0])
        >>> y = x * x
        >>> y.restart().backward()
        >>> x.grad().to_list(), y.grad().to_list()
        ([0.0, 0.0], [1.0, 1.0])
        """
        HOOKS.gradients_used()
        node = self._current_node()
        if isinstance(node, ValuesNode) and all(v._made_by is None for v in node.values):
            for v in node.values:
                v.grad = 0.0
        elif node.rule is None and not isinstance(node, ValuesNode):
            node.grad = None
        else:
            self._become(ArrayNode(node.backend, node.raw, node.tracked))
        return self

    def detach(self) -> Self:
        """A constant with the same numbers, cut off from the graph."""
        node = self._current_node()
        return self._constant(node.backend, node.raw)
