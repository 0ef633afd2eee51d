"""The operators of MLArray: arithmetic, comparisons, logic; all forward to the table of ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self, TypeVar

from smolml_array.convert import is_array_like
from smolml_value import table
from smolml_value.extending import Op, Operand

# What may stand on the other side of an operator: an MLArray, a Value, a number, (nested) lists of
# these, an ndarray. Any, because lists nest without end and NumPy is not required.
ArrayLike = Any

A = TypeVar("A", bound="Arithmetic")


def _left(op: Op) -> Callable[[A, ArrayLike], A]:
    """x op other."""

    def operate(self: A, other: ArrayLike) -> Any:
        quick = other.__class__ in (float, int) or isinstance(other, Arithmetic)  # as it mostly is
        if quick or is_array_like(other):
            return self._apply(op, (self, other))
        return NotImplemented

    return operate


def _right(op: Op) -> Callable[[A, ArrayLike], A]:
    """other op x."""

    def operate(self: A, other: ArrayLike) -> Any:
        return self._apply(op, (other, self)) if is_array_like(other) else NotImplemented

    return operate


def _augmented(symbol: str, method: str) -> Callable[[A, ArrayLike], A]:
    """x op= other: what `method` gives, as the numbers of x."""

    def operate(self: A, other: ArrayLike) -> A:
        made = getattr(self, method)(other)
        return made if made is NotImplemented else self._in_place(symbol, made)

    return operate


def _compared(name: str, turned: bool = False) -> Callable[[A, ArrayLike], A]:
    """The comparison that the backend has under this name; `turned`: other comes first."""
    return lambda self, other: self._compare(name, other, turned)


class Arithmetic(Operand):
    """The operators; the types say that the result is of the class of the array."""

    __slots__ = ()

    def _in_place(self, symbol: str, made: Any) -> Any:
        """`x op= other` with this symbol, once x op other is made."""
        raise NotImplementedError

    def _compare(self, name: str, other: ArrayLike, turned: bool) -> Any:
        """The backend's comparison of this name as a constant array, or NotImplemented."""
        raise NotImplementedError

    __add__: Final = _left(table.add)
    __radd__: Final = _right(table.add)
    __sub__: Final = _left(table.subtract)
    __rsub__: Final = _right(table.subtract)
    __mul__: Final = _left(table.multiply)
    __rmul__: Final = _right(table.multiply)
    __truediv__: Final = _left(table.divide)
    __rtruediv__: Final = _right(table.divide)
    __floordiv__: Final = _left(table.floor_divide)
    __rfloordiv__: Final = _right(table.floor_divide)
    __mod__: Final = _left(table.remainder)
    __rmod__: Final = _right(table.remainder)
    __pow__: Final = _left(table.pow)
    __rpow__: Final = _right(table.pow)
    __iadd__: Final = _augmented("+=", "__add__")
    __isub__: Final = _augmented("-=", "__sub__")
    __imul__: Final = _augmented("*=", "__mul__")
    __itruediv__: Final = _augmented("/=", "__truediv__")
    __ifloordiv__: Final = _augmented("//=", "__floordiv__")
    __imod__: Final = _augmented("%=", "__mod__")
    __ipow__: Final = _augmented("**=", "__pow__")
    __imatmul__: Final = _augmented("@=", "__matmul__")
    __iand__: Final = _augmented("&=", "__and__")
    __ior__: Final = _augmented("|=", "__or__")
    __ixor__: Final = _augmented("^=", "__xor__")
    __ilshift__: Final = _augmented("<<=", "__lshift__")
    __irshift__: Final = _augmented(">>=", "__rshift__")
    __lt__: Final = _compared("less")
    __le__: Final = _compared("less_equal")
    __gt__: Final = _compared("greater")
    __ge__: Final = _compared("greater_equal")
    __eq__: Final = _compared("equal")  # type: ignore[assignment]  # element by element
    __ne__: Final = _compared("not_equal")  # type: ignore[assignment]  # element by element
    __and__: Final = _compared("bitwise_and")
    __rand__: Final = __and__
    __or__: Final = _compared("bitwise_or")
    __ror__: Final = __or__
    __xor__: Final = _compared("bitwise_xor")
    __rxor__: Final = __xor__
    __lshift__: Final = _compared("bitwise_left_shift")
    __rlshift__: Final = _compared("bitwise_left_shift", turned=True)
    __rshift__: Final = _compared("bitwise_right_shift")
    __rrshift__: Final = _compared("bitwise_right_shift", turned=True)

    def __neg__(self) -> Self:
        return self.negative()

    def __abs__(self) -> Self:
        return self.abs()

    def __hash__(self) -> int:
        return object.__hash__(self)  # by identity, though == compares elements
