"""Products and reductions of arrays: matmul, sum, mean, max, ..., argmax."""

from __future__ import annotations

from typing import Any, Self

from smolml_array._graph.apply import Applying
from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._shapes.axes import Axis, normalize_axes, normalize_axis
from smolml_array.convert import is_array_like
from smolml_array.functions import rules
from smolml_value.extending import as_float


class Reducing(Applying):
    """An array that can be multiplied and reduced."""

    __slots__ = ()

    def matmul(self, other: ArrayLike) -> Self:
        """The matrix product, with NumPy's rules for 1-D, 2-D and batched operands.

        Raises:
            ShapeError: the shapes do not align; names the axes.

        >>> MLArray([[1.0, 2.0]]).matmul([[3.0], [4.0]]).to_list()
        [[11.0]]
        """
        return self._rule(rules.MATMUL, self, other)

    def __matmul__(self, other: ArrayLike) -> Self:
        if isinstance(other, Reducing) or is_array_like(other):
            return self._rule(rules.MATMUL, self, other)
        return NotImplemented

    def __rmatmul__(self, other: ArrayLike) -> Self:
        return self._rule(rules.MATMUL, other, self) if is_array_like(other) else NotImplemented

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """The sum over an axis, several, or all (None).

        Raises:
            AxisError: an axis that the array does not have.
        """
        if axis is None and keepdims is False:
            return self._rule(rules.SUM, self)
        return self._rule(rules.SUM, self, **self._reduction("sum", axis, keepdims))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """The mean over an axis, several, or all (None); nan of nothing."""
        if axis is None and keepdims is False:
            return self._rule(rules.MEAN, self)
        return self._rule(rules.MEAN, self, **self._reduction("mean", axis, keepdims))

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """The product over an axis, several, or all (None)."""
        return self._rule(rules.PROD, self, **self._reduction("prod", axis, keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """The largest element; its gradient goes to the first of several.

        Raises:
            ValueError: there is no element.
        """
        return self._rule(rules.MAX, self, **self._reduction("max", axis, keepdims))

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """The smallest element; its gradient goes to the first of several.

        Raises:
            ValueError: there is no element.
        """
        return self._rule(rules.MIN, self, **self._reduction("min", axis, keepdims))

    def var(self, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Self:
        """The mean of (x - mean)**2, with n - correction in place of n."""
        correction = as_float(correction, "var: correction")
        params = self._reduction("var", axis, keepdims)
        return self._rule(rules.VAR, self, correction=correction, **params)

    def std(self, axis: Axis = None, keepdims: bool = False, correction: float = 0.0) -> Self:
        """The square root of var; the gradient where all elements are equal is 0."""
        correction = as_float(correction, "std: correction")
        params = self._reduction("std", axis, keepdims)
        return self._rule(rules.STD, self, correction=correction, **params)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """The position of the first largest element (in C order for None), a constant."""
        return self._position("argmax", axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """The position of the first smallest element (in C order for None), a constant."""
        return self._position("argmin", axis, keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether an element is not zero, along an axis, several, or at all (None); a constant."""
        return self._truth("any", axis, keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether no element is zero, along an axis, several, or at all (None); a constant."""
        return self._truth("all", axis, keepdims)

    def _truth(self, name: str, axis: Axis, keepdims: bool) -> Self:
        node = self._fetch()
        params = self._reduction(name, axis, keepdims)
        return self._constant(node.backend, getattr(node.backend, name)(node.raw, **params))

    def _position(self, name: str, axis: int | None, keepdims: bool) -> Self:
        if axis is not None:
            axis = normalize_axis(axis, len(self.shape), name)
        node = self._fetch()
        find = getattr(node.backend, name)
        return self._constant(node.backend, find(node.raw, axis=axis, keepdims=bool(keepdims)))

    def _reduction(self, who: str, axis: Axis, keepdims: bool) -> dict[str, Any]:
        if axis is not None:
            axis = normalize_axes(axis, len(self.shape), who)
        return {"axis": axis, "keepdims": bool(keepdims)}
