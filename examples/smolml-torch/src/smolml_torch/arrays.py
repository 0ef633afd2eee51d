"""Array: a tensor with the attributes and operators that SmolML expects of raw arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

import torch

from smolml_array.extending import get_backend

DEVICE: Final = torch.device(os.environ.get("SMOLML_TORCH_DEVICE", "cpu"))

# It reads what users give, says which types there are, and what keys mean: on few numbers.
NUMPY: Final = get_backend("numpy")

float64, float32, int64, bool_ = NUMPY.float64, NUMPY.float32, NUMPY.int64, NUMPY.bool  # type: ignore[attr-defined]  # float32 is NumPy's own
_TORCH: Final = {d: getattr(torch, d.name) for d in (float64, float32, int64, bool_)}
_OURS: Final = {theirs: ours for ours, theirs in _TORCH.items()}


class Array:
    """A tensor on DEVICE. It is never written to once it is made."""

    __slots__ = ("tensor",)
    __array_ufunc__ = None  # an operator between ndarray and Array is ours
    __hash__ = None  # type: ignore[assignment]  # == compares the elements
    xp: ClassVar[Any]

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    shape = property(lambda self: tuple(self.tensor.shape))
    ndim = property(lambda self: self.tensor.ndim)
    size = property(lambda self: self.tensor.numel())
    dtype = property(lambda self: _OURS[self.tensor.dtype])
    T = property(lambda self: self.xp.permute_dims(self, tuple(range(self.ndim))[::-1]))
    mT = property(lambda self: self.xp.matrix_transpose(self))  # noqa: N815  # the standard's name

    def __repr__(self) -> str:
        return f"Array({self.tolist()!r:.200}, dtype={self.dtype})"

    def tolist(self) -> Any:
        """Nested lists of Python numbers; one number for a 0-d array."""
        return self.tensor.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.tensor.cpu().numpy().astype(dtype or self.dtype)

    def __iter__(self) -> Iterator[Array]:
        return iter(self.xp.unstack(self))

    def __getitem__(self, key: Any) -> Array:
        return self.xp.index(self, key)  # type: ignore[no-any-return]


def _delegate(name: str) -> Any:
    return lambda self: getattr(self.tensor, name)()


def _operator(function: str, *, swapped: bool = False) -> Any:
    def operator(self: Array, *others: Any) -> Any:
        if not all(isinstance(other, Array | float | int) for other in others):
            return NotImplemented
        operands = (*others, self) if swapped else (self, *others)
        return getattr(self.xp, function)(*operands)

    return operator


_OPERATORS = (
    "neg:negative pos:positive abs:abs invert:bitwise_invert add:add sub:subtract mul:multiply "
    "truediv:divide floordiv:floor_divide mod:remainder pow:pow matmul:matmul and:bitwise_and "
    "or:bitwise_or xor:bitwise_xor eq:equal ne:not_equal lt:less le:less_equal gt:greater "
    "ge:greater_equal"
)
for _pair in _OPERATORS.split():
    _name, _function = _pair.split(":")
    setattr(Array, f"__{_name}__", _operator(_function))
    setattr(Array, f"__r{_name}__", _operator(_function, swapped=True))
for _name in ("__bool__", "__float__", "__int__", "__index__", "__len__"):
    setattr(Array, _name, _delegate(_name))

# Making them, and their types ------------------------------------------------------------------

finfo, iinfo, to_list = NUMPY.finfo, NUMPY.iinfo, Array.tolist


def torch_type(dtype: Any = None) -> torch.dtype:
    """PyTorch's type for one of ours; float64 for None."""
    return _TORCH[NUMPY.zeros((), dtype=dtype).dtype]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that an operation on these has; Python scalars are weak."""
    return NUMPY.result_type(*(x.dtype if isinstance(x, Array) else x for x in arrays_and_dtypes))


def is_array(obj: object, /) -> bool:
    """Whether obj is a raw array of this backend."""
    return isinstance(obj, Array)


def asarray(obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> Array:
    """A raw array of a number, nested lists of numbers, a tensor, an ndarray or a raw array."""
    if isinstance(obj, Array) and copy is not False:
        return astype(obj, obj.dtype if dtype is None else dtype, copy=bool(copy))
    if isinstance(obj, Array) and (dtype is None or torch_type(dtype) is obj.tensor.dtype):
        return obj
    if copy is False:
        raise ValueError(f"asarray: copy=False, but {obj!r:.60} must be copied")
    obj = obj.detach().cpu().numpy() if isinstance(obj, torch.Tensor) else obj
    return Array(torch.tensor(NUMPY.asarray(obj, dtype=dtype), device=DEVICE))


def astype(x: Array, dtype: Any, /, *, copy: bool = True) -> Array:
    """x in another dtype; copy=False returns x itself if it has it."""
    out = x.tensor.to(torch_type(dtype), copy=copy)
    return x if out is x.tensor else Array(out)


def from_flat(flat: Sequence[float], shape: tuple[int, ...], dtype: Any = None) -> Array:
    """An array from its elements in C order; float64 unless all are bool or dtype says so."""
    return Array(torch.tensor(NUMPY.from_flat(flat, shape, dtype), device=DEVICE))


def to_flat(x: Array, /) -> list[Any]:
    """The elements in C order, as Python numbers."""
    return list(x.tensor.reshape(-1).tolist())


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None
) -> Array:
    """start, start + step, ... before stop; one argument: from 0 to it."""
    return asarray(NUMPY.arange(start, stop, step, dtype=dtype))
