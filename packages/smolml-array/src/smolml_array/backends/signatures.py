"""The kinds of functions that a backend has: their parameters, as protocols to be called."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from smolml_array._shapes.axes import Axis

# A raw array of whatever backend, or a Python number in its place. Any, because ndarray and the
# pure NDArray share operators, not a base class, and a Protocol of all these operators would say
# no more than Any does: the type of `x * y` is again "whatever this backend's arrays are".
Raw: TypeAlias = Any
DType: TypeAlias = Any  # a backend's own dtype object; has .name
Number: TypeAlias = float  # also int and bool, which type checkers accept as float

Unary = Callable[[Raw], Raw]
Binary = Callable[[Raw, Raw], Raw]
_bool = builtins.bool

references: Callable[[Any], int] = getattr(sys, "getrefcount", lambda x: 1 << 30)
"""How many hold an object, as CPython says; elsewhere everything counts as held by many."""


class Reduction(Protocol):
    """A reduction over one axis, several, or all of them (None)."""

    def __call__(self, x: Raw, /, axis: Axis = None, *, keepdims: _bool = False) -> Raw: ...


class ArgReduction(Protocol):
    """A reduction to a position along one axis, or in the flattened array (None)."""

    def __call__(self, x: Raw, /, axis: int | None = None, *, keepdims: _bool = False) -> Raw: ...


class Spread(Protocol):
    """var or std: divides by n - correction."""

    def __call__(
        self, x: Raw, /, axis: Axis = None, *, correction: float = 0.0, keepdims: _bool = False
    ) -> Raw: ...


class TypedReduction(Protocol):
    """sum or prod: bool counts as int64; `dtype` to reduce in another type."""

    def __call__(
        self, x: Raw, /, axis: Axis = None, *, dtype: DType = None, keepdims: _bool = False
    ) -> Raw: ...


class Scan(Protocol):
    """Sums or products of the elements up to each one.

    Along an axis, which only a 1-D array need not name; with include_initial a 0 or a 1 comes
    first. bool counts as int64; `dtype` to add or multiply in another type.
    """

    def __call__(
        self,
        x: Raw,
        /,
        axis: int | None = None,
        *,
        dtype: DType = None,
        include_initial: _bool = False,
    ) -> Raw: ...
