"""Operand: the methods that Value and MLArray share, one for each op of the table.

They are written out, not generated, so that editors and type checkers see them. Plugin ops are
methods too, looked up in the registry when the name is not one of these.
"""

from __future__ import annotations

from typing import Any, Self

from smolml_value import table
from smolml_value._compat import Real, mypyc_attr
from smolml_value._node import OperandBase
from smolml_value._number import as_float


@mypyc_attr(allow_interpreted_subclasses=True)
class Operand(OperandBase):
    """Base of Value and MLArray: every op of the table as a method."""

    __slots__ = ()

    # `other: Any` below: a number or an operand, and for arrays also lists and foreign arrays

    def negative(self) -> Self:
        """-x."""
        return table.negative(self)

    def positive(self) -> Self:
        """+x."""
        return table.positive(self)

    def reciprocal(self) -> Self:
        """1 / x."""
        return table.reciprocal(self)

    def square(self) -> Self:
        """x * x."""
        return table.square(self)

    def sqrt(self) -> Self:
        """The square root; nan below 0."""
        return table.sqrt(self)

    def exp(self) -> Self:
        """e ** x."""
        return table.exp(self)

    def expm1(self) -> Self:
        """exp(x) - 1, accurate near 0."""
        return table.expm1(self)

    def log(self) -> Self:
        """The natural logarithm; -inf at 0, nan below."""
        return table.log(self)

    def log1p(self) -> Self:
        """log(1 + x), accurate near 0."""
        return table.log1p(self)

    def log2(self) -> Self:
        """The logarithm to base 2."""
        return table.log2(self)

    def log10(self) -> Self:
        """The logarithm to base 10."""
        return table.log10(self)

    def sin(self) -> Self:
        """The sine; x in radians."""
        return table.sin(self)

    def cos(self) -> Self:
        """The cosine; x in radians."""
        return table.cos(self)

    def tan(self) -> Self:
        """The tangent; x in radians."""
        return table.tan(self)

    def asin(self) -> Self:
        """The inverse sine, in [-pi/2, pi/2]."""
        return table.asin(self)

    def acos(self) -> Self:
        """The inverse cosine, in [0, pi]."""
        return table.acos(self)

    def atan(self) -> Self:
        """The inverse tangent, in [-pi/2, pi/2]."""
        return table.atan(self)

    def sinh(self) -> Self:
        """The hyperbolic sine."""
        return table.sinh(self)

    def cosh(self) -> Self:
        """The hyperbolic cosine."""
        return table.cosh(self)

    def tanh(self) -> Self:
        """The hyperbolic tangent."""
        return table.tanh(self)

    def asinh(self) -> Self:
        """The inverse hyperbolic sine."""
        return table.asinh(self)

    def acosh(self) -> Self:
        """The inverse hyperbolic cosine; nan below 1."""
        return table.acosh(self)

    def atanh(self) -> Self:
        """The inverse hyperbolic tangent; nan outside [-1, 1]."""
        return table.atanh(self)

    def sign(self) -> Self:
        """-1, 0 or 1; derivative 0."""
        return table.sign(self)

    def floor(self) -> Self:
        """The largest whole number not above x; derivative 0."""
        return table.floor(self)

    def ceil(self) -> Self:
        """The smallest whole number not below x; derivative 0."""
        return table.ceil(self)

    def trunc(self) -> Self:
        """The whole part; derivative 0."""
        return table.trunc(self)

    def round(self) -> Self:
        """The nearest whole number, to even at .5; derivative 0."""
        return table.round(self)

    def relu(self) -> Self:
        """max(x, 0); derivative 0 at 0."""
        return table.relu(self)

    def sigmoid(self) -> Self:
        """1 / (1 + exp(-x))."""
        return table.sigmoid(self)

    def softplus(self) -> Self:
        """log(1 + exp(x)) without overflow."""
        return table.softplus(self)

    def silu(self) -> Self:
        """x sigmoid(x)."""
        return table.silu(self)

    def gelu(self) -> Self:
        """x Phi(x), Phi the normal distribution function."""
        return table.gelu(self)

    def erf(self) -> Self:
        """The error function."""
        return table.erf(self)

    def maximum(self, other: Any) -> Self:
        """The larger of self and other; a tie splits the gradient in halves."""
        out: Self = table.maximum(self, other)
        return out

    def minimum(self, other: Any) -> Self:
        """The smaller of self and other; a tie splits the gradient in halves."""
        out: Self = table.minimum(self, other)
        return out

    def logaddexp(self, other: Any) -> Self:
        """log(exp(self) + exp(other)) without overflow."""
        out: Self = table.logaddexp(self, other)
        return out

    def hypot(self, other: Any) -> Self:
        """sqrt(self**2 + other**2) without overflow."""
        out: Self = table.hypot(self, other)
        return out

    def atan2(self, other: Any) -> Self:
        """The angle of the point (other, self), in (-pi, pi]."""
        out: Self = table.atan2(self, other)
        return out

    def abs(self) -> Self:
        """|x|; derivative 0 at 0."""
        return table.abs(self)

    def leaky_relu(self, alpha: Real = 0.01) -> Self:
        """x for x > 0, else alpha x."""
        return table.leaky_relu(self, alpha=alpha)

    def elu(self, alpha: Real = 1.0) -> Self:
        """x for x > 0, else alpha (exp(x) - 1)."""
        return table.elu(self, alpha=alpha)

    def clip(self, min: Real | None = None, max: Real | None = None) -> Self:
        """x held between min and max; derivative 1 inside and at the bounds, else 0."""
        return table.clip(self, min=_bound("min", min), max=_bound("max", max))


def _bound(name: str, x: Any) -> Any:
    """A bound as a float; None and operands as they are, which the op takes and refuses."""
    return x if x is None or isinstance(x, OperandBase) else as_float(x, f"clip: {name}")
