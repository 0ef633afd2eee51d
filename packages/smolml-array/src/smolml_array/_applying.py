"""Applying ops and rules to arrays: operands in, a node of the graph out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from smolml_array._anomaly import watch_result
from smolml_array._arithmetic import ArrayLike
from smolml_array._convert import holds, is_array_like, is_floating, to_raw
from smolml_array._handle import Handle
from smolml_array._node import NO_PARAMS, ArrayNode, record
from smolml_array._rule import OWN_OPS, Rule, is_own
from smolml_array._shape import _broadcast_shapes
from smolml_array.backends.protocol import Backend, Raw
from smolml_value import Op, OpError, Value, grad_enabled
from smolml_value._graph import Node
from smolml_value._mode import MODE
from smolml_value._number import as_float, is_number
from smolml_value._op import TracedNamespace

_LARGE: Final = 2**63
NOTHING: Final = (None,)

# The backend, per operand its node if gradients flow there, these nodes, and all numbers.
Operands = tuple[Backend, Sequence[Node | None], Sequence[Node], Sequence[Raw]]


class Applying(Handle):
    """A handle that ops and rules can be applied to."""

    __slots__ = ()
    _rank = 2  # above Value: where both are operands, arrays apply the op

    @staticmethod
    def _backend_of(who: str, args: Sequence[object]) -> Backend:
        """The one backend of all arrays among these.

        Raises:
            ValueError: arrays of different backends.
        """
        xp: Backend | None = None
        for arg in args:
            if isinstance(arg, Handle):
                own = arg._node.backend
                if xp is None:
                    xp = own
                elif own is not xp:
                    raise ValueError(
                        f"{who}: one operand lives on the backend {xp.name!r}, another on "
                        f"{own.name!r}; move one with x.to_backend({xp.name!r})"
                    )
        assert xp is not None
        return xp

    @classmethod
    def _lifted(cls, arg: object, xp: Backend) -> Self | Value:
        """A constant: a Value for a number, which leaves float32 arrays what they are."""
        if is_number(arg):
            return Value(arg)  # type: ignore[arg-type]  # Value takes every real number
        made = cls._made(arg, xp)
        is_constant = not isinstance(arg, list | tuple) or not (
            holds(arg, Handle) or holds(arg, Value)
        )
        return made.detach() if is_constant else made

    @staticmethod
    def _plain(args: Sequence[object]) -> Operands | None:
        """`_operands` of one or two arrays that are no windows and have no data set: most are."""
        left = args[0]
        if not isinstance(left, Handle) or left._view is not None:
            return None
        a = left._node
        if a.writes is not None:
            return None
        if len(args) == 1:
            one = (a,) if a.tracked else ()
            return a.backend, one or NOTHING, one, (a.raw,)
        right = args[1]
        if len(args) != 2 or not isinstance(right, Handle) or right._view is not None:
            return None
        b = right._node
        if b.writes is not None or b.backend is not a.backend:
            return None
        primals = (a.raw, b.raw)
        if a.tracked:
            if b.tracked:
                both = (a, b)
                return a.backend, both, both, primals
            return a.backend, (a, None), (a,), primals
        if b.tracked:
            return a.backend, (None, b), (b,), primals
        return a.backend, (None, None), (), primals

    @classmethod
    def _operands(cls, who: str, args: Sequence[object]) -> Operands:
        """The backend, per operand its node if gradients flow there, these, and all numbers.

        Raises:
            ValueError: arrays of different backends.
            TypeError: something that is not numbers.
        """
        xp: Backend | None = None
        nodes: list[Node | None] = []
        edges: list[Node] = []
        primals: list[Raw] = []
        for arg in args:
            if isinstance(arg, Handle):
                node = arg._node
                if arg._view is not None or node.writes is not None:
                    node = arg._fetch()
                if node.backend is not xp:
                    xp = cls._backend_of(who, args) if xp is not None else node.backend
                primals.append(node.raw)
                if node.tracked:
                    nodes.append(node)
                    edges.append(node)
                else:
                    nodes.append(None)
            elif arg.__class__ is float:
                nodes.append(None)
                primals.append(arg)
            elif isinstance(arg, Value):
                nodes.append(arg)
                edges.append(arg)
                primals.append(arg._data)
            elif isinstance(arg, (list, tuple)) and (holds(arg, Handle) or holds(arg, Value)):
                made = cls._made(arg, cls._backend_of(who, args))._fetch()
                nodes.append(made if made.tracked else None)
                edges += [made] if made.tracked else []
                primals.append(made.raw)
            else:
                nodes.append(None)
                primals.append(cls._numbers(who, arg, args))
        assert xp is not None
        return xp, nodes, edges, primals

    @classmethod
    def _numbers(cls, who: str, arg: object, args: Sequence[object]) -> Raw:
        """What is no node, as numbers that ops take."""
        if type(arg) is int:  # one that fits in no integer type fits in a float
            return arg if -_LARGE <= arg < _LARGE else as_float(arg, who)
        # a copy: its owner may write to it later
        return to_raw(cls._backend_of(who, args), arg, who, copy=True)

    @classmethod
    def _traced(cls, args: Sequence[object]) -> TracedNamespace:
        """The traced namespace of the backend that these operands live on."""
        from smolml_array._traced import traced  # its functions are methods of MLArray

        return traced(next(a._node.backend.name for a in args if isinstance(a, Handle)))

    @classmethod
    def _element_wise_operation(cls, op: Op, args: Sequence[object]) -> Any:
        """The array that `op` makes, element by element, of operands that broadcast.

        Raises:
            ShapeError: the shapes do not broadcast; names the axes.
            OpError: a forward whose result does not have the shape of the operands.
        """
        if op.partials is None and op.vjp is None and grad_enabled():  # a composite
            xp = cls._backend_of(op.name, args)
            # the author's formula may use any operator: on lists and numbers these differ
            lifted = [a if isinstance(a, Handle | Value) else cls._lifted(a, xp) for a in args]
            return op.forward(cls._traced(args), *lifted)
        xp, nodes, edges, primals = cls._plain(args) or cls._operands(op.name, args)
        try:
            if op in OWN_OPS or is_own(op):
                out = xp.run_rule(op.forward, xp.unguarded, *primals)
            else:  # a plugin may do anything
                out = xp.quietly(op.forward, xp, *primals)
                _check_result(op, out, primals)
        except RuntimeError:  # busy; or it raises again
            out = xp.quietly(op.forward, xp, *primals)
        except ValueError:
            _broadcast_shapes(*(getattr(p, "shape", ()) for p in primals), who=op.name)
            raise
        if out.__class__ is not xp.array_type:  # NumPy's operators make scalars of 0-d arrays
            out = xp.asarray(out)
        if MODE.off:
            if MODE.watched:
                watch_result(op, xp, nodes, primals, out)
            if not grad_enabled():
                edges = ()
        made = cls.__new__(cls)
        if edges:
            made._node = ArrayNode(xp, out, True, op, nodes, primals, NO_PARAMS, edges)
        else:
            made._node = ArrayNode(xp, out, False)
        made._view = made._elements = None
        return made

    @classmethod
    def _rule(cls, rule: Rule, *args: object, **params: Any) -> Self:
        """The array that `rule` makes of arrays, Values and numbers."""
        plain = cls._plain(args)
        if plain is None:
            xp, nodes, edges, primals = cls._operands(rule.name, args)
            primals = [
                p if p.__class__ is xp.array_type else xp.asarray(p, dtype=xp.float64)
                for p in primals
            ]
        else:
            xp, nodes, edges, primals = plain
        return cls._of(record(xp, rule, nodes, edges, primals, params))

    @classmethod
    def _apply(cls, op: Op, args: Sequence[object]) -> Any:
        return cls._element_wise_operation(op, args)

    def _operate(self, op: Op, *operands: object) -> Any:
        for other in operands:
            if (
                not isinstance(other, Handle)
                and other.__class__ is not float
                and not is_array_like(other)
            ):
                return NotImplemented
        return self._element_wise_operation(op, operands)

    def _compare(self, name: str, other: ArrayLike) -> Any:
        if not is_array_like(other):
            return NotImplemented
        xp, _, _, (left, right) = self._operands(name, (self, other))
        if name.startswith("bitwise_"):
            _check_bits(name, xp, left, right)
        try:
            return self._constant(xp, getattr(xp, name)(left, right))
        except ValueError:
            _broadcast_shapes(left.shape, getattr(right, "shape", ()), who=name)
            raise

    def __invert__(self) -> Self:
        node = self._fetch()
        _check_bits("bitwise_invert", node.backend, node.raw)
        return self._constant(node.backend, node.backend.bitwise_invert(node.raw))


def _check_result(op: Op, out: Raw, primals: Sequence[Raw]) -> None:
    """Raise if the forward of an element-wise op gave another shape than its operands have."""
    shapes = [getattr(p, "shape", ()) for p in primals]
    expected = _broadcast_shapes(*shapes, who=op.name)
    if getattr(out, "shape", None) != expected:
        raise OpError(
            f"{op.name}: its forward gave the shape {getattr(out, 'shape', None)} for "
            f"operands of shapes {shapes}; an element-wise op must give {expected}"
        )


def _check_bits(name: str, xp: Backend, *operands: Raw) -> None:
    """Raise for floats: `&` and its like are for the results of comparisons, and for integers."""
    for operand in operands:
        if is_floating(xp, xp.asarray(operand)):
            raise TypeError(
                f"{name}: expected booleans or integers, got floats; compare first, as in "
                f"(x > 0) & (x < 1), in parentheses"
            )
