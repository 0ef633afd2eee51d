"""The N-d array from scratch: a flat list of numbers in C order, a shape and an element type."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

from smolml_array._shapes.axes import Shape
from smolml_array.backends.pure.dtypes import DType

_SHOWN = 100  # elements up to which the repr shows all


class NDArray:
    """An N-d array of Python numbers.

    It is never changed once it is made (by `index_add_into` alone, while nobody else has it), so
    arrays of different shapes may share one list.
    Operators go to the functions of the pure backend: `x + y` is `add(x, y)`.

    Attributes:
        flat: the elements in C order (the last axis runs fastest).
        shape: the length of each axis.
        dtype: float64, int64 or bool.

    >>> from smolml_array.backends import get_backend
    >>> get_backend("pure").asarray([[1, 2], [3, 4]]) * 2
    NDArray([[2, 4], [6, 8]], dtype=int64)
    """

    __slots__ = ("dtype", "flat", "shape")
    __array_ufunc__ = None  # `ndarray + NDArray` is an error, not an array of objects
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # == compares the elements

    _xp: ClassVar[Any]  # the namespace whose functions are its operators: set by the package

    def __init__(self, flat: list[Any], shape: Shape, dtype: DType) -> None:
        self.flat: list[Any] = flat
        self.shape: Shape = shape
        self.dtype: DType = dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return len(self.flat)

    @property
    def T(self) -> NDArray:
        """The axes in reverse order."""
        return self._xp.permute_dims(self, tuple(range(self.ndim))[::-1])  # type: ignore[no-any-return]

    @property
    def mT(self) -> NDArray:
        """The last two axes swapped."""
        return self._xp.matrix_transpose(self)  # type: ignore[no-any-return]

    def tolist(self) -> Any:
        """Nested lists of Python numbers; one number for a 0-d array."""
        nested: list[Any] = self.flat
        for axis in range(self.ndim - 1, 0, -1):
            n, blocks = self.shape[axis], math.prod(self.shape[:axis])
            nested = [nested[i * n : (i + 1) * n] for i in range(blocks)]
        return list(nested) if self.shape else nested[0]

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            ValueError: there is not exactly one.
        """
        if len(self.flat) != 1:
            raise ValueError(
                f"an array of shape {self.shape} has {len(self.flat)} elements: "
                f"expected exactly 1 to make it a number"
            )
        return self.flat[0]

    def __repr__(self) -> str:
        if self.size <= _SHOWN:
            return f"NDArray({self.tolist()}, dtype={self.dtype})"
        ends = ", ".join(map(repr, self.flat[:3])), ", ".join(map(repr, self.flat[-3:]))
        return f"NDArray({ends[0]}, ..., {ends[1]}, shape={self.shape}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[Any, ...]:
        return NDArray, (self.flat, self.shape, self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """The elements as an ndarray."""
        import numpy as np

        return np.array(self.flat, dtype or self.dtype.name).reshape(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d array: expected at least 1 dimension")
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array: expected at least 1 dimension")
        return iter(self._xp.unstack(self))

    def __getitem__(self, key: Any) -> NDArray:
        return self._xp.index(self, key)  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind != "i" or self.shape:
            raise TypeError(f"only a 0-d int64 array is an index, not {self!r}")
        return int(self.flat[0])
