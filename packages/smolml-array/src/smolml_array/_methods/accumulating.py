"""Running sums and products, and norms."""

from __future__ import annotations

import math
from typing import Any, Final, Self

from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.handle import Handle
from smolml_array._methods.selecting import Selecting
from smolml_array._shapes.axes import Axis, AxisError, ShapeError, normalize_axes, normalize_axis
from smolml_array.convert import is_floating
from smolml_array.functions import rules, rules_norm, rules_scan
from smolml_value import Value
from smolml_value.extending import is_number

_MATRIX_NORMS: Final = ("fro", 1, -1, math.inf, -math.inf)


class Accumulating(Selecting):
    """An array with running sums and norms."""

    __slots__ = ()

    def cumulative_sum(self, axis: int | None = None, include_initial: bool = False) -> Self:
        """The sums of the elements up to each one; see `smolml_array.cumulative_sum`."""
        return self._scan(rules_scan.CUMULATIVE_SUM, axis, include_initial)

    def cumulative_prod(self, axis: int | None = None, include_initial: bool = False) -> Self:
        """The products of the elements up to each one; see `smolml_array.cumulative_prod`."""
        return self._scan(rules_scan.CUMULATIVE_PROD, axis, include_initial)

    def _scan(self, rule: Any, axis: int | None, include_initial: bool) -> Self:
        if axis is None and len(self.shape) != 1:
            raise AxisError(
                f"{rule.name}: expected axis= for an array of {len(self.shape)} dimensions; "
                f"only with 1 may it be left out"
            )
        axis = normalize_axis(axis or 0, len(self.shape), rule.name)
        return self._rule(rule, self, axis=axis, include_initial=bool(include_initial))

    def outer(self, other: ArrayLike) -> Self:
        """The products of all pairs of elements: (size, other.size)."""
        column = self.reshape((math.prod(self.shape), 1))
        row: Any = other
        if not isinstance(other, Handle | Value) and not is_number(other):
            row = self._lifted(other, self._fetch().backend)
        product: Self = column * (row.flatten() if hasattr(row, "flatten") else row)
        return product

    def vector_norm(self, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Self:
        """(sum |x|**ord)**(1 / ord) over the axes; see `smolml_array.vector_norm`."""
        if not is_number(ord) or ord != ord:
            raise ValueError(f"vector_norm: ord is {ord!r}: expected a number, math.inf or -inf")
        params = self._reduction("vector_norm", axis, keepdims)
        if ord == 0:
            node = self._fetch()
            xp = node.backend
            count = xp.count_nonzero(node.raw, **params)
            floating = xp.isdtype(node.raw.dtype, "real floating")
            return self._constant(xp, xp.astype(count, node.raw.dtype if floating else xp.float64))
        x = self._floating()
        if abs(ord) == math.inf:
            absolute: Any = abs(x)
            extreme: Self = getattr(absolute, "max" if ord > 0 else "min")(**params)
            return extreme
        if ord == 1:
            magnitudes: Any = abs(x)
            total: Self = magnitudes.sum(**params)
            return total
        return x._rule(rules_norm.VECTOR_NORM, x, ord=float(ord), **params)

    def matrix_norm(self, keepdims: bool = False, ord: float | str = "fro") -> Self:
        """A norm of the matrices in the last two axes; see `smolml_array.matrix_norm`."""
        self._check_matrices("matrix_norm")
        ndim = len(self.shape)
        return self._matrix_norm("matrix_norm", (ndim - 2, ndim - 1), keepdims, ord)

    def _matrix_norm(
        self, who: str, axes: tuple[int, ...], keepdims: bool, ord: float | str | None
    ) -> Self:
        if ord is None or ord == "fro":
            return self.vector_norm(axes, keepdims)
        if ord not in _MATRIX_NORMS:
            raise ValueError(
                f"{who}: ord is {ord!r}: of matrices expected one of "
                f"{', '.join(map(repr, _MATRIX_NORMS))}; norms of singular values are not here"
            )
        assert not isinstance(ord, str)
        along, across = axes if abs(ord) == 1 else axes[::-1]
        sums: Any = abs(self._floating()).sum(axis=along, keepdims=True)
        extreme: Self = getattr(sums, "max" if ord > 0 else "min")(axis=across, keepdims=True)
        return extreme if keepdims else extreme.squeeze(axes)

    def _floating(self) -> Self:
        """The numbers as floats."""
        node = self._fetch()
        if is_floating(node.backend, node.raw):
            return self
        return self._rule(rules.ASTYPE, self, dtype=node.backend.float64)

    def norm(
        self, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
    ) -> Self:
        """A norm of vectors or of matrices, chosen as NumPy does; see `smolml_array.norm`."""
        ndim = len(self.shape)
        if axis is None and (ord is None or ndim == 1):
            axes: tuple[int, ...] | None = None
        else:
            axes = normalize_axes(axis, ndim, "norm")
        if axes is None or len(axes) == 1:
            if isinstance(ord, str):
                raise ValueError(f"norm: ord is {ord!r}: of vectors expected a number")
            return self.vector_norm(axes, keepdims, 2 if ord is None else ord)
        if len(axes) != 2:
            raise ShapeError(
                f"norm: {len(axes)} axes of shape {self.shape}: expected 1 (norms of vectors) or 2 "
                f"(of matrices) as axis=; for all elements as one vector use vector_norm"
            )
        return self._matrix_norm("norm", axes, keepdims, ord)
