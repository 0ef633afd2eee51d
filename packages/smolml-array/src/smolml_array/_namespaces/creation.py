"""The array API's creation and dtype functions for MLArrays of one backend; all give constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smolml_array._graph.handle import Handle
from smolml_array._namespaces.elementwise import is_tracked
from smolml_array._namespaces.functions import array_of, copied, raw_of
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, DType, Raw
from smolml_array.convert import (
    as_dtype,
    check_device,
    from_buffer,
    from_dlpack,
    has_buffer,
    holds,
    to_raw,
)
from smolml_value import Value

_bool = bool
_Lengths = int | Sequence[int]


class Creation:
    """What makes arrays on one backend, and says what its dtypes are."""

    def __init__(self, xp: Backend) -> None:
        self._xp = xp

    def _made(self, raw: Raw) -> MLArray:
        return MLArray._constant(self._xp, raw)

    def _dtype(self, dtype: DType | None) -> DType | None:
        return None if dtype is None else as_dtype(self._xp, dtype)

    def asarray(
        self,
        obj: Any,
        /,
        *,
        dtype: DType | None = None,
        device: str | None = None,
        copy: _bool | None = None,
    ) -> MLArray:
        """An MLArray of an array, a number, nested lists or a buffer; MLArrays stay in the graph.

        Raises:
            ValueError: copy=False where a copy must be made, or an MLArray of another backend.
            TypeError: something that is not real numbers.
        """
        check_device(device, "asarray")
        graph = isinstance(obj, Value) or (
            isinstance(obj, list | tuple) and (holds(obj, Handle) or holds(obj, Value))
        )
        if isinstance(obj, MLArray):
            MLArray._backend_of("asarray", (self._made(self._xp.zeros(())), obj))
            if dtype is None or as_dtype(self._xp, dtype) == obj.dtype:
                return copied(obj) if copy else obj
        if copy is False:
            raise ValueError(
                f"asarray: copy=False, but a {type(obj).__name__} must be copied: its owner may "
                f"write to it"
            )
        if isinstance(obj, MLArray) or graph:
            array = obj if isinstance(obj, MLArray) else MLArray._made(obj, self._xp)
            return array if dtype is None else array.astype(dtype)
        return self._made(self._numbers(obj, self._dtype(dtype)))

    def _numbers(self, obj: Any, dtype: DType | None) -> Raw:
        xp = self._xp
        known = isinstance(obj, list | tuple | range | float | int) or hasattr(obj, "__array__")
        if isinstance(obj, list | tuple | range):
            raw = xp.asarray(list(obj) if isinstance(obj, range) else obj)
        elif not known and not hasattr(obj, "__dlpack__") and has_buffer(obj):
            raw = xp.asarray(from_buffer(obj, "asarray"))
        else:
            raw = to_raw(xp, obj, "asarray", copy=True)
        return raw if dtype is None else xp.astype(raw, dtype, copy=False)

    def from_dlpack(
        self, x: Any, /, *, device: str | None = None, copy: _bool | None = None
    ) -> MLArray:
        """A constant with the numbers of an object that speaks DLPack, always a copy."""
        if isinstance(x, MLArray) and x.backend == self._xp.name:
            check_device(device, "from_dlpack")
            return x.detach()  # nobody writes to its buffer
        return self._made(from_dlpack(self._xp, x, device, copy))

    def arange(
        self,
        start: float,
        /,
        stop: float | None = None,
        step: float = 1,
        *,
        dtype: DType | None = None,
        device: str | None = None,
    ) -> MLArray:
        """start, start + step, ... before stop; one argument: from 0 to it."""
        check_device(device, "arange")
        for bound in (start, stop, step):
            _check_constant("arange", bound, "write start + step * arange(n)")
        return self._made(self._xp.arange(start, stop, step, dtype=self._dtype(dtype)))

    def linspace(
        self,
        start: float,
        stop: float,
        /,
        num: int,
        *,
        dtype: DType | None = None,
        device: str | None = None,
        endpoint: _bool = True,
    ) -> MLArray:
        """num evenly spaced numbers from start to stop."""
        check_device(device, "linspace")
        return self._made(
            self._xp.linspace(start, stop, num, dtype=self._dtype(dtype), endpoint=endpoint)
        )

    def eye(
        self,
        n_rows: int,
        n_cols: int | None = None,
        /,
        *,
        k: int = 0,
        dtype: DType | None = None,
        device: str | None = None,
    ) -> MLArray:
        """Ones on the k-th diagonal, else zeros."""
        check_device(device, "eye")
        return self._made(self._xp.eye(n_rows, n_cols, k=k, dtype=self._dtype(dtype)))

    def zeros(
        self, shape: _Lengths, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Zeros."""
        check_device(device, "zeros")
        return self._made(self._xp.zeros(shape, dtype=self._dtype(dtype)))

    def ones(
        self, shape: _Lengths, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Ones."""
        check_device(device, "ones")
        return self._made(self._xp.ones(shape, dtype=self._dtype(dtype)))

    def empty(
        self, shape: _Lengths, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Zeros: what comes out of unset memory is no number to learn with."""
        return self.zeros(shape, dtype=dtype, device=device)

    def full(
        self,
        shape: _Lengths,
        fill_value: float,
        *,
        dtype: DType | None = None,
        device: str | None = None,
    ) -> MLArray:
        """An array of one number, by default in the number's own type."""
        check_device(device, "full")
        _check_constant("full", fill_value, "write t.broadcast_to(shape)")
        return self._made(self._xp.full(shape, raw_of(fill_value), dtype=self._dtype(dtype)))

    def zeros_like(
        self, x: MLArray, /, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Zeros in the shape and dtype of x."""
        x = array_of("zeros_like", x)
        return self.zeros(x.shape, dtype=x.dtype if dtype is None else dtype, device=device)

    def ones_like(
        self, x: MLArray, /, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Ones in the shape and dtype of x."""
        x = array_of("ones_like", x)
        return self.ones(x.shape, dtype=x.dtype if dtype is None else dtype, device=device)

    def empty_like(
        self, x: MLArray, /, *, dtype: DType | None = None, device: str | None = None
    ) -> MLArray:
        """Zeros in the shape and dtype of x."""
        return self.zeros_like(x, dtype=dtype, device=device)

    def full_like(
        self,
        x: MLArray,
        /,
        fill_value: float,
        *,
        dtype: DType | None = None,
        device: str | None = None,
    ) -> MLArray:
        """An array of one number with the shape and dtype of x."""
        x = array_of("full_like", x)
        _check_constant("full_like", fill_value, "write t.broadcast_to(x.shape)")
        dtype = x.dtype if dtype is None else dtype
        return self.full(x.shape, fill_value, dtype=dtype, device=device)

    def meshgrid(self, *arrays: MLArray, indexing: str = "xy") -> tuple[MLArray, ...]:
        """Coordinate arrays of the grid that 1-D arrays span."""
        if indexing not in ("xy", "ij"):
            raise ValueError(f"meshgrid: unknown indexing {indexing!r}: expected 'xy' or 'ij'")
        places = list(range(len(arrays)))  # the axis along which each one varies
        if indexing == "xy" and len(arrays) > 1:
            places[:2] = [1, 0]
        shape = [0] * len(arrays)
        for x, axis in zip(arrays, places, strict=True):
            shape[axis] = array_of("meshgrid", x).size()
        return tuple(
            x.reshape((-1,) + (1,) * (len(arrays) - 1 - axis)).broadcast_to(shape)
            for x, axis in zip(arrays, places, strict=True)
        )

    # Types ---------------------------------------------------------------------------------

    def astype(
        self, x: MLArray, dtype: DType, /, *, copy: _bool = True, device: str | None = None
    ) -> MLArray:
        """x in another dtype; copy=False returns x itself if it has it."""
        check_device(device, "astype")
        if array_of("astype", x).dtype == as_dtype(self._xp, dtype):
            return copied(x) if copy else x
        return x.astype(dtype)

    def can_cast(self, from_: DType | MLArray, to: DType, /) -> _bool:
        """Whether promotion leads from one dtype to the other."""
        source = raw_of(from_)
        source = as_dtype(self._xp, getattr(source, "dtype", source))
        target = as_dtype(self._xp, to)
        return bool(self._xp.result_type(source, target) == target)

    def isdtype(self, dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> _bool:
        """Whether a dtype is of a kind ("bool", "real floating", ...) or that dtype."""
        return self._xp.isdtype(dtype, kind)

    def result_type(self, *arrays_and_dtypes: MLArray | DType | complex) -> DType:
        """The dtype that an operation on these has; Python scalars are weak."""
        return self._xp.result_type(*map(raw_of, arrays_and_dtypes))

    def finfo(self, type: DType | MLArray, /) -> Any:
        """bits, eps, max, min, smallest_normal and dtype of a floating type."""
        return self._xp.finfo(raw_of(type))

    def iinfo(self, type: DType | MLArray, /) -> Any:
        """bits, max, min and dtype of an integer type."""
        return self._xp.iinfo(raw_of(type))


def _check_constant(who: str, x: object, instead: str) -> None:
    """Raise if x is no plain number and has a gradient, which would be lost."""
    if is_tracked(x):
        raise TypeError(
            f"{who}: expected a number, got {type(x).__name__} {x!r:.60}, whose gradient would be "
            f"lost; {instead}, or give a number: x.item()"
        )


class Info:
    """What `__array_namespace_info__` gives: the capabilities, devices and dtypes of a backend."""

    def __init__(self, xp: Backend) -> None:
        self._xp = xp

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard, and is there."""
        limit = 64 if self._xp.name == "numpy" else None
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": limit}

    def default_device(self) -> str:
        """Where arrays live: "cpu"."""
        return "cpu"

    def devices(self) -> list[str]:
        """The devices: one."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """The dtypes that functions choose where none is given; complex numbers have none."""
        check_device(device, "default_dtypes")
        real, whole = self._xp.float64, self._xp.int64
        return {"real floating": real, "integral": whole, "indexing": whole}

    def dtypes(
        self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, DType]:
        """The dtypes of a kind, by name; of every kind for None."""
        check_device(device, "dtypes")
        names = ("bool", "int64", "float32", "float64")
        every = {name: getattr(self._xp, name) for name in names if hasattr(self._xp, name)}
        return {n: d for n, d in every.items() if kind is None or self._xp.isdtype(d, kind)}
