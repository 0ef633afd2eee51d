"""Operand: the methods that Value and MLArray share, one for each op of the table.

They are written out, not generated, so that editors and type checkers see them. Plugin ops are
methods too, looked up in the registry when the name is not one of these.
"""

from __future__ import annotations

from typing import Any, Self

from smolml_value._ops.number import as_float, is_number
from smolml_value._runtime.compat import Real, mypyc_attr
from smolml_value.node import BUILT_IN, OperandBase


@mypyc_attr(allow_interpreted_subclasses=True)
class Operand(OperandBase):
    """Base of Value and MLArray: every op of the table as a method."""

    __slots__ = ()

    def _unary(self, name: str, **params: Any) -> Self:
        """op(self), for less: a call of an Op looks at what it is given."""
        op = BUILT_IN[name]
        out: Self = self._apply(op.bind(**params) if params else op, (self,))
        return out

    def _binary(self, name: str, other: Any) -> Self:
        out: Self = BUILT_IN[name](self, other)
        return out

    def __floordiv__(self, other: Any) -> Any:
        return _operated("floor_divide", self, other, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _operated("floor_divide", other, self, other)

    def __mod__(self, other: Any) -> Any:
        return _operated("remainder", self, other, other)

    def __rmod__(self, other: Any) -> Any:
        return _operated("remainder", other, self, other)

    # `other: Any` below: a number or an operand, and for arrays also lists and foreign arrays

    def negative(self) -> Self:
        """$-x$."""
        return self._unary("negative")

    def positive(self) -> Self:
        """$+x$."""
        return self._unary("positive")

    def reciprocal(self) -> Self:
        """$1 / x$."""
        return self._unary("reciprocal")

    def square(self) -> Self:
        """$x * x$."""
        return self._unary("square")

    def sqrt(self) -> Self:
        """The square root; nan below 0."""
        return self._unary("sqrt")

    def exp(self) -> Self:
        """$e ** x$."""
        return self._unary("exp")

    def expm1(self) -> Self:
        """$exp(x) - 1$, accurate near 0."""
        return self._unary("expm1")

    def log(self) -> Self:
        """The natural logarithm; -inf at 0, nan below."""
        return self._unary("log")

    def log1p(self) -> Self:
        """$log(1 + x)$, accurate near 0."""
        return self._unary("log1p")

    def log2(self) -> Self:
        """The logarithm to base 2."""
        return self._unary("log2")

    def log10(self) -> Self:
        """The logarithm to base 10."""
        return self._unary("log10")

    def sin(self) -> Self:
        """The sine; x in radians."""
        return self._unary("sin")

    def cos(self) -> Self:
        """The cosine; x in radians."""
        return self._unary("cos")

    def tan(self) -> Self:
        """The tangent; x in radians."""
        return self._unary("tan")

    def asin(self) -> Self:
        """The inverse sine, in $[-pi/2, pi/2]$."""
        return self._unary("asin")

    def acos(self) -> Self:
        """The inverse cosine, in $[0, pi]$."""
        return self._unary("acos")

    def atan(self) -> Self:
        """The inverse tangent, in $[-pi/2, pi/2]$."""
        return self._unary("atan")

    def sinh(self) -> Self:
        """The hyperbolic sine."""
        return self._unary("sinh")

    def cosh(self) -> Self:
        """The hyperbolic cosine."""
        return self._unary("cosh")

    def tanh(self) -> Self:
        """The hyperbolic tangent."""
        return self._unary("tanh")

    def asinh(self) -> Self:
        """The inverse hyperbolic sine."""
        return self._unary("asinh")

    def acosh(self) -> Self:
        """The inverse hyperbolic cosine; nan below 1."""
        return self._unary("acosh")

    def atanh(self) -> Self:
        """The inverse hyperbolic tangent; nan outside [-1, 1]."""
        return self._unary("atanh")

    def sign(self) -> Self:
        """-1, 0 or 1; derivative 0."""
        return self._unary("sign")

    def floor(self) -> Self:
        """The largest whole number not above x; derivative 0."""
        return self._unary("floor")

    def ceil(self) -> Self:
        """The smallest whole number not below x; derivative 0."""
        return self._unary("ceil")

    def trunc(self) -> Self:
        """The whole part; derivative 0."""
        return self._unary("trunc")

    def round(self) -> Self:
        """The nearest whole number, to even at .5; derivative 0."""
        return self._unary("round")

    def relu(self) -> Self:
        """$max(x, 0)$; derivative 0 at 0."""
        return self._unary("relu")

    def sigmoid(self) -> Self:
        """$1 / (1 + exp(-x))$."""
        return self._unary("sigmoid")

    def softplus(self) -> Self:
        """$log(1 + exp(x))$ without overflow."""
        return self._unary("softplus")

    def silu(self) -> Self:
        """$x sigmoid(x)$."""
        return self._unary("silu")

    def gelu(self) -> Self:
        """$x Phi(x)$, Phi the normal distribution function."""
        return self._unary("gelu")

    def erf(self) -> Self:
        """The error function."""
        return self._unary("erf")

    def maximum(self, other: Any) -> Self:
        """The larger of self and other; a tie splits the gradient in halves."""
        return self._binary("maximum", other)

    def minimum(self, other: Any) -> Self:
        """The smaller of self and other; a tie splits the gradient in halves."""
        return self._binary("minimum", other)

    def logaddexp(self, other: Any) -> Self:
        """$log(exp(self) + exp(other))$ without overflow."""
        return self._binary("logaddexp", other)

    def hypot(self, other: Any) -> Self:
        """$sqrt(self**2 + other**2)$ without overflow."""
        return self._binary("hypot", other)

    def atan2(self, other: Any) -> Self:
        """The angle of the point (other, self), in $(-pi, pi]$."""
        return self._binary("atan2", other)

    def abs(self) -> Self:
        """$|x|$; derivative 0 at 0."""
        return self._unary("abs")

    def leaky_relu(self, alpha: Real = 0.01) -> Self:
        """$x for x > 0, else alpha x$."""
        return self._unary("leaky_relu", alpha=alpha)

    def elu(self, alpha: Real = 1.0) -> Self:
        """$x for x > 0, else alpha (exp(x) - 1)$."""
        return self._unary("elu", alpha=alpha)

    def clip(self, min: Real | None = None, max: Real | None = None) -> Self:
        """x held between min and max; derivative 1 inside and at the bounds, else 0."""
        return self._unary("clip", min=_bound("min", min), max=_bound("max", max))


def _operated(name: str, x: Any, y: Any, other: Any) -> Any:
    """op(x, y), or NotImplemented beside what is no operand."""
    if isinstance(other, OperandBase) or is_number(other):
        return BUILT_IN[name](x, y)
    return NotImplemented


def _bound(name: str, x: Any) -> Any:
    """A bound as a float; None and operands as they are, which the op takes and refuses."""
    return x if x is None or isinstance(x, OperandBase) else as_float(x, f"clip: {name}")
