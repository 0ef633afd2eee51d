"""ArrayNode: one graph node over one raw buffer.

An MLArray is a handle on an ArrayNode. Edges of the graph join nodes, never handles, so a handle
may move on to another node (assignment, restart) while what was recorded before stays right.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from smolml_array._graph.gathering import Part, plus, whole
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.rule import Rule
from smolml_array._graph.vjps import quiet_cotangents
from smolml_array._graph.walking import Places, put_at, sources
from smolml_array._shapes.axes import Shape
from smolml_array._shapes.nested import unravel
from smolml_array.backends.signatures import Raw
from smolml_value import GraphError, Value
from smolml_value.extending import Node, Op, fork_safe, topological

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

BY_A_PASS: Final = (
    "backward() keeps no gradient of a large array that no name holds, here the result of {}; "
    "give it a name before backward()"
)
BY_ASSIGNMENT: Final = (
    "the result of {} has none any more, an assignment to it, x[key] = v, went on in its memory; "
    "look at the element before it is assigned to: v = x.data[i]"
)

NO_PARAMS: Final[Mapping[str, Any]] = {}

# Held while elements are made or written: threads that share an array see the same ones.
# Reentrant: a signal handler or a finalizer may look at an array too.
ELEMENTS_LOCK: Final = fork_safe(threading.RLock())

_sequence: Final = itertools.count(0, -1)


class ArrayNode(Node):
    """A raw array in the graph: how it was made, and its gradient.

    Attributes:
        backend: where its buffers live.
        raw: the numbers. Buffers that anybody else sees are never written to.
        rule: the Op or Rule that made it; None for a leaf and for a constant.
        operands: per operand its node (an ArrayNode or a Value); None for a constant.
        primals: per operand the numbers it had, as they were used.
        out: the numbers that the rule made.
        params: keyword arguments of the rule.
        tracked: whether gradients flow here.
        grad: the gradient that the user sees; None for zero.
        is_live: whether its numbers may be others by now, so that `current` is to be asked for
            every op: of a window, and where Values have them.
        label: a name to show in drawings.
        let_go: why it keeps no gradient, and maybe no numbers, of which nobody sees any; else "".
        seen: the elements that somebody has seen, by place: who looks again sees the same.
        sequence: of a result: the later it was made, the smaller.
        version: how often it got other numbers, or others in its buffer.
    """

    __slots__ = (
        "__weakref__",
        "_cotangent",
        "_grad_before",
        "backend",
        "grad",
        "is_live",
        "label",
        "let_go",
        "operands",
        "out",
        "params",
        "primals",
        "raw",
        "rule",
        "seen",
        "sequence",
        "tracked",
        "version",
    )

    # of the pass that runs; `_begin` makes them
    _cotangent: Any  # as it is gathered
    _grad_before: Raw | None

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
        self.backend: Backend = backend
        self.raw: Raw = raw
        self.tracked: bool = tracked
        self.rule: Op | Rule | None = rule
        self.operands: Sequence[Node | None] = operands
        self.primals: Sequence[Raw] = primals
        self.out: Raw = raw
        self.params: Mapping[str, Any] = params
        self.grad: Raw | None = None
        self.is_live, self.version, self.let_go, self.label = False, 0, "", ""
        self.seen: dict[int, ref[Value]] | None = None
        if rule is not None:
            self.sequence: int = next(_sequence)

    def hide(self, why: str = BY_A_PASS) -> None:
        """Keep no gradient; `why` is said with a name for what made it."""
        self.let_go = why
        self.grad = None

    def forget(self, stand_in: Raw) -> None:
        """Let go of numbers, too, as they are written over; who asks has them made again."""
        self.hide(BY_ASSIGNMENT)
        self.raw = self.out = stand_in

    def remember(self, raw: Raw) -> None:
        """Have numbers again, and from here on a gradient that somebody sees."""
        self.raw = self.out = raw
        self.let_go = ""

    def _show(self) -> None:
        """From here on somebody sees its gradient."""
        if self.let_go:
            self.remember(self.numbers())

    @property
    def shape(self) -> Shape:
        return self.raw.shape  # type: ignore[no-any-return]  # raw arrays of all backends have one

    @property
    def name(self) -> str:
        """The name of what made it, for messages."""
        return "array" if self.rule is None else self.rule.name

    @property
    def symbol(self) -> str:
        """What drawings show of what made it, "" for a leaf."""
        return "" if self.rule is None else self.rule.symbol

    @property
    def made_by(self) -> str:
        """The name of what made it, "" for a leaf and for an array of leaves."""
        return "" if self.rule is None else self.rule.name

    @property
    def is_leaf(self) -> bool:
        """Whether nothing led to it, so that other numbers in it make nothing untrue."""
        return self.rule is None

    @property
    def is_window(self) -> bool:
        """Whether its elements are those of its operand, in another arrangement."""
        return self.rule is not None and self.is_live

    # The graph engine's side -------------------------------------------------------------------

    def _parents(self) -> Sequence[Node]:
        return [p for p in self.operands if p is not None]

    def _operands(self) -> Sequence[Any]:
        """Its operands in order: nodes, and raw arrays or numbers for constants."""
        if self.rule is None:  # made of nodes alone, if of anything
            return self.operands
        pairs = zip(self.operands, self.primals, strict=True)
        return [primal if node is None else node for node, primal in pairs]

    def wanted(self, needs: Sequence[bool] | None) -> Sequence[Node | None]:
        """Its operands, with None also for the parents that need no cotangent."""
        if needs is None:
            return self.operands
        each = iter(needs)
        return [p if p is not None and next(each) else None for p in self.operands]

    def _cotangents(self, g: Raw, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        """Those of its parents, in their kind: floats for Values, raw arrays of their dtype."""
        xp, found = self.backend, quiet_cotangents(self, g, self.wanted(needs))
        return [
            None if c is None else float(c) if isinstance(p, Value) else cast(xp, c, primal)
            for p, primal, c in zip(self.operands, self.primals, found, strict=True)
            if p is not None
        ]

    def _sends(self, g: Raw, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        into = self.rule.into if isinstance(self.rule, Rule) else None
        return self._cotangents(g, needs) if into is None else [Part(into, g, self.params)]

    def _sources(self, i: int) -> Sequence[Value | tuple[Node, Places]]:
        """What element `i` was made from: Values, and nodes with places of their elements."""
        return () if self.rule is None else sources(self, i)

    def _add_to_grad(self, c: Raw) -> None:
        if self.is_window:
            self.operands[0]._add_to_grad(*self._cotangents(c))  # type: ignore[union-attr]  # a node
        else:
            self._show()
            self.grad = c if self.grad is None else self.backend.add(self.grad, c)

    def _begin(self) -> None:
        self._grad_before = self.grad
        self._cotangent = None

    def _seed(self) -> None:
        self._cotangent = self.backend.ones_like(self.raw)

    def _push(self) -> None:
        self._cotangent = g = self.gathered()
        if g is not None:
            for parent, c in zip(self._parents(), self._sends(g), strict=True):
                if c is not None:
                    parent._receive(c)

    def gathered(self) -> Raw | None:
        """The cotangent that it has in the pass that runs, None for zero."""
        c = self._cotangent
        return None if c is None else whole(self.backend, self.raw, c)

    def _receive(self, c: Any) -> None:
        if not isinstance(c, dict | Part):
            c = self._checked(c)
        self._cotangent = plus(self.backend, self.raw, self._cotangent, c)

    def _checked(self, c: Any) -> Raw:
        if c.__class__ is not self.raw.__class__:  # NumPy's operators make scalars of 0-d arrays
            c = self.backend.asarray(c)
        if c.shape != self.shape:
            raise GraphError(
                f"a transform: its rule returned a cotangent of shape {c.shape} for an operand "
                f"of shape {self.shape}; they must be equal"
            )
        return cast(self.backend, c, self.raw)

    def _commit(self) -> None:
        if self.rule is not None:
            self.grad = self._cotangent
            return
        c, before = self.gathered(), self._grad_before
        if before is not None:
            c = before if c is None else self.backend.add(before, c)
        self.grad = c
        self._cotangent = None  # but what was before stays: the pass may still be interrupted

    def _abort(self) -> None:
        self.grad = self._grad_before
        self._cotangent = None

    # Numbers -----------------------------------------------------------------------------------

    def current(self) -> Raw:
        """The numbers of now."""
        return self.raw

    def numbers(self) -> Raw:
        """Its numbers; if a backward pass has let go of them, made again, as all behind them."""
        if not self.let_go:
            return self.raw
        made: dict[Any, Raw] = {}
        xp, order = self.backend, topological([self], before=_hidden_operands)
        each: Any
        for each in order:
            primals = [made.get(p, raw) for p, raw in zip(each.operands, each.primals, strict=True)]
            forward = partial(each.rule.forward, xp, *primals, **each.params)
            made[each] = xp.silence.run_apart(forward)
        return made[self]

    def number_at(self, i: int) -> float:
        """The number of one element."""
        raw = self.numbers()
        key: Any = i if raw.ndim == 1 else unravel(i, raw.shape)
        return float(self.backend.silence.plain.index(raw, key))

    def numbers_at(self, places: Places) -> Sequence[float]:
        """The numbers of these elements."""
        raw = self.numbers()
        if raw is self.raw and 8 * len(places) < raw.size:  # the whole need not become a list
            return [self.number_at(i) for i in places]
        flat = self.backend.to_flat(raw)
        if places.__class__ is range:
            return flat[places.start : places.stop]
        return [flat[i] for i in places]

    def write_into(self, key: Any, new: Raw) -> None:
        """Set numbers in the buffer, which nobody else sees."""
        self.raw = self.backend.silence.plain.index_put_into(self.raw, key, new)
        if self.rule is None:
            self.out = self.raw
        self.version += 1

    def replace(self, raw: Raw) -> None:
        """Other numbers for a leaf; what was recorded before keeps those it was made with."""
        self._show()
        self.raw = raw
        self.version += 1

    def gradient(self) -> Raw:
        """The gradient, zeros if there is none."""
        HOOKS.gradients_used()
        return self.backend.zeros_like(self.raw) if self.grad is None else self.grad

    def grad_at(self, i: int) -> float:
        """The gradient of element `i`.

        Raises:
            GraphError: it is not kept.
        """
        HOOKS.gradients_used()
        if self.let_go:
            raise GraphError(f"grad: {self.let_go.format(self.name)}")
        if self.grad is None:
            return 0.0
        return float(self.backend.index(self.backend.reshape(self.grad, (-1,)), i))

    def set_grad_at(self, i: int, number: float) -> None:
        """Set the gradient of element `i`."""
        self._show()
        if self.grad is None and number == 0.0:
            return
        self.grad = put_at(self.backend, self.gradient(), i, number)


def _hidden_operands(node: ArrayNode) -> list[ArrayNode]:
    return [p for p in node.operands if isinstance(p, ArrayNode) and p.let_go]


def wholly(write: Callable[..., None], *args: Any) -> None:
    """write(*args), once more if an interrupt comes: array and elements have the same numbers."""
    try:
        write(*args)
    except BaseException:
        write(*args)
        raise


new_node: Final[Callable[[type[ArrayNode]], ArrayNode]] = ArrayNode.__new__
init_node: Final = ArrayNode.__init__


def cast(xp: Backend, c: Raw, like: Raw) -> Raw:
    """A cotangent or a tangent in the dtype of the numbers that it belongs to."""
    return c if c.dtype == like.dtype else xp.astype(c, like.dtype)
