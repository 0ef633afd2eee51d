"""NumberNode: a node seen from outside: what made it, what it holds, how it acts as a number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Self

from smolml_value._ops.hand_made import Backward, HandMade, added
from smolml_value._ops.number import as_float, is_number
from smolml_value._runtime.compat import Real, mypyc_attr
from smolml_value._runtime.labels import label_of, set_label
from smolml_value.errors import GraphError
from smolml_value.graph import ScalarNode, product
from smolml_value.node import Node
from smolml_value.recording import grad_enabled, leave


def _compare(compare: Callable[[Any, Any], Any], x: float, other: object) -> Any:
    """x against a number of any kind: a Fraction, say, is compared exactly."""
    return bool(compare(x, other)) if is_number(other) else NotImplemented


@mypyc_attr(allow_interpreted_subclasses=True)
class NumberNode(ScalarNode):
    """A ScalarNode that compares by its number, hashes by identity and converts like a float."""

    __slots__ = ()

    # How it was made ---------------------------------------------------------------------------

    @property
    def _op(self) -> str:
        """The symbol of the op that made it ("+", "*", "tanh"), "" for a leaf."""
        symbol: str = getattr(self._made_by, "symbol", "")
        return symbol

    @property
    def _children(self) -> tuple[Self, ...]:
        """The Values it was made from, in order; constants are left out."""
        return tuple(self._parents())  # type: ignore[arg-type]  # else it is of another class

    @property
    def _prev(self) -> set[Self]:
        """The set of Values it was made from; constants are left out. Of a leaf it is empty."""
        return set(self._children)

    def _parents(self) -> Sequence[Node]:
        made = self._made_by
        return made.children if isinstance(made, HandMade) else super()._parents()

    def _operands(self) -> Sequence[Any]:
        op: Any = self._made_by
        if self._lhs is None and self._rhs is None:
            return self._parents()
        left: Any = self._dl if self._lhs is None else self._lhs
        right: Any = self._dr if self._rhs is None else self._rhs
        return (left,) if op.arity == 1 else (left, right)

    # Going back ----------------------------------------------------------------------------------

    @property
    def _backward(self) -> Backward:
        """One step of the chain rule: add own grad x local partial to the grad of each operand.

        Of a Value that was given children it is to be set: a function without arguments. Inside
        no_grad() nothing is recorded, and none is kept.

        >>> from smolml_value import Value
        >>> x = Value(3.0)
        >>> out = Value(x.data**2, (x,), "square")
        >>> def step():
        ...     x.grad += 2 * x.data * out.grad
        >>> out._backward = step
        >>> (5 * out).backward()
        >>> x.grad
        30.0
        """
        made = self._made_by
        return (made.backward or made.step) if isinstance(made, HandMade) else self._step

    @_backward.setter
    def _backward(self, new: Backward) -> None:
        made = self._made_by
        if isinstance(made, HandMade):
            made.backward = new
        elif made is not None or grad_enabled():
            raise GraphError(
                "_backward: only a Value given its children takes one, Value(data, (x, y), 'op')"
            )

    def _step(self) -> None:
        for parent, c in zip(self._parents(), self._cotangents(self.grad)):  # noqa: B905
            parent._add_to_grad(c)

    def _add_to_grad(self, c: Any) -> None:
        seen: Any = self  # `grad` may be a property of a subclass
        seen.grad = seen.grad + c

    def _edges(self) -> Sequence[tuple[Any, float]]:
        """Each parent with the partial to it, as it was recorded."""
        made = self._made_by
        if isinstance(made, HandMade):
            return list(zip(made.children, added(self, made.children, made.step)))  # noqa: B905
        both: Any = ((self._lhs, self._dl), (self._rhs, self._dr))
        return [(parent, partial) for parent, partial in both if parent is not None]

    def _cotangents(self, g: Any, needs: Sequence[bool] | None = None) -> Sequence[Any]:
        return [product(g, partial) for _, partial in self._edges()]

    def _push(self) -> None:
        if isinstance(self._made_by, HandMade):
            self._made_by.step()

    # What it holds -----------------------------------------------------------------------------

    @property
    def data(self) -> float:
        """The number. Setting it is seen by what is computed from then on."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        self._data = new if type(new) is float else as_float(new, "Value.data")

    @property
    def grad(self) -> float:
        """d(output)/d(self), output being what `backward` was called on; 0 before that.

        Leaves sum up the gradients of all passes; other nodes hold that of the last pass.
        """
        return self._grad

    @grad.setter
    def grad(self, new: Any) -> None:
        self._grad = new if type(new) is float else as_float(new, "Value.grad")

    def set_grad(self, new: Any) -> None:
        """Set the gradient, as `grad = new` does: the name that arrays have for it."""
        seen: Any = self  # `grad` may be a property of a subclass
        seen.grad = new

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        seen: Any = self
        seen.grad = 0.0

    @property
    def label(self) -> str:
        """A name to show in drawings and explanations; "" for none."""
        return label_of(self)

    @label.setter
    def label(self, new: str) -> None:
        set_label(self, new)

    # Comparing: by data; hashing: by identity --------------------------------------------------
    # (_compare gives a bool, or NotImplemented)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ScalarNode):
            return self._data == other._data
        return _compare(operator.eq, self._data, other)  # type: ignore[no-any-return]

    def __lt__(self, other: ScalarNode | Real) -> bool:
        if isinstance(other, ScalarNode):
            return self._data < other._data
        return _compare(operator.lt, self._data, other)  # type: ignore[no-any-return]

    def __le__(self, other: ScalarNode | Real) -> bool:
        if isinstance(other, ScalarNode):
            return self._data <= other._data
        return _compare(operator.le, self._data, other)  # type: ignore[no-any-return]

    def __gt__(self, other: ScalarNode | Real) -> bool:
        if isinstance(other, ScalarNode):
            return self._data > other._data
        return _compare(operator.gt, self._data, other)  # type: ignore[no-any-return]

    def __ge__(self, other: ScalarNode | Real) -> bool:
        if isinstance(other, ScalarNode):
            return self._data >= other._data
        return _compare(operator.ge, self._data, other)  # type: ignore[no-any-return]

    def __hash__(self) -> int:
        return id(self) >> 4  # objects lie 16 bytes apart

    # As a number -------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return self._data != 0.0

    def __float__(self) -> float:
        leave(self)
        return self._data

    def __int__(self) -> int:
        leave(self)
        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._data, digits)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        grad = getattr(self, "grad", self._grad)  # subclasses may have their own
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={grad}{label})"
