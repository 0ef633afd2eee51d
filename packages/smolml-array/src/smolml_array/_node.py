"""ArrayNode: one graph node over one raw buffer, and Rule: how its cotangent goes on.

An MLArray is a handle on an ArrayNode. Edges of the graph join nodes, never handles, so a handle
may move on to another node (assignment, restart) while what was recorded before stays right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from smolml_array._anomaly import watch_node, watch_result
from smolml_array._shape import Shape, _broadcast_shapes
from smolml_array.backends.protocol import Backend, Raw
from smolml_value import GraphError, Value, grad_enabled
from smolml_value._graph import Node
from smolml_value._mode import MODE
from smolml_value._op import Op
from smolml_value.table import TABLE

Vjp = Callable[..., Any]  # (xp, g, out, *operands, **params) -> cotangent; operands of any kind
NO_PARAMS: Final[Mapping[str, Any]] = {}

# Held while elements are made or written: threads that share an array see the same ones.
# Reentrant: a signal handler or a finalizer may look at an array too.
ELEMENTS_LOCK: Final = threading.RLock()


OWN_OPS: Final = frozenset(TABLE.values())


def is_own(op: Op) -> bool:
    """Whether an op is one of our table, the shapes of whose results need no check."""
    return op in OWN_OPS or op._base in OWN_OPS


class Rule:
    """What is not element-wise: a forward, and the cotangent it sends to each operand.

    Attributes:
        name: for error messages and drawings.
        forward: `forward(xp, *operands, **params)`.
        vjps: one per operand: `vjp(xp, g, out, *operands, **params)`; None where there is none.
        vjp_all: in place of vjps, for any number of operands: all cotangents at once.
        linear: "jointly" if the result is linear in all operands together (its tangent is then
            the forward of the tangents), "each" if in every one of them alone, "" if neither: it
            must then be a reduction over the parameter `axis` (with `keepdims`), the vjps of
            which give g, put back along the axis, times weights.
    """

    __slots__ = ("forward", "linear", "name", "vjp_all", "vjps")

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *vjps: Vjp | None,
        vjp_all: Vjp | None = None,
        linear: Literal["jointly", "each", ""] = "",
    ) -> None:
        self.name = name
        self.forward = forward
        self.vjps = vjps
        self.vjp_all = vjp_all
        self.linear = linear

    @property
    def symbol(self) -> str:
        """What drawings show."""
        return self.name

    def __repr__(self) -> str:
        return f"<rule {self.name}>"


class ArrayNode(Node):
    """A raw array in the graph: how it was made, and its gradient.

    Attributes:
        backend: where its buffers live.
        raw: the numbers. Buffers are never written to: a change replaces the buffer.
        rule: the Op or Rule that made it; None for a leaf and for a constant.
        operands: per operand its node (an ArrayNode or a Value); None for a constant.
        primals: per operand the numbers it had, as they were used.
        out: the numbers that the rule made.
        params: keyword arguments of the rule.
        tracked: whether gradients flow here.
        grad: the gradient that the user sees; None for zero.
        label: a name to show in drawings.
    """

    __slots__ = (
        "__weakref__",
        "_cotangent",
        "_edges",
        "_element_cotangents",
        "_grad_before",
        "_owned",
        "backend",
        "grad",
        "label",
        "operands",
        "out",
        "params",
        "primals",
        "raw",
        "rule",
        "tracked",
        "writes",
    )

    def __init__(
        self,
        backend: Backend,
        raw: Raw,
        tracked: bool,
        rule: Op | Rule | None = None,
        operands: Sequence[Node | None] = (),
        primals: Sequence[Raw] = (),
        params: Mapping[str, Any] = NO_PARAMS,
        edges: Sequence[Node] | None = None,
    ) -> None:
        self.backend = backend
        self.raw = raw
        self.tracked = tracked
        self.rule = rule
        self.operands = operands
        # those of the operands that are nodes, if the caller has not sorted them out already
        self._edges = [p for p in operands if p is not None] if edges is None else edges
        self.primals = primals
        self.out = raw
        self.params = params
        self.grad: Raw | None = None
        self.label = ""
        # data set on elements, not yet in `raw`; a ValuesNode has always some
        self.writes: dict[int, float] | None = None
        # of the pass that runs; `_begin` makes them
        self._cotangent: Raw | None
        self._element_cotangents: dict[int, float] | None
        self._grad_before: Raw | None
        self._owned: bool  # whether the pass itself has allocated the cotangent
        if MODE.watched:
            watch_node(self)

    @property
    def shape(self) -> Shape:
        return self.raw.shape  # type: ignore[no-any-return]  # raw arrays of all backends have one

    @property
    def name(self) -> str:
        """The name of what made it, for messages."""
        return "array" if self.rule is None else self.rule.name

    @property
    def is_leaf(self) -> bool:
        """Whether nothing led to it, so that other numbers in it make nothing untrue."""
        return self.rule is None

    # The graph engine's side -------------------------------------------------------------------

    def _parents(self) -> Sequence[Node]:
        return self._edges

    def _begin(self) -> None:
        self._grad_before = self.grad
        self._cotangent = self._element_cotangents = None
        self._owned = False

    def _seed(self) -> None:
        raw = self.raw
        self._cotangent = self.backend.ones_like(raw)

    def _push(self) -> None:
        if self._element_cotangents is not None:
            self._gather_elements()
        g = self._cotangent
        if g is None:
            return
        if not self.backend.is_quiet():
            self.backend.quietly(self._push)
            return
        for parent, c in zip(self.operands, cotangents_of(self, g), strict=True):
            if c is not None:
                if isinstance(parent, ArrayNode):
                    parent._receive(c)
                elif isinstance(parent, Value):
                    parent._grad += float(c)

    def _receive(self, c: Raw) -> None:
        """Add a cotangent of the right shape."""
        raw = self.raw
        if c.__class__ is not raw.__class__:  # NumPy's operators make scalars of 0-d arrays
            c = self.backend.asarray(c)
        if c.dtype is not raw.dtype and c.dtype != raw.dtype:
            c = self.backend.astype(c, raw.dtype)
        before = self._cotangent
        if before is None:
            self._cotangent = c  # not owned: others may hold it, so it is not written to
        elif self._owned:
            self._cotangent = self.backend.add_into(before, c)
        else:
            self._cotangent = self.backend.add(before, c)
            self._owned = True

    def _receive_element(self, i: int, c: float) -> None:
        """Add a cotangent to element `i`, counted in C order."""
        if self._element_cotangents is None:
            self._element_cotangents = {}
        self._element_cotangents[i] = self._element_cotangents.get(i, 0.0) + c

    def _gather_elements(self) -> None:
        """Add what the elements received to the cotangent of the whole."""
        received = self._element_cotangents
        if received is None:
            return
        flat = [0.0] * self.raw.size
        for i, c in received.items():
            flat[i] = c
        gathered = self.backend.from_flat(flat, self.shape, self.raw.dtype)
        before = self._cotangent
        self._cotangent = gathered if before is None else self.backend.add(before, gathered)
        self._owned = True
        self._element_cotangents = None

    def _commit(self) -> None:
        if self.rule is not None:
            self.grad = self._cotangent
            return
        if self._element_cotangents is not None:  # nothing has pushed a leaf
            self._gather_elements()
        c, before = self._cotangent, self._grad_before
        if before is not None:
            c = before if c is None else self.backend.add(before, c)
        self.grad = c
        self._cotangent = None  # but what was before stays: the pass may still be interrupted

    def _abort(self) -> None:
        self.grad = self._grad_before
        self._cotangent = self._element_cotangents = None

    # Numbers -----------------------------------------------------------------------------------

    def current(self) -> Raw:
        """The numbers, with what was set on elements."""
        if self.writes is not None:
            with ELEMENTS_LOCK:
                if self.writes is not None:  # another thread may have been quicker
                    flat = self.backend.to_flat(self.raw)
                    for i, number in self.writes.items():
                        flat[i] = number
                    self.raw = self.backend.from_flat(flat, self.shape, self.raw.dtype)
                    self.writes = None
        return self.raw

    def write(self, i: int, number: float) -> None:
        """Set element `i`; what was recorded before keeps the number it was made with."""
        with ELEMENTS_LOCK:
            if self.writes is None:
                self.writes = {}
            self.writes[i] = number

    def replace(self, raw: Raw) -> None:
        """Other numbers for a leaf; what was recorded before keeps those it was made with."""
        self.writes = None
        self.raw = raw

    def gradient(self) -> Raw:
        """The gradient, zeros if there is none."""
        raw = self.raw
        return self.backend.zeros(raw.shape, dtype=raw.dtype) if self.grad is None else self.grad

    def grad_at(self, i: int) -> float:
        """The gradient of element `i`."""
        if self.grad is None:
            return 0.0
        return float(self.backend.index(self.backend.reshape(self.grad, (-1,)), i))

    def set_grad_at(self, i: int, number: float) -> None:
        """Set the gradient of element `i`."""
        if self.grad is None and number == 0.0:
            return
        xp = self.backend
        flat = xp.index_put(xp.reshape(self.gradient(), (-1,)), i, number)
        self.grad = xp.reshape(flat, self.shape)


def cotangents_of(
    node: ArrayNode, g: Raw, operands: Sequence[Node | None] | None = None
) -> Sequence[Raw | None]:
    """What the rule of `node` sends to each operand; None where nothing flows.

    `operands` are those of the node, with None also where nobody asks for a cotangent. To be
    called where the backend is quiet.
    """
    rule, primals, out, xp = node.rule, node.primals, node.out, node.backend.unguarded
    if operands is None:
        operands = node.operands
    if isinstance(rule, Rule):
        return _rule_cotangents(rule, node, g, operands)
    assert isinstance(rule, Op)
    partials = rule.partials
    if partials is None or not (rule in OWN_OPS or is_own(rule)):
        return _plugin_cotangents(rule, node, g, operands)
    # cotangent x partial, summed over what was broadcast: the one place
    shape = g.shape
    cotangents: list[Raw | None] = []
    for operand, primal, rule_or_number in zip(operands, primals, partials, strict=True):
        c: Raw | None = None
        if operand is None or rule_or_number is None:
            cotangents.append(None)
            continue
        if callable(rule_or_number):
            try:
                p = rule_or_number(xp, out, *primals)
            except ArithmeticError:  # Python's own 1 / 0.0, of a constant
                p = evaluated(rule_or_number, xp, out, primals)
            c = xp.cotangent_product(g, p)
        elif rule_or_number == 1.0:
            c = g
        elif rule_or_number == -1.0:
            c = xp.negative(g)
        elif rule_or_number != 0.0:
            c = xp.multiply(g, rule_or_number)
        own = primal.shape if primal.__class__ is not float else ()
        cotangents.append(c if c is None or own == shape else xp.sum_to_shape(c, own))
    return cotangents


def _rule_cotangents(
    rule: Rule, node: ArrayNode, g: Raw, operands: Sequence[Node | None]
) -> Sequence[Raw | None]:
    """The same for what is not element-wise."""
    primals, out, xp, params = node.primals, node.out, node.backend.unguarded, node.params
    if rule.vjp_all is not None:
        every = rule.vjp_all(xp, g, out, *primals, **params)
        return [None if p is None else c for p, c in zip(operands, every, strict=True)]
    cotangents: list[Raw | None] = []
    for operand, primal, vjp in zip(operands, primals, rule.vjps, strict=True):
        if operand is None or vjp is None:
            cotangents.append(None)
            continue
        c = vjp(xp, g, out, *primals, **params) if params else vjp(xp, g, out, *primals)
        if c.shape != primal.shape:
            raise GraphError(
                f"{rule.name}: its rule returned a cotangent of shape {c.shape} for an operand of "
                f"shape {primal.shape}; they must be equal"
            )
        cotangents.append(c)
    return cotangents


def _plugin_cotangents(
    op: Op, node: ArrayNode, g: Raw, operands: Sequence[Node | None]
) -> Sequence[Raw | None]:
    """The same for an op that is not in our table: a plugin may do anything."""
    xp = node.backend
    primals = node.primals
    partials = op.partials
    given: Sequence[Any] = ()
    if partials is None:
        assert op.vjp is not None  # a composite leaves nodes of other ops
        given = op.vjp(xp, g, node.out, *primals)
        if not isinstance(given, tuple | list) or len(given) != len(primals):
            raise GraphError(
                f"{op.name}: its vjp returned {given!r:.60}; expected a tuple of {len(primals)}, "
                f"one cotangent per operand"
            )
    cotangents: list[Raw | None] = []
    for i, (operand, primal) in enumerate(zip(operands, primals, strict=True)):
        if operand is None:
            cotangents.append(None)
            continue
        c: Raw | None
        partial: Any = given[i] if partials is None else partials[i]
        if partials is None:
            c = partial  # of whatever type the rule gave
            if isinstance(c, float | int) and not hasattr(c, "shape"):
                c = xp.full(g.shape, float(c), dtype=g.dtype)
        elif callable(partial):
            p = evaluated(partial, xp, node.out, primals)
            _check_partial(op, i, getattr(p, "shape", ()), primals, g.shape)
            c = xp.cotangent_product(g, p)
        elif partial is None or partial == 0.0:
            c = None
        elif partial == 1.0:
            c = g
        else:
            c = xp.negative(g) if partial == -1.0 else xp.multiply(g, partial)
        if c is not None:
            if c.shape != g.shape:
                raise GraphError(
                    f"{op.name}: its rule for operand {i} gave the shape {c.shape} where the "
                    f"result has {g.shape}; it must have the shape of the result, or be a number"
                )
            c = xp.sum_to_shape(c, getattr(primal, "shape", ()))
        cotangents.append(c)
    return cotangents


def evaluated(partial: Any, xp: Backend, out: Raw, primals: Sequence[Any]) -> Any:
    """A partial at these numbers; Python's own 1 / 0.0, of a constant, must not raise."""
    try:
        return partial(xp, out, *primals)
    except ArithmeticError:
        raws = [p if hasattr(p, "shape") else xp.asarray(p, dtype=out.dtype) for p in primals]
        return partial(xp, out, *raws)


def _check_partial(op: Op, i: int, given: Shape, primals: Sequence[Raw], result: Shape) -> None:
    """Refuse a partial that would broadcast, in silence, to something that it is not."""
    shapes = [getattr(primal, "shape", ()) for primal in primals]
    if given in (result, (), *shapes):  # y, for one, is the partial of x * y
        return
    used = [s for s in shapes if _spread(s, given) == given]
    if not used or _broadcast_shapes(*used, who=op.name) != given:
        raise GraphError(
            f"{op.name}: its partial for operand {i} gave the shape {given} for operands of shapes "
            f"{', '.join(map(str, shapes))}; expected {result}, the shape of the result, or a "
            f"number"
        )


def _spread(shape: Shape, other: Shape) -> Shape | None:
    """What two shapes broadcast to, None if they do not."""
    try:
        return _broadcast_shapes(shape, other)
    except ValueError:
        return None


def record(
    xp: Backend,
    rule: Rule,
    operands: Sequence[Node | None],
    edges: Sequence[Node],
    primals: Sequence[Raw],
    params: Mapping[str, Any],
) -> ArrayNode:
    """The node of a rule's result: tracked if an operand is, and somebody wants gradients.

    `operands` holds None for constants, `edges` the others.
    """
    forward = partial(rule.forward, **params) if params else rule.forward
    try:
        out = xp.run_rule(forward, xp.unguarded, *primals)
    except (RuntimeError, ValueError, TypeError, IndexError):
        out = xp.quietly(forward, xp, *primals)  # busy; or it raises again, in our words
    if out.__class__ is not xp.array_type:  # NumPy's operators make scalars of 0-d arrays
        out = xp.asarray(out)
    if MODE.off:
        if MODE.watched:
            watch_result(rule, xp, operands, primals, out)
        if not grad_enabled():
            edges = ()
    if edges:
        return ArrayNode(xp, out, True, rule, operands, primals, params, edges)
    return ArrayNode(xp, out, False)
