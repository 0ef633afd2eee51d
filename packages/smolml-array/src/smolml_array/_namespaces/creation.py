"""The array API's creation and dtype functions for MLArrays of one backend; all give constants."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from smolml_array._namespaces.binding import Function, passing
from smolml_array._namespaces.elementwise import is_tracked
from smolml_array._namespaces.functions import array_of, raw_of
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, DType, Raw
from smolml_array.convert import as_dtype, check_device, dtypes_of, from_dlpack, in_graph, to_raw
from smolml_value import Value

_bool = bool

_WITH_GRADIENT: Final = {
    "arange": "write start + step * arange(n)",
    "full": "write t.broadcast_to(shape)",
    "full_like": "write t.broadcast_to(x.shape)",
    "linspace": "write start + (stop - start) * linspace(0, 1, num)",
}
"""What to write where a number has a gradient, which would be lost."""


def _make(
    xp: Backend, name: str, *args: Any, dtype: DType | None, device: str | None, **options: Any
) -> MLArray:
    """A constant, made by the backend's function of that name."""
    check_device(device, name)
    _check_constants(name, args)
    if name == "empty":  # what comes out of unset memory is no number to learn with
        name = "zeros"
    wanted = None if dtype is None else as_dtype(xp, dtype)
    raw = getattr(xp, name)(*map(raw_of, args), dtype=wanted, **options)
    return MLArray._constant(xp, raw)


def _make_like(
    xp: Backend, name: str, x: MLArray, *args: Any, dtype: DType | None, device: str | None
) -> MLArray:
    """A constant in the shape and, unless another is given, in the dtype of x."""
    x = array_of(name, x)
    _check_constants(name, args)
    dtype = x.dtype if dtype is None else dtype
    return _make(xp, name.removesuffix("_like"), x.shape, *args, dtype=dtype, device=device)


def _check_constants(who: str, args: tuple[Any, ...]) -> None:
    """Raise if one is no plain number and has a gradient, which would be lost."""
    for x in args:
        if who in _WITH_GRADIENT and is_tracked(x):
            raise TypeError(
                f"{who}: expected a number, got {type(x).__name__} {x!r:.60}, whose gradient would "
                f"be lost; {_WITH_GRADIENT[who]}, or give a number: x.item()"
            )


_FILLED: Final = ("shape, *, dtype=None, device=None", _make)
_LIKE: Final = ("x, /, *, dtype=None, device=None", _make_like)
_MADE: Final[dict[str, tuple[str, Function]]] = {
    "arange": ("start, /, stop=None, step=1, *, dtype=None, device=None", _make),
    "empty": _FILLED,
    "empty_like": _LIKE,
    "eye": ("n_rows, n_cols=None, /, *, k=0, dtype=None, device=None", _make),
    "full": ("shape, fill_value, *, dtype=None, device=None", _make),
    "full_like": ("x, /, fill_value, *, dtype=None, device=None", _make_like),
    "linspace": ("start, stop, /, num, *, dtype=None, device=None, endpoint=True", _make),
    "ones": _FILLED,
    "ones_like": _LIKE,
    "zeros": _FILLED,
    "zeros_like": _LIKE,
}
"""What the backends have as well: the standard's parameters, and what makes it."""


def creation(xp: Backend) -> dict[str, Function]:
    """What makes arrays on one backend, and says what its dtypes are, by the standard's names."""
    types = _Types(xp)
    return {
        **{
            n: passing(n, text, partial(make, xp, n), make.__doc__)
            for n, (text, make) in _MADE.items()
        },
        **{n: getattr(types, n) for n in vars(_Types) if not n.startswith("_")},
    }


class _Types:
    """What turns arrays and objects into arrays of a dtype of one backend."""

    def __init__(self, xp: Backend) -> None:
        self._xp = xp

    def _array(self, raw: Raw) -> MLArray:
        return MLArray._constant(self._xp, raw)

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
        wanted = None if dtype is None else as_dtype(self._xp, dtype)
        if isinstance(obj, MLArray):
            MLArray._backend_of("asarray", (self._array(self._xp.zeros(())), obj))
            if wanted is None or wanted == obj.dtype:
                return +obj if copy else obj
        if copy is False:
            raise ValueError(
                f"asarray: copy=False, but a {type(obj).__name__} must be copied: its owner may "
                f"write to it"
            )
        if isinstance(obj, MLArray | Value) or in_graph(obj):
            array = obj if isinstance(obj, MLArray) else MLArray._from_data(obj, self._xp)
            return array if dtype is None else array.astype(dtype)
        raw = to_raw(self._xp, obj, "asarray", copy=True, whole=True)
        return self._array(raw if wanted is None else self._xp.astype(raw, wanted, copy=False))

    def from_dlpack(
        self, x: Any, /, *, device: str | None = None, copy: _bool | None = None
    ) -> MLArray:
        """A constant with the numbers of an object that speaks DLPack, always a copy."""
        if isinstance(x, MLArray) and x.backend == self._xp.name:
            check_device(device, "from_dlpack")
            return x.detach()  # nobody writes to its buffer
        return self._array(from_dlpack(self._xp, x, device, copy))

    def astype(
        self, x: MLArray, dtype: DType, /, *, copy: _bool = True, device: str | None = None
    ) -> MLArray:
        """x in another dtype; copy=False returns x itself if it has it."""
        check_device(device, "astype")
        if array_of("astype", x).dtype == as_dtype(self._xp, dtype):
            return +x if copy else x
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
        every = dtypes_of(self._xp).items()
        return {n: d for n, d in every if kind is None or self._xp.isdtype(d, kind)}
