"""Applying ops and rules to arrays: operands in, an array over a node of the graph out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.array_base import ArrayBase
from smolml_array._graph.gradients import Gradients
from smolml_array._graph.hooks import HOOKS
from smolml_array._graph.mixing import common, node_on
from smolml_array._graph.node import NO_PARAMS
from smolml_array._graph.rule import OWN_OPS, Rule, call_plugin, is_own
from smolml_array._shapes.axes import _broadcast_shapes
from smolml_array._shapes.sizes import in_words
from smolml_array.backends.signatures import Raw
from smolml_array.convert import in_graph, is_array_like, is_floating, to_raw
from smolml_value import OpError, Value, grad_enabled, table
from smolml_value.extending import Node, Op, OperandBase, as_float, is_number

if TYPE_CHECKING:
    from smolml_array.backends.protocol import Backend

INT64: Final = range(-(2**63), 2**63)

# The backend, per operand its node if gradients flow there, whether any does, and all numbers.
Operands: TypeAlias = "tuple[Backend, list[Node | None], bool, list[Raw]]"


class Applying(Gradients):
    """An array that ops and rules can be applied to."""

    __slots__ = ()
    _rank = 2  # above Value: where both are operands, arrays apply the op
    _takes_arrays = True

    @staticmethod
    def _backend_of(who: str, args: Sequence[object]) -> Backend:
        """The one backend of all arrays among these.

        Raises:
            ValueError: arrays of different backends.
        """
        xp: Backend | None = None
        for arg in args:
            if isinstance(arg, ArrayBase):
                xp = common(who, xp, arg._current_node().backend)
        assert xp is not None
        return xp

    @classmethod
    def _lifted(cls, arg: object, xp: Backend) -> Self | Value:
        """A constant: a Value for a number, which leaves float32 arrays what they are."""
        if is_number(arg):
            return Value(arg)  # type: ignore[arg-type]  # Value takes every real number
        made = cls._from_data(arg, xp)
        return made if in_graph(arg) else made.detach()

    @classmethod
    def _operands(  # type: ignore[override]  # no node
        cls, who: str, args: Sequence[object], as_arrays: bool = False
    ) -> Operands:
        """The backend, per operand its node if gradients flow there, whether any does, numbers.

        With `as_arrays` Python's numbers become raw arrays of float64.

        Raises:
            ValueError: arrays of different backends.
            TypeError: something that is not numbers.
        """
        xp = cls._backend_of(who, args)
        nodes: list[Node | None] = []
        primals: list[Raw] = []
        for arg in args:
            if in_graph(arg):
                arg = cls._from_data(arg, xp)
            node: Node | None = None
            primal: Raw = arg
            if isinstance(arg, Value) and xp.adopts is None:
                node, primal = arg, arg._data
            elif isinstance(arg, OperandBase):
                own = node_on(xp, arg)
                node, primal = own if own.tracked else None, own.raw
            elif type(arg) is int and arg not in INT64:
                primal = as_float(arg, who)  # it fits in no integer type
            elif type(arg) not in (int, float):
                primal = to_raw(xp, arg, who, copy=True)  # its owner may write to it later
            if as_arrays and primal.__class__ in (float, int):
                primal = xp.asarray(primal, dtype=xp.float64)
            nodes.append(node)
            primals.append(primal)
        return xp, nodes, any(node is not None for node in nodes), primals

    @classmethod
    def _apply(
        cls, rule: Any, args: Sequence[object], params: Mapping[str, Any] = NO_PARAMS
    ) -> Any:
        """The array that a rule makes of arrays, Values and numbers; or an op, by elements.

        Raises:
            ShapeError: the shapes do not go together; names the axes.
            MemoryError: the result does not fit in memory.
        """
        is_rule = rule.__class__ is Rule
        if not (is_rule or rule in OWN_OPS or is_own(rule)):
            return cls._apply_plugin(rule, args)
        xp: Any = None
        tracked = False
        nodes: list[Node | None] = []
        primals: list[Raw] = []
        for arg in args:  # most are arrays
            if isinstance(arg, ArrayBase):
                node = arg._current_node() if arg._node.is_live else arg._node
                if node.backend is not xp and xp is not None:
                    break
                xp = node.backend
                primals.append(node.raw)
                nodes.append(node if node.tracked else None)
                tracked = tracked or node.tracked
            elif not is_rule and (
                arg.__class__ is float or (arg.__class__ is int and arg in INT64)
            ):
                nodes.append(None)
                primals.append(arg)
            else:
                break
        if len(primals) != len(args) or HOOKS.on_read is not None:
            xp, nodes, tracked, primals = cls._operands(rule.name, args, is_rule)
        silence, plain = xp.silence, xp.silence.plain
        try:
            if is_rule and rule.function:
                out = silence.new().run(getattr(plain, rule.function), *primals, **params)
            else:
                out = silence.new().run(rule.forward, plain, *primals, **params)
        except ValueError:
            if not is_rule:
                _broadcast_shapes(*(getattr(p, "shape", ()) for p in primals), who=rule.name)
            raise
        except MemoryError as error:
            raise error if type(error) is MemoryError else in_words(rule.name, error) from None
        if not out.ndim:  # NumPy's operators make scalars of 0-d arrays
            out = silence.as_array(out)
        return cls._constant(xp, out, tracked, rule, nodes, primals, params)

    @classmethod
    def _apply_plugin(cls, op: Op, args: Sequence[object]) -> Any:
        """The same for an op that is not in our table: a plugin may do anything.

        Raises:
            OpError: a forward whose result does not have the shape of the operands.
        """
        if op.is_composite and grad_enabled():
            xp = cls._backend_of(op.name, args)
            assert HOOKS.traced is not None  # the package has set it
            # the author's formula may use any operator: on lists and numbers these differ
            lifted = [a if isinstance(a, ArrayBase | Value) else cls._lifted(a, xp) for a in args]
            own = next(a._node.backend for a in args if isinstance(a, ArrayBase))
            return op.forward(HOOKS.traced(own.name), *lifted)
        xp, nodes, tracked, primals = cls._operands(op.name, args)
        primals = _beside_floats(xp, primals)
        shapes = [getattr(p, "shape", ()) for p in primals]
        try:
            out = call_plugin(xp, op.forward, xp, *primals)
        except ValueError:
            _broadcast_shapes(*shapes, who=op.name)
            raise
        expected = _broadcast_shapes(*shapes, who=op.name)
        if getattr(out, "shape", None) != expected:
            raise OpError(
                f"{op.name}: its forward gave the shape {getattr(out, 'shape', None)} for "
                f"operands of shapes {shapes}; an element-wise op must give {expected}"
            )
        return cls._constant(xp, xp.asarray(out), tracked, op, nodes, primals)

    @classmethod
    def _rule(cls, rule: Rule, *args: object, **params: Any) -> Self:
        """The array that `rule` makes of arrays, Values and numbers."""
        return cls._apply(rule, args, params)  # type: ignore[no-any-return]

    def _compare(self, name: str, other: ArrayLike, turned: bool) -> Any:
        if not is_array_like(other):
            return NotImplemented
        xp, _, _, operands = self._operands(name, (other, self) if turned else (self, other))
        if name.startswith("bitwise_"):
            _check_bits(name, xp, *operands)
        return self._constant(xp, getattr(xp, name)(*operands))

    def __pos__(self) -> Self:
        """A copy, so that writing to it leaves x what it is."""
        if self._current_node().tracked:
            return self._apply(table.positive, (self,))  # type: ignore[no-any-return]
        return self.detach()

    def __invert__(self) -> Self:
        node = self._current_node()
        _check_bits("bitwise_invert", node.backend, node.raw)
        return self._constant(node.backend, node.backend.bitwise_invert(node.raw))


def _beside_floats(xp: Backend, primals: list[Raw]) -> list[Raw]:
    """Booleans and integers as floats where floats are beside them: a formula may negate them."""
    dtypes = [p.dtype for p in primals if hasattr(p, "dtype")]
    found = [dtype for dtype in dtypes if xp.isdtype(dtype, "real floating")]
    if len(found) == len(dtypes):
        return primals
    if not found:  # a number of Python's own, or of a Value, counts where no array is of floats
        if not any(p.__class__ is float for p in primals):
            return primals
        found = [xp.float64]
    return [
        xp.astype(p, xp.result_type(p.dtype, *found)) if hasattr(p, "dtype") else p for p in primals
    ]


def _check_bits(name: str, xp: Backend, *operands: Raw) -> None:
    """Raise for floats: `&` and its like are for the results of comparisons, and for integers."""
    for operand in operands:
        if is_floating(xp, xp.asarray(operand)):
            raise TypeError(
                f"{name}: expected booleans or integers, got floats; compare first, as in "
                f"(x > 0) & (x < 1), in parentheses"
            )
