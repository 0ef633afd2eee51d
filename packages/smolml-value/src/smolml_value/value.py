"""Value: a scalar that remembers how it was made and back-propagates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, overload

from smolml_value import graph, scalar
from smolml_value._ops.hand_made import given
from smolml_value._ops.number import as_float, is_number, refused
from smolml_value._ops.number_node import NumberNode
from smolml_value._runtime.build import COMPILED
from smolml_value._runtime.compat import Real, Text, mypyc_attr
from smolml_value.graph import CUT_OFF, Node, product
from smolml_value.node import BUILT_IN
from smolml_value.recording import MODE, grad_enabled, leave
from smolml_value.traced import TRACED

if TYPE_CHECKING:
    from smolml_value.op import Op

_UNSET: Final[Any] = object()

# Looked up once: the package has filled the table before. A dict is slow from compiled code.
_ABS: Final = BUILT_IN["abs"]
_ADD: Final = BUILT_IN["add"]
_DIVIDE: Final = BUILT_IN["divide"]
_EXP: Final = BUILT_IN["exp"]
_LOG: Final = BUILT_IN["log"]
_MULTIPLY: Final = BUILT_IN["multiply"]
_NEGATIVE: Final = BUILT_IN["negative"]
_POW: Final = BUILT_IN["pow"]
_RELU: Final = BUILT_IN["relu"]
_SUBTRACT: Final = BUILT_IN["subtract"]
_TANH: Final = BUILT_IN["tanh"]


@mypyc_attr(allow_interpreted_subclasses=True)
class Value(NumberNode):
    """A number that remembers how it was made, so that gradients can flow back through it.

    Arithmetic on Values, with numbers on either side, gives new Values that know their operation
    (`_op`) and their operands (`_prev`); `backward()` on the last of them fills in `grad`, the
    derivative of that last one, on all it depends on. Numbers follow IEEE 754: 1 / 0 is inf,
    log(-1) is nan, nothing raises.

    Two Values with equal data are equal (`Value(2.0) == 2.0`), but each is its own member of a
    set and key of a dict: the hash is that of the identity.

    After A. Karpathy's micrograd (https://github.com/karpathy/micrograd).

    It may be made by hand, as the lecture makes the results of its ops: of data, children and the
    symbol of the op, with a `_backward` that adds to the gradients of the children.

    Args:
        data: a real number; kept as a float.
        children: the Values that it was made from, if it was; or the label.
        op: what `_op` is, if it was made from others.
        label: a name to show in drawings and explanations.

    Raises:
        TypeError: data is not a real number, children are no Values, op or label is no str.
        ValueError: an op without children, or two labels.

    >>> a, b, c = Value(2.0), Value(3.0), Value(4.0)
    >>> y = a * b + c
    >>> y.backward()
    >>> y.data, a.grad, b.grad, c.grad
    (10.0, 3.0, 2.0, 1.0)
    """

    __slots__ = ("__weakref__",)
    _rank: ClassVar[int] = 1
    __array_ufunc__: ClassVar[Any]  # NumPy's functions of Values; the package sets it

    def __init__(
        self,
        data: Real,
        children: Iterable[Value] | Text = (),
        op: Text = "",
        label: Text = "",
    ) -> None:
        self._data = self._grad = self._dl = self._dr = 0.0
        self._lhs = self._rhs = self._made_by = None
        self._pending = 0
        if data is _UNSET:  # whoever made it says how
            return
        self._data = as_float(data, "Value")
        if children != () or op != "" or label != "":
            self._made_by = given(self, children, op, label)
            if MODE.special and self._made_by is not None:
                recorded(self)

    # Gradients ---------------------------------------------------------------------------------

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the grad of every leaf that self depends on; twice adds twice.

        Reverse-mode differentiation (Linnainmaa 1970): from self back to the leaves, each node
        hands its gradient times the local partials to its operands, in topological order.
        Raises GraphError if this was computed inside no_grad(), or cut off from its graph.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        graph.backward(self)

    # Applying ops ------------------------------------------------------------------------------

    @classmethod
    def _apply(cls, op: Op, args: Sequence[object]) -> Value:
        """The node that `op` makes of numbers and Values."""
        if op.is_composite and grad_enabled():
            # constants as Values too, so that Python's own 1 / c does not raise in the forward
            traced = [a if isinstance(a, Value) else Value(as_float(a, op.name)) for a in args]
            last = op.forward(TRACED, *traced)
            return last if isinstance(last, Value) else Value(last)
        numbers = [a._data if isinstance(a, Value) else as_float(a, op.name) for a in args]
        out = op.on_floats(numbers)
        if MODE.special and not grad_enabled():
            made = Value(out)
            made._dr = CUT_OFF
            if MODE.watched:
                MODE.watcher.computed(made, op, args)
            return made
        if op.vjp is None and len(args) == 1:
            d = op.scalar_partial(0, out, numbers)
            return make_node(op, out, args[0], None, d, 0.0)  # type: ignore[arg-type]  # one of the args is a Value
        if op.vjp is None and len(args) == 2:
            x, y = args
            left = x if isinstance(x, Value) else None
            right = y if isinstance(y, Value) else None
            dl = numbers[0] if left is None else op.scalar_partial(0, out, numbers)
            dr = numbers[1] if right is None else op.scalar_partial(1, out, numbers)
            return make_node(op, out, left, right, dl, dr)
        return NaryValue(out, op, args, numbers)

    # Written out beside the table for speed; a test says that both agree to the last bit. (Any, for
    # NotImplemented: compiled code keeps to what a method says; the overloads are what it does.)

    @overload
    def __add__(self, other: Value) -> Value: ...
    @overload
    def __add__(self, other: float) -> Value: ...
    def __add__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return make_node(_ADD, self._data + other._data, self, other, 1.0, 1.0)
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_ADD, self._data + c, self, None, 1.0, c)

    @overload
    def __radd__(self, other: Value) -> Value: ...
    @overload
    def __radd__(self, other: float) -> Value: ...
    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_ADD, c + self._data, None, self, c, 1.0)

    @overload
    def __sub__(self, other: Value) -> Value: ...
    @overload
    def __sub__(self, other: float) -> Value: ...
    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return make_node(_SUBTRACT, self._data - other._data, self, other, 1.0, -1.0)
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_SUBTRACT, self._data - c, self, None, 1.0, c)

    @overload
    def __rsub__(self, other: Value) -> Value: ...
    @overload
    def __rsub__(self, other: float) -> Value: ...
    def __rsub__(self, other: Any) -> Any:
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_SUBTRACT, c - self._data, None, self, c, -1.0)

    @overload
    def __mul__(self, other: Value) -> Value: ...
    @overload
    def __mul__(self, other: float) -> Value: ...
    def __mul__(self, other: Any) -> Any:
        x = self._data
        if isinstance(other, Value):
            y = other._data
            return make_node(_MULTIPLY, x * y, self, other, y, x)
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_MULTIPLY, x * c, self, None, c, c)

    @overload
    def __rmul__(self, other: Value) -> Value: ...
    @overload
    def __rmul__(self, other: float) -> Value: ...
    def __rmul__(self, other: Any) -> Any:
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        return make_node(_MULTIPLY, c * self._data, None, self, c, c)

    @overload
    def __truediv__(self, other: Value) -> Value: ...
    @overload
    def __truediv__(self, other: float) -> Value: ...
    def __truediv__(self, other: Any) -> Any:
        x = self._data
        if isinstance(other, Value):
            y = other._data
            if y == 0.0:
                return Value._apply(_DIVIDE, (self, other))
            q = x / y
            return make_node(_DIVIDE, q, self, other, 1.0 / y, -q / y)
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        if c == 0.0:
            return Value._apply(_DIVIDE, (self, c))
        return make_node(_DIVIDE, x / c, self, None, 1.0 / c, c)

    @overload
    def __rtruediv__(self, other: Value) -> Value: ...
    @overload
    def __rtruediv__(self, other: float) -> Value: ...
    def __rtruediv__(self, other: Any) -> Any:
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        c = other if type(other) is float else float(other)
        x = self._data
        if x == 0.0:
            return Value._apply(_DIVIDE, (c, self))
        q = c / x
        return make_node(_DIVIDE, q, None, self, c, -q / x)

    @overload
    def __pow__(self, other: Value) -> Value: ...
    @overload
    def __pow__(self, other: float) -> Value: ...
    def __pow__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return Value._apply(_POW, (self, other))
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        x = self._data
        c = other if type(other) is float else float(other)
        if c == 2.0:
            return make_node(_POW, x * x, self, None, 2.0 * x, c)
        slope = c * scalar.pow(x, c - 1.0)
        if slope != slope and c == 0.0:
            slope = 0.0
        return make_node(_POW, scalar.pow(x, c), self, None, slope, c)

    @overload
    def __rpow__(self, other: Value) -> Value: ...
    @overload
    def __rpow__(self, other: float) -> Value: ...
    def __rpow__(self, other: Any) -> Any:
        if not isinstance(other, float) and not is_number(other):
            return refused(other)
        return Value._apply(_POW, (float(other), self))

    def exp(self) -> Self:
        """e ** x."""
        e = scalar.exp(self._data)
        return make_node(_EXP, e, self, None, e, 0.0)  # type: ignore[return-value]  # see _apply

    def log(self) -> Self:
        """The natural logarithm; -inf at 0, nan below."""
        x = self._data
        if x <= 0.0:
            return Value._apply(_LOG, (self,))  # type: ignore[return-value]  # see _apply
        return make_node(_LOG, scalar.log(x), self, None, 1.0 / x, 0.0)  # type: ignore[return-value]

    def tanh(self) -> Self:
        """The hyperbolic tangent."""
        x = self._data
        s = 1.0 / scalar.cosh(x)
        return make_node(_TANH, scalar.tanh(x), self, None, s * s, 0.0)  # type: ignore[return-value]

    def relu(self) -> Self:
        """max(x, 0); derivative 0 at 0."""
        x = self._data
        if x > 0.0:
            return make_node(_RELU, x, self, None, 1.0, 0.0)  # type: ignore[return-value]
        return make_node(_RELU, 0.0 if x <= 0.0 else x, self, None, 0.0, 0.0)  # type: ignore[return-value]

    def __neg__(self) -> Value:
        return make_node(_NEGATIVE, -self._data, self, None, -1.0, 0.0)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return Value._apply(_ABS, (self,))

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is a leaf: a graph of a million nodes must not be pickled by recursion.
        leave(self)
        kind = Value if isinstance(self, NaryValue) else type(self)
        return (
            _restore,
            (kind, self._data, self.grad, self.label),
            getattr(self, "__dict__", None),
        )


_bare: Final = partial(object.__new__, Value)


def make_node(
    op: Op, out: float, left: Value | None, right: Value | None, dl: float, dr: float
) -> Value:
    """The node of a result. A constant is None: its number is kept in the partial's place."""
    # interpreted, to call a class takes as long as all of this
    made = Value(_UNSET) if COMPILED else _bare()
    made._data = out
    made._grad = 0.0
    made._lhs = left
    made._rhs = right
    made._dl = dl
    made._dr = dr
    made._made_by = op
    made._pending = 0
    if MODE.special:
        recorded(made)
    return made


def recorded(made: Value) -> None:
    """A node is made in one of the special modes: it is reported, and in no_grad() cut off."""
    if MODE.watched:
        MODE.watcher.made(made)
    if not grad_enabled():
        made._made_by = made._lhs = made._rhs = None
        made._dr = CUT_OFF


def _restore(kind: type[Value], data: float, grad: float, label: str) -> Value:
    made = kind.__new__(kind)  # a subclass may take other arguments
    Value.__init__(made, data, (), "", label)
    made._grad = grad
    return made


@mypyc_attr(allow_interpreted_subclasses=True)
class NaryValue(Value):
    """A Value made by an op of more than two operands, or by one with a vjp of its own."""

    __slots__ = ("_args", "_numbers")
    _args: tuple[object, ...]
    _numbers: list[float]

    def __init__(self, out: float, op: Op, args: Sequence[object], numbers: list[float]) -> None:
        super().__init__(out)
        self._args = tuple(args)
        self._numbers = [*numbers, out]  # computed with: Values may be changed before backward
        self._made_by = op
        if MODE.special:
            recorded(self)

    def _parents(self) -> Sequence[Node]:
        return [a for a in self._args if isinstance(a, Value)]

    def _operands(self) -> Sequence[Any]:
        pairs = zip(self._args, self._numbers)  # noqa: B905  # the numbers end with the result
        return [a if isinstance(a, Value) else x for a, x in pairs]

    def _edges(self) -> Sequence[tuple[Value, float]]:
        op: Any = self._made_by
        *numbers, out = self._numbers
        places = [(i, a) for i, a in enumerate(self._args) if isinstance(a, Value)]
        if op.vjp is None:
            return [(a, op.scalar_partial(i, out, numbers)) for i, a in places]
        partials = op.scalar_vjp(1.0, out, numbers)
        return [(a, partials[i]) for i, a in places]

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        op: Any = self._made_by
        if g == 0.0:
            return [0.0] * len(self._parents())
        if op.vjp is None:
            return [product(g, partial) for _, partial in self._edges()]
        *numbers, out = self._numbers
        parts = op.scalar_vjp(g, out, numbers)  # finite at extremes where g x partial is not
        return [c for c, a in zip(parts, self._args) if isinstance(a, Value)]  # noqa: B905

    def _push(self) -> None:
        for parent, c in zip(self._parents(), self._cotangents(self._grad)):  # noqa: B905
            parent._receive(c)
