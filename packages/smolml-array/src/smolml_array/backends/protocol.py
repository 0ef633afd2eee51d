"""What an array backend offers: the array API standard's names, and a few extras.

A backend works on *raw arrays*: arrays of float64, int64 or bool (NumPy's also float32) without
any graph. It follows the array API standard 2024.12 (names, argument order, `axis`, `keepdims`,
`correction`, type promotion with weak Python scalars, inf and nan answers, 0-d and empty arrays)
and NumPy's indexing. Where the standard leaves a choice open, both backends answer as NumPy does,
with these differences to NumPy: `reciprocal` of integers is float64, functions that would give
bool arrays a small type (int8, float16) give int64 or float64, and `unique_values` is sorted.
The differences to the standard itself are a table in docs/design.md.

No function changes its arguments, raises for numbers (1 / 0 is inf, log(-1) is nan) or warns.
Results may share memory with arguments: a raw array is never written to once it is made.

Required of a backend is what `Backend` declares without a body, 84 names; what it inherits from
`Derived` is made of these, once for all, and a backend may have faster ones of its own. `Namespace`
gathers a backend from modules, and derives the rest. `silence` and `adopts` have defaults, too.

Raw arrays have `shape` (a tuple), `ndim`, `size`, `dtype` (with a `name`, compared by ==), `T` and
`mT`, Python's operators, `bool()` and `float()` of one element, and NumPy's indexing. These are
ndarray's own on the NumPy backend: between 0-d arrays they give NumPy scalars, which every function
here takes, and they warn outside `silence`.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Sequence
from typing import Any, Protocol

from smolml_array._shapes.axes import Shape
from smolml_array.backends.derived import Derived
from smolml_array.backends.signatures import (
    ArgReduction,
    Binary,
    DType,
    Number,
    Raw,
    Reduction,
    Scan,
    Spread,
    TypedReduction,
    Unary,
)
from smolml_array.backends.silence import Silence

__all__ = ["Backend", "Binary", "DType", "Number", "Raw", "Unary", "protocol_names"]

_bool = builtins.bool


class Backend(Derived, Protocol):
    """The namespace of one backend, as `get_backend` returns it.

    >>> from smolml_array.backends import get_backend
    >>> B = get_backend("pure")
    >>> B.to_list(B.add(B.asarray([[1.0], [2.0]]), B.asarray([10.0, 20.0])))
    [[11.0, 21.0], [12.0, 22.0]]
    """

    # --- extras -------------------------------------------------------------------------------
    name: str

    def is_array(self, obj: object, /) -> _bool:
        """Whether obj is a raw array of this backend."""

    def from_flat(self, flat: Sequence[Number], shape: Shape, dtype: DType = None) -> Raw:
        """An array from its elements in C order; float64 unless all are bool or dtype says so."""

    def to_flat(self, x: Raw, /) -> list[Any]:
        """The elements in C order, as Python numbers."""

    def to_list(self, x: Raw, /) -> Any:
        """Nested lists of Python numbers; one number for a 0-d array."""

    def index(self, x: Raw, key: Any, /) -> Raw:
        """x[key], always as an array (ndarray's own `x[0]` may be a NumPy scalar)."""

    def index_add(self, x: Raw, key: Any, v: Raw, /) -> Raw:
        """A copy of x with v added at x[key]; positions that repeat accumulate.

        The adjoint of `index`: index_add(zeros, key, g) is its vjp.
        """

    def index_add_into(self, total: Raw, key: Any, v: Raw, /) -> Raw:
        """The same, written into total where that is possible: total, or what takes its place."""

    def index_put(self, x: Raw, key: Any, v: Raw, /) -> Raw:
        """A copy of x with x[key] = v, v broadcast and turned into x's dtype."""

    def index_put_into(self, total: Raw, key: Any, v: Raw, /) -> Raw:
        """The same, written into total where that is possible: total, or what takes its place."""

    adopts: Backend | None  # whose arrays count as constants of this one; None for nobody's
    silence: Silence  # how it is kept from warning while raw operators compute

    # --- element-wise -------------------------------------------------------------------------
    abs: Unary
    acos: Unary
    acosh: Unary
    asin: Unary
    asinh: Unary
    atan: Unary
    atanh: Unary
    bitwise_invert: Unary
    ceil: Unary
    cos: Unary
    cosh: Unary
    exp: Unary
    expm1: Unary
    floor: Unary
    isfinite: Unary
    isinf: Unary
    isnan: Unary
    log: Unary
    log10: Unary
    log1p: Unary
    log2: Unary
    logical_not: Unary
    negative: Unary
    positive: Unary
    reciprocal: Unary
    round: Unary
    sign: Unary
    signbit: Unary
    sin: Unary
    sinh: Unary
    sqrt: Unary
    square: Unary
    tan: Unary
    tanh: Unary
    trunc: Unary

    add: Binary
    atan2: Binary
    bitwise_and: Binary
    bitwise_left_shift: Binary
    bitwise_or: Binary
    bitwise_right_shift: Binary
    bitwise_xor: Binary
    copysign: Binary
    divide: Binary
    equal: Binary
    floor_divide: Binary
    greater: Binary
    greater_equal: Binary
    hypot: Binary
    less: Binary
    less_equal: Binary
    logaddexp: Binary
    logical_and: Binary
    logical_or: Binary
    logical_xor: Binary
    maximum: Binary
    minimum: Binary
    multiply: Binary
    nextafter: Binary
    not_equal: Binary
    pow: Binary
    remainder: Binary
    subtract: Binary

    def where(self, condition: Raw, x1: Raw, x2: Raw, /) -> Raw:
        """x1 where the condition is true (not zero), else x2."""

    # --- linear algebra -----------------------------------------------------------------------
    matmul: Binary
    matrix_transpose: Unary
    outer: Binary

    # --- reductions ---------------------------------------------------------------------------
    argmax: ArgReduction
    argmin: ArgReduction
    count_nonzero: Reduction
    max: Reduction
    mean: Reduction
    min: Reduction
    prod: TypedReduction
    std: Spread
    sum: TypedReduction
    var: Spread

    cumulative_prod: Scan
    cumulative_sum: Scan

    # --- shape --------------------------------------------------------------------------------
    def broadcast_to(self, x: Raw, /, shape: Shape) -> Raw:
        """x repeated to the shape."""

    def concat(self, arrays: Sequence[Raw], /, axis: int | None = 0) -> Raw:
        """The arrays joined along an axis; None flattens them first."""

    def permute_dims(self, x: Raw, /, axes: Sequence[int]) -> Raw:
        """x with its axes in this order."""

    def reshape(self, x: Raw, /, shape: int | Sequence[int]) -> Raw:
        """The same elements in C order in another shape; one length may be -1."""

    # --- searching, sorting, indexing ---------------------------------------------------------
    def argsort(
        self, x: Raw, /, axis: int = -1, *, descending: _bool = False, stable: _bool = True
    ) -> Raw:
        """The positions that sort x; equal elements keep their order; nan is the largest."""

    def nonzero(self, x: Raw, /) -> tuple[Raw, ...]:
        """The positions of what is not zero, one array per axis."""

    def searchsorted(
        self, x1: Raw, x2: Raw, /, *, side: str = "left", sorter: Raw | None = None
    ) -> Raw:
        """Where in sorted x1 each element of x2 would go: before ("left") or after its equals."""

    # --- creation and types -------------------------------------------------------------------
    def arange(
        self, start: Number, /, stop: Number | None = None, step: Number = 1, *, dtype: DType = None
    ) -> Raw:
        """start, start + step, ... before stop; one argument: from 0 to it."""

    def asarray(self, obj: Any, /, *, dtype: DType = None, copy: _bool | None = None) -> Raw:
        """A raw array of a number, nested lists of numbers, an ndarray or a raw array.

        Raises:
            ShapeError: ragged lists; names the path of the first misfit.
            TypeError: something that is not a real number, with its path.
        """

    def astype(self, x: Raw, dtype: DType, /, *, copy: _bool = True) -> Raw:
        """x in another dtype; copy=False returns x itself if it has it."""

    def full(self, shape: int | Sequence[int], fill_value: Number, *, dtype: DType = None) -> Raw:
        """An array of one number, by default in the number's own type."""

    def finfo(self, type: Any, /) -> Any:
        """bits, eps, max, min, smallest_normal and dtype of a floating type."""

    def iinfo(self, type: Any, /) -> Any:
        """bits, max, min and dtype of an integer type."""

    def result_type(self, *arrays_and_dtypes: Any) -> DType:
        """The dtype that an operation on these has; Python scalars are weak."""

    pi: float
    e: float
    inf: float
    nan: float
    newaxis: None
    float64: DType
    int64: DType

    # last, since they hide the built-ins of these names in this class
    all: Reduction
    any: Reduction
    bool: DType


def protocol_names() -> list[str]:
    """The public names that every backend offers, in alphabetical order.

    >>> "matmul" in protocol_names(), "float32" in protocol_names()
    (True, False)
    """
    declared = {*inspect.get_annotations(Backend), *dir(Backend)}
    return sorted(name for name in declared if not name.startswith("_"))
