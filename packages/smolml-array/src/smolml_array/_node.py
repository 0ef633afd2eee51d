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
    ) -> None:
        self.backend = backend
        self.raw = raw
        self.tracked = tracked
        self.rule = rule
        self.operands = operands
        self._edges = [p for p in operands if p is not None]
        self.primals = primals
        self.out = raw
        self.params = params
        self.grad: Raw | None = None
        self.label = ""
        self.writes: dict[int, float] | None = None  # data set on elements, not yet in `raw`
        self._cotangent: Raw | None = None
        self._element_cotangents: dict[int, float] | None = None
        self._grad_before: Raw | None = None
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

    def _seed(self) -> None:
        raw = self.raw
        self._cotangent = self.backend.ones(raw.shape, dtype=raw.dtype)

    def _push(self) -> None:
        if self._element_cotangents is not None:
            self._gather_elements()
        g = self._cotangent
        if g is None or self.rule is None:
            return
        cotangents = self.backend.quietly(cotangents_of, self, g)
        for parent, primal, c in zip(self.operands, self.primals, cotangents, strict=True):
            if parent is None or c is None:
                continue
            if isinstance(parent, ArrayNode):
                parent._receive(c, primal, self.name)
            elif isinstance(parent, Value):
                parent._grad += float(c)

    def _receive(self, c: Raw, primal: Raw, sender: str) -> None:
        """Add a cotangent that `sender`'s rule made for the operand `primal`."""
        if c.shape != primal.shape:
            raise GraphError(
                f"{sender}: its rule returned a cotangent of shape {c.shape} for an operand of "
                f"shape {primal.shape}; they must be equal"
            )
        if not self.backend.is_array(c):  # NumPy's operators make scalars of 0-d arrays
            c = self.backend.asarray(c)
        if c.dtype != primal.dtype:
            c = self.backend.astype(c, primal.dtype)
        before = self._cotangent
        self._cotangent = c if before is None else self.backend.add(before, c)

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
        self._element_cotangents = None

    def _commit(self) -> None:
        c = self._cotangent
        if self.rule is None and self._grad_before is not None and c is not None:
            c = self.backend.add(self._grad_before, c)
        elif self.rule is None and c is None:
            c = self._grad_before
        self.grad = c
        self._cotangent = None

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

    `operands` are those of the node, with None also where nobody asks for a cotangent.
    """
    rule = node.rule
    if operands is None:
        operands = node.operands
    if isinstance(rule, Op):
        return _elementwise_cotangents(rule, node, g, operands)
    assert rule is not None
    if rule.vjp_all is not None:
        every: Sequence[Raw] = rule.vjp_all(node.backend, g, node.out, *node.primals, **node.params)
        return every
    return [
        None
        if operand is None or vjp is None
        else vjp(node.backend, g, node.out, *node.primals, **node.params)
        for vjp, operand in zip(rule.vjps, operands, strict=True)
    ]


def _elementwise_cotangents(
    op: Op, node: ArrayNode, g: Raw, operands: Sequence[Node | None]
) -> Sequence[Raw | None]:
    """cotangent x partial for each operand, summed over what was broadcast: the one place."""
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
            if TABLE.get(op.name) is not op:  # a plugin may do anything
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
    primals: Sequence[Raw],
    params: Mapping[str, Any],
) -> ArrayNode:
    """The node of a rule's result: tracked if an operand is, and somebody wants gradients."""
    forward = partial(rule.forward, **params) if params else rule.forward
    out = xp.quietly(forward, xp, *primals)
    if MODE.watched:
        watch_result(rule, xp, operands, primals, out)
    edges = [None if isinstance(p, ArrayNode) and not p.tracked else p for p in operands]
    if any(p is not None for p in edges) and grad_enabled():
        return ArrayNode(xp, out, True, rule, edges, primals, params)
    return ArrayNode(xp, out, False)
