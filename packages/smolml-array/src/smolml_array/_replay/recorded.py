"""The raw arrays of a recording: like ndarrays to whoever computes, closed to whoever reads."""

from __future__ import annotations

import operator
from operator import attrgetter
from typing import Any

import numpy as np

from smolml_value import GraphError


def _operator(f: Any, name: str = "", swapped: bool = False) -> Any:
    """An operator with its array first, or swapped: last."""

    def apply(self: Recorded, *other: Any) -> Any:
        operands = (*other, self) if swapped else (self, *other)
        return self.recording.call(name or f.__name__, f, operands, {})

    return apply


def _both(ufunc: Any) -> tuple[Any, Any]:
    """An operator and its reflection."""
    return _operator(ufunc), _operator(ufunc, swapped=True)


class Recorded:
    """A raw array of a recording.

    Attributes:
        recording: the `Recording` that it belongs to, and that is told what is done with it.
        array: its buffer, with the numbers of the run that is recorded.
        number: which one it is; None for a constant, whose numbers stay and may be read.
    """

    __slots__ = ("array", "number", "recording")

    def __init__(self, recording: Any, array: Any, number: int | None) -> None:
        self.recording = recording
        self.array = array
        self.number = number

    def __repr__(self) -> str:
        return f"<recorded {self.dtype} of shape {self.shape}>"

    shape = property(attrgetter("array.shape"))
    dtype = property(attrgetter("array.dtype"))
    ndim = property(attrgetter("array.ndim"))
    size = property(attrgetter("array.size"))
    T = property(_operator(attrgetter("T"), "T"))
    mT = property(_operator(attrgetter("mT"), "mT"))  # noqa: N815  # NumPy's name

    def __getitem__(self, key: Any) -> Any:
        return self.recording.call("getitem", operator.getitem, (self, key), {})

    def __len__(self) -> int:
        return len(self.array)

    # Operators; those between a Recorded on the right and an ndarray come through NumPy

    __neg__ = _operator(np.negative)
    __abs__ = _operator(np.abs)
    __invert__ = _operator(np.invert)
    __add__, __radd__ = _both(np.add)
    __sub__, __rsub__ = _both(np.subtract)
    __mul__, __rmul__ = _both(np.multiply)
    __truediv__, __rtruediv__ = _both(np.divide)
    __floordiv__, __rfloordiv__ = _both(np.floor_divide)
    __mod__, __rmod__ = _both(np.remainder)
    __pow__, __rpow__ = _both(np.power)
    __matmul__, __rmatmul__ = _both(np.matmul)
    __and__, __rand__ = _both(np.bitwise_and)
    __or__, __ror__ = _both(np.bitwise_or)
    __xor__, __rxor__ = _both(np.bitwise_xor)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    __eq__, __ne__ = _operator(np.equal), _operator(np.not_equal)

    def __hash__(self) -> int:
        return id(self)

    # NumPy's own functions, which a plugin may call, come here (NEP 13 and NEP 18)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **params: Any) -> Any:
        if "out" in params or method == "at":
            raise GraphError(
                f"replay: {ufunc.__name__} is asked to write into an array of the graph"
            )
        f = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.recording.call(ufunc.__name__, f, inputs, params)

    def __array_function__(self, f: Any, types: Any, args: Any, params: Any) -> Any:
        return self.recording.call(f.__name__, f, args, params)

    # Reading -----------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        truth = bool(self.array)
        if self.number is not None:
            self.recording.expect(self, truth)
        return truth

    def _told(self, *_: Any, **__: Any) -> Any:
        """The numbers of a constant.

        Raises:
            GraphError: they will be others the next time.
        """
        if self.number is not None:
            raise GraphError(
                "replay: the function reads numbers (by item(), float(), print(), to_list(), "
                "...), which will be others the next time; do that outside of it, or do not "
                "replay it"
            )
        return self.array

    __array__ = _told

    def __float__(self) -> float:
        return float(self._told())

    def __int__(self) -> int:
        return int(self._told())

    def __index__(self) -> int:
        return operator.index(self._told())
