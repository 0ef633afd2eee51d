"""The operators of MLArray: arithmetic, comparisons, logic; all forward to the table of ops."""

from __future__ import annotations

from typing import Any, Self

from smolml_value import table
from smolml_value.extending import Op, Operand

# What may stand on the other side of an operator: an MLArray, a Value, a number, (nested) lists of
# these, an ndarray. Any, because lists nest without end and NumPy is not required.
ArrayLike = Any


class Arithmetic(Operand):
    """The operators, each written out, so that type checkers see them."""

    __slots__ = ()

    def _operate(self, op: Op, *operands: object) -> Any:
        """op(*operands), or NotImplemented if one of them is foreign."""
        raise NotImplementedError

    def _in_place(self, op: Op, other: object) -> Any:
        """`x op= other`, or NotImplemented: then it is x = x op other."""
        raise NotImplementedError

    def _compare(self, name: str, other: ArrayLike) -> Any:
        """The backend's comparison of this name as a constant array, or NotImplemented."""
        raise NotImplementedError

    def __add__(self, other: ArrayLike) -> Self:
        return self._operate(table.add, self, other)  # type: ignore[no-any-return]

    def __radd__(self, other: ArrayLike) -> Self:
        return self._operate(table.add, other, self)  # type: ignore[no-any-return]

    def __sub__(self, other: ArrayLike) -> Self:
        return self._operate(table.subtract, self, other)  # type: ignore[no-any-return]

    def __rsub__(self, other: ArrayLike) -> Self:
        return self._operate(table.subtract, other, self)  # type: ignore[no-any-return]

    def __mul__(self, other: ArrayLike) -> Self:
        return self._operate(table.multiply, self, other)  # type: ignore[no-any-return]

    def __rmul__(self, other: ArrayLike) -> Self:
        return self._operate(table.multiply, other, self)  # type: ignore[no-any-return]

    def __truediv__(self, other: ArrayLike) -> Self:
        return self._operate(table.divide, self, other)  # type: ignore[no-any-return]

    def __rtruediv__(self, other: ArrayLike) -> Self:
        return self._operate(table.divide, other, self)  # type: ignore[no-any-return]

    def __pow__(self, other: ArrayLike) -> Self:
        return self._operate(table.pow, self, other)  # type: ignore[no-any-return]

    def __rpow__(self, other: ArrayLike) -> Self:
        return self._operate(table.pow, other, self)  # type: ignore[no-any-return]

    def __iadd__(self, other: ArrayLike) -> Self:
        return self._in_place(table.add, other)  # type: ignore[no-any-return]

    def __isub__(self, other: ArrayLike) -> Self:
        return self._in_place(table.subtract, other)  # type: ignore[no-any-return]

    def __imul__(self, other: ArrayLike) -> Self:
        return self._in_place(table.multiply, other)  # type: ignore[no-any-return]

    def __itruediv__(self, other: ArrayLike) -> Self:
        return self._in_place(table.divide, other)  # type: ignore[no-any-return]

    def __neg__(self) -> Self:
        return self._operate(table.negative, self)  # type: ignore[no-any-return]

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._operate(table.abs, self)  # type: ignore[no-any-return]

    def __lt__(self, other: ArrayLike) -> Self:
        return self._compare("less", other)  # type: ignore[no-any-return]

    def __le__(self, other: ArrayLike) -> Self:
        return self._compare("less_equal", other)  # type: ignore[no-any-return]

    def __gt__(self, other: ArrayLike) -> Self:
        return self._compare("greater", other)  # type: ignore[no-any-return]

    def __ge__(self, other: ArrayLike) -> Self:
        return self._compare("greater_equal", other)  # type: ignore[no-any-return]

    def __eq__(self, other: ArrayLike) -> Self:  # type: ignore[override]  # element by element
        return self._compare("equal", other)  # type: ignore[no-any-return]

    def __ne__(self, other: ArrayLike) -> Self:  # type: ignore[override]  # element by element
        return self._compare("not_equal", other)  # type: ignore[no-any-return]

    def __and__(self, other: ArrayLike) -> Self:
        return self._compare("bitwise_and", other)  # type: ignore[no-any-return]

    __rand__ = __and__

    def __or__(self, other: ArrayLike) -> Self:
        return self._compare("bitwise_or", other)  # type: ignore[no-any-return]

    __ror__ = __or__

    def __xor__(self, other: ArrayLike) -> Self:
        return self._compare("bitwise_xor", other)  # type: ignore[no-any-return]

    __rxor__ = __xor__

    def __hash__(self) -> int:
        return id(self) >> 4
