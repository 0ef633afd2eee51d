"""The kinds of arrays that check_op tries ops on: each backend, each type of floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._shapes.axes import Shape
from smolml_array.array import MLArray
from smolml_array.backends import backends, get_backend
from smolml_array.backends.signatures import Raw


class Kind:
    """MLArrays on one backend, of one dtype; see `smolml_value.testing.ArrayKind`."""

    def __init__(self, backend: str, dtype: str) -> None:
        self.name = backend if dtype == "float64" else f"{backend} {dtype}"
        self.dtype = dtype
        self.xp = get_backend(backend)
        self.epsilon = float(self.xp.finfo(getattr(self.xp, dtype)).eps)

    def array(self, numbers: Sequence[float], shape: Shape) -> MLArray:
        """A leaf with these numbers."""
        raw = self.xp.from_flat(list(numbers), shape, getattr(self.xp, self.dtype))
        return MLArray(raw, dtype=self.dtype, backend=self.xp.name)

    def numbers(self, x: MLArray) -> list[float]:
        """The numbers in C order."""
        return self.raw_numbers(self.raw(x))

    def gradient(self, x: MLArray) -> list[float]:
        """The gradient in C order."""
        return self.numbers(x.grad())

    def shape_of(self, x: object) -> Shape | None:
        """The shape; None for what is no MLArray on this backend."""
        return x.shape if isinstance(x, MLArray) and x.backend == self.xp.name else None

    def dtype_of(self, x: MLArray) -> str:
        """The name of the dtype."""
        return str(x.dtype.name)

    def raw(self, x: MLArray) -> Raw:
        """The array that rules get."""
        return x._current_node().raw

    def raw_numbers(self, raw: Any) -> list[float]:
        """The numbers of a raw array in C order."""
        return self.xp.to_flat(self.xp.asarray(raw))


def kinds() -> list[Kind]:
    """float64 on every backend that is built in or in use, and float32 where there is one."""
    ready = [row.name for row in backends.info() if row.status in _READY]
    xps = [(name, get_backend(name)) for name in ready]
    return [Kind(name, dtype) for name, xp in xps for dtype in _FLOATS if hasattr(xp, dtype)]


_READY = ("built-in", "registered", "loaded")  # not "available": a check loads no plugin
_FLOATS = ("float64", "float32")
