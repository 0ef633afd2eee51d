"""Value: a scalar that remembers how it was made and back-propagates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self

from smolml_value import _graph, scalar, table
from smolml_value._compat import mypyc_attr
from smolml_value._graph import Node, ScalarNode, product
from smolml_value._mode import MODE, grad_enabled
from smolml_value._number import as_float, is_number
from smolml_value._op import Op
from smolml_value.traced import TRACED

# Looked up once; an attribute of a module is slow to reach from compiled code.
_ADD: Final = table.add
_DIVIDE: Final = table.divide
_EXP: Final = table.exp
_LOG: Final = table.log
_MULTIPLY: Final = table.multiply
_NEGATIVE: Final = table.negative
_POW: Final = table.pow
_RELU: Final = table.relu
_SUBTRACT: Final = table.subtract
_TANH: Final = table.tanh


@mypyc_attr(allow_interpreted_subclasses=True)
class Value(ScalarNode):
    """A number that remembers how it was made, so that gradients can flow back through it.

    Arithmetic on Values, with numbers on either side, gives new Values that know their operation
    (`_op`) and their operands (`_prev`); `backward()` on the last of them fills in `grad`, the
    derivative of that last one, on all it depends on. Numbers follow IEEE 754: 1 / 0 is inf,
    log(-1) is nan, nothing raises.

    Two Values with equal data are equal (`Value(2.0) == 2.0`), but each is its own member of a
    set and key of a dict: the hash is that of the identity.

    After A. Karpathy's micrograd (https://github.com/karpathy/micrograd).

    Args:
        data: a real number; kept as a float.
        label: a name to show in drawings and explanations.

    Raises:
        TypeError: data is not a real number.

    >>> a, b, c = Value(2.0), Value(3.0), Value(4.0)
    >>> y = a * b + c
    >>> y.backward()
    >>> y.data, a.grad, b.grad, c.grad
    (10.0, 3.0, 2.0, 1.0)
    """

    __slots__ = ("__weakref__", "label")
    _rank: ClassVar[int] = 1
    __array_ufunc__: ClassVar[None] = None  # NumPy's scalars and arrays leave the arithmetic to us
    label: str

    def __init__(
        self,
        data: float,
        label: str = "",
        _lhs: Value | None = None,
        _rhs: Value | None = None,
        _dl: float = 0.0,
        _dr: float = 0.0,
        _made_by: Op | None = None,
    ) -> None:
        # The arguments with an underscore are ours: how the node was made (see ScalarNode).
        if _made_by is None:
            if not isinstance(label, str):
                raise TypeError(f"Value: label must be a str, got {type(label).__name__}")
            data = as_float(data, "Value")
        elif MODE.off and not grad_enabled():
            _made_by = _lhs = _rhs = None
        self._data = data
        self._grad = 0.0
        self._lhs = _lhs
        self._rhs = _rhs
        self._dl = _dl
        self._dr = _dr
        self._made_by = _made_by
        self._epoch = 0
        self._pending = 0
        self.label = label

    # What it holds -----------------------------------------------------------------------------

    @property
    def data(self) -> float:
        """The number. Setting it is seen by what is computed from then on."""
        return self._data

    @data.setter
    def data(self, new: float) -> None:
        self._data = as_float(new, "Value.data")

    @property
    def grad(self) -> float:
        """d(output)/d(self), output being what `backward` was called on; 0 before that.

        Leaves sum up the gradients of all passes; other nodes hold that of the last pass.
        """
        return self._grad

    @grad.setter
    def grad(self, new: float) -> None:
        self._grad = as_float(new, "Value.grad")

    @property
    def _op(self) -> str:
        """The symbol of the op that made it ("+", "*", "tanh"), "" for a leaf."""
        made_by = self._made_by
        return made_by.symbol if isinstance(made_by, Op) else ""

    @property
    def _children(self) -> tuple[Node, ...]:
        """The nodes it was made from, in order; constants are left out."""
        return tuple(self._parents())

    @property
    def _prev(self) -> set[Node]:
        """The set of nodes it was made from; constants are left out."""
        return set(self._parents())

    # Gradients ---------------------------------------------------------------------------------

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the grad of every leaf that self depends on.

        Reverse-mode differentiation (Linnainmaa 1970): from self back to the leaves, each node
        hands its gradient times the local partials to its operands, in topological order.
        Calling it twice adds exactly twice to the leaves.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        _graph.backward(self)

    def _backward(self) -> None:
        """One step of the chain rule: add own grad x local partial to the grad of each operand."""
        g = self.grad
        left, right = self._lhs, self._rhs
        if isinstance(left, Value):
            left.grad += product(g, self._dl)
        if isinstance(right, Value):
            right.grad += product(g, self._dr)

    # Applying ops ------------------------------------------------------------------------------

    @classmethod
    def _apply(cls, op: Op, args: Sequence[object]) -> Value:
        """The node that `op` makes of numbers and Values."""
        if op.is_composite and (MODE.off == 0 or grad_enabled()):
            # constants as Values too, so that Python's own 1 / c does not raise in the forward
            traced = [a if isinstance(a, Value) else Value(as_float(a, op.name)) for a in args]
            made = op.forward(TRACED, *traced)
            return made if isinstance(made, Value) else Value(made)
        numbers = [a._data if isinstance(a, Value) else as_float(a, op.name) for a in args]
        out = op.on_floats(numbers)
        if MODE.off and not grad_enabled():
            return Value(out)
        if op.vjp is None and len(args) == 1:
            return Value(out, "", args[0], None, op.scalar_partial(0, out, numbers), 0.0, op)  # type: ignore[arg-type]  # one of the args is a Value
        if op.vjp is None and len(args) == 2:
            left, right = args
            if not isinstance(right, Value):
                dl = op.scalar_partial(0, out, numbers)
                return Value(out, "", left, None, dl, numbers[1], op)  # type: ignore[arg-type]  # as above
            dr = op.scalar_partial(1, out, numbers)
            if not isinstance(left, Value):
                return Value(out, "", None, right, numbers[0], dr, op)
            return Value(out, "", left, right, op.scalar_partial(0, out, numbers), dr, op)
        return NaryValue(out, op, args, numbers)

    # Written out beside the table for speed; a test says that both agree to the last bit. A
    # constant has no partial: its number is kept in the partial's place.

    def __add__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return Value(self._data + other._data, "", self, other, 1.0, 1.0, _ADD)
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(self._data + c, "", self, None, 1.0, c, _ADD)

    def __radd__(self, other: Value | float) -> Value:
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(c + self._data, "", None, self, c, 1.0, _ADD)

    def __sub__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return Value(self._data - other._data, "", self, other, 1.0, -1.0, _SUBTRACT)
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(self._data - c, "", self, None, 1.0, c, _SUBTRACT)

    def __rsub__(self, other: Value | float) -> Value:
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(c - self._data, "", None, self, c, -1.0, _SUBTRACT)

    def __mul__(self, other: Value | float) -> Value:
        x = self._data
        if isinstance(other, Value):
            y = other._data
            return Value(x * y, "", self, other, y, x, _MULTIPLY)
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(x * c, "", self, None, c, c, _MULTIPLY)

    def __rmul__(self, other: Value | float) -> Value:
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        return Value(c * self._data, "", None, self, c, c, _MULTIPLY)

    def __truediv__(self, other: Value | float) -> Value:
        x = self._data
        if isinstance(other, Value):
            y = other._data
            if y == 0.0:
                return Value._apply(_DIVIDE, (self, other))
            q = x / y
            return Value(q, "", self, other, 1.0 / y, -q / y, _DIVIDE)
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        if c == 0.0:
            return Value._apply(_DIVIDE, (self, c))
        return Value(x / c, "", self, None, 1.0 / c, c, _DIVIDE)

    def __rtruediv__(self, other: Value | float) -> Value:
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        c = float(other)
        x = self._data
        if x == 0.0:
            return Value._apply(_DIVIDE, (c, self))
        q = c / x
        return Value(q, "", None, self, c, -q / x, _DIVIDE)

    def __pow__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return Value._apply(_POW, (self, other))
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        x = self._data
        c = float(other)
        if c == 2.0:
            return Value(x * x, "", self, None, 2.0 * x, c, _POW)
        slope = c * scalar.pow(x, c - 1.0) if c != 0.0 else 0.0
        return Value(scalar.pow(x, c), "", self, None, slope, c, _POW)

    def __rpow__(self, other: Value | float) -> Value:
        if not isinstance(other, float) and not is_number(other):
            return NotImplemented
        return Value._apply(_POW, (float(other), self))

    def exp(self) -> Self:
        """e ** x."""
        e = scalar.exp(self._data)
        return Value(e, "", self, None, e, 0.0, _EXP)  # type: ignore[return-value]  # see _apply

    def log(self) -> Self:
        """The natural logarithm; -inf at 0, nan below."""
        x = self._data
        if x <= 0.0:
            return Value._apply(_LOG, (self,))  # type: ignore[return-value]  # see _apply
        return Value(scalar.log(x), "", self, None, 1.0 / x, 0.0, _LOG)  # type: ignore[return-value]

    def tanh(self) -> Self:
        """The hyperbolic tangent."""
        t = scalar.tanh(self._data)
        return Value(t, "", self, None, 1.0 - t * t, 0.0, _TANH)  # type: ignore[return-value]

    def relu(self) -> Self:
        """max(x, 0); derivative 0 at 0."""
        x = self._data
        if x > 0.0:
            return Value(x, "", self, None, 1.0, 0.0, _RELU)  # type: ignore[return-value]
        return Value(0.0 if x <= 0.0 else x, "", self, None, 0.0, 0.0, _RELU)  # type: ignore[return-value]

    def __neg__(self) -> Value:
        return Value(-self._data, "", self, None, -1.0, 0.0, _NEGATIVE)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return Value._apply(table.abs, (self,))

    # Comparing: by data; hashing: by identity --------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Value):
            return self._data == other._data
        return bool(self._data == other) if is_number(other) else NotImplemented

    def __lt__(self, other: Value | float) -> bool:
        if isinstance(other, Value):
            return self._data < other._data
        return bool(self._data < other) if is_number(other) else NotImplemented

    def __le__(self, other: Value | float) -> bool:
        if isinstance(other, Value):
            return self._data <= other._data
        return bool(self._data <= other) if is_number(other) else NotImplemented

    def __gt__(self, other: Value | float) -> bool:
        if isinstance(other, Value):
            return self._data > other._data
        return bool(self._data > other) if is_number(other) else NotImplemented

    def __ge__(self, other: Value | float) -> bool:
        if isinstance(other, Value):
            return self._data >= other._data
        return bool(self._data >= other) if is_number(other) else NotImplemented

    def __hash__(self) -> int:
        return id(self) >> 4  # objects lie 16 bytes apart

    # As a number -------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return self._data != 0.0

    def __float__(self) -> float:
        return self._data

    def __int__(self) -> int:
        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._data, digits)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self.grad}{label})"

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is a leaf: a graph of a million nodes must not be pickled by recursion.
        kind = Value if isinstance(self, NaryValue) else type(self)
        return _restore, (kind, self._data, self.grad, self.label), getattr(self, "__dict__", None)


def _restore(kind: type[Value], data: float, grad: float, label: str) -> Value:
    made = kind.__new__(kind)  # a subclass may take other arguments
    Value.__init__(made, data, label)
    made._grad = grad
    return made


@mypyc_attr(allow_interpreted_subclasses=True)
class NaryValue(Value):
    """A Value made by an op of more than two operands, or by one with a vjp of its own."""

    __slots__ = ("_args", "_numbers")
    _args: tuple[object, ...]
    _numbers: list[float]

    def __init__(self, out: float, op: Op, args: Sequence[object], numbers: list[float]) -> None:
        super().__init__(out, "", None, None, 0.0, 0.0, op)
        self._args = tuple(args)
        # what was computed with, and later with: Values may be changed before backward
        self._numbers = [*numbers, out]

    def _parents(self) -> Sequence[Node]:
        return [a for a in self._args if isinstance(a, Value)]

    def _cotangents(self, g: float) -> list[tuple[Value, float]]:
        """Each operand that is a Value with its part of the cotangent g."""
        op = self._made_by
        assert isinstance(op, Op)
        *numbers, out = self._numbers
        if op.vjp is not None:
            parts = op.scalar_vjp(g, out, numbers)
            return [(a, parts[i]) for i, a in enumerate(self._args) if isinstance(a, Value)]
        assert op.partials is not None
        return [
            (a, product(g, op.scalar_partial(i, out, numbers)))
            for i, a in enumerate(self._args)
            if isinstance(a, Value) and op.partials[i] is not None
        ]

    def _push(self) -> None:
        if self._grad != 0.0:
            for operand, cotangent in self._cotangents(self._grad):
                operand._grad += cotangent

    def _backward(self) -> None:
        if self.grad != 0.0:
            for operand, cotangent in self._cotangents(self.grad):
                operand.grad += cotangent
