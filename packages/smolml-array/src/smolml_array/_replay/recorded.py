"""The raw arrays of a recording: like ndarrays to whoever computes, closed to whoever reads."""

from __future__ import annotations

import operator
from operator import attrgetter
from typing import Any

import numpy as np

from smolml_array.backends.operators import give_operators
from smolml_value import GraphError


def _call(f: Any, name: str = "") -> Any:
    """f of operands one of which is recorded, told to its recording."""

    def apply(*operands: Any) -> Any:
        recording = next(x.recording for x in operands if isinstance(x, Recorded))
        return recording.call(name or f.__name__, f, operands, {})

    return apply


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
    T = property(_call(attrgetter("T"), "T"))
    mT = property(_call(attrgetter("mT"), "mT"))  # noqa: N815  # NumPy's name

    def __getitem__(self, key: Any) -> Any:
        return self.recording.call("getitem", operator.getitem, (self, key), {})

    def __len__(self) -> int:
        return len(self.array)

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


give_operators(Recorded, lambda name: _call(getattr(np, name)))  # as NumPy 2 has these names
