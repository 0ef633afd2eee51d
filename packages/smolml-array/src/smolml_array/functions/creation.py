"""Arrays of given numbers: zeros, ones, full, eye, arange, linspace, from_dlpack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from smolml_array import convert
from smolml_array._graph.node import ArrayNode
from smolml_array._shapes.axes import Shape, as_shape
from smolml_array._shapes.sizes import NUMBER, check_count
from smolml_array.array import MLArray
from smolml_array.backends.protocol import Backend, DType, Raw
from smolml_array.config import default_backend
from smolml_array.convert import as_dtype
from smolml_value.extending import as_float


def shape_of(dims: tuple[int | Sequence[int], ...], who: str) -> Shape:
    """The shape given as f(2, 3) or f((2, 3))."""
    shape = as_shape(dims[0] if len(dims) == 1 else dims, who)  # type: ignore[arg-type]  # it checks
    check_count(math.prod(shape), who, NUMBER)
    return shape


def leaf(xp: Backend, raw: Raw, requires_grad: bool) -> MLArray:
    """An array of these numbers; what is not floating has no gradient."""
    floating = xp.isdtype(raw.dtype, "real floating")
    return MLArray._from_node(ArrayNode(xp, raw, requires_grad and floating))


def _typed_leaf(raw: Raw, requires_grad: bool, dtype: DType | str | None) -> MLArray:
    xp = default_backend()
    wanted = xp.float64 if dtype is None else as_dtype(xp, dtype)
    return leaf(xp, xp.astype(raw, wanted, copy=False), requires_grad)


def zeros(
    *dims: int | Sequence[int], requires_grad: bool = True, dtype: DType | str | None = None
) -> MLArray:
    """An array of zeros; its shape is given as several ints or as one tuple.

    >>> zeros(2).to_list()
    [0.0, 0.0]
    """
    return _typed_leaf(default_backend().zeros(shape_of(dims, "zeros")), requires_grad, dtype)


def ones(
    *dims: int | Sequence[int], requires_grad: bool = True, dtype: DType | str | None = None
) -> MLArray:
    """An array of ones.

    >>> ones((1, 2)).to_list()
    [[1.0, 1.0]]
    """
    return _typed_leaf(default_backend().ones(shape_of(dims, "ones")), requires_grad, dtype)


def full(
    shape: int | Sequence[int],
    fill_value: float,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """An array of one number.

    >>> full(2, 7.0).to_list()
    [7.0, 7.0]
    """
    raw = default_backend().full(shape_of((shape,), "full"), as_float(fill_value, "full"))
    return _typed_leaf(raw, requires_grad, dtype)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    k: int = 0,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """Ones on the k-th diagonal, else zeros.

    >>> eye(2).to_list()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    shape = shape_of((n_rows, n_rows if n_cols is None else n_cols), "eye")
    return _typed_leaf(default_backend().eye(*shape, k=k), requires_grad, dtype)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """start, start + step, ... before stop; with one argument from 0 to it. Floats by default.

    Raises:
        ValueError: a step of 0.

    >>> arange(3).to_list()
    [0.0, 1.0, 2.0]
    """
    for number in (start, step) if stop is None else (start, stop, step):
        as_float(number, "arange")
    return _typed_leaf(default_backend().arange(start, stop, step), requires_grad, dtype)


def linspace(
    start: float,
    stop: float,
    num: int,
    requires_grad: bool = True,
    dtype: DType | str | None = None,
) -> MLArray:
    """num evenly spaced numbers from start to stop, both included.

    >>> linspace(0.0, 1.0, 3).to_list()
    [0.0, 0.5, 1.0]
    """
    first, last = as_float(start, "linspace"), as_float(stop, "linspace")
    return _typed_leaf(default_backend().linspace(first, last, num), requires_grad, dtype)


def from_dlpack(
    x: Any, requires_grad: bool = True, *, device: str | None = None, copy: bool | None = None
) -> MLArray:
    """The numbers of another library's array (PyTorch, JAX, ...) on the CPU, always copied.

    Floats keep their width where the backend has it; integers and bools make constants.

    Raises:
        TypeError: x has no `__dlpack__`, or holds no real numbers.
        ValueError: copy=False, since its owner may write to the memory, or another device.
        ImportError: NumPy, which reads the memory, is not installed.

    >>> from_dlpack(MLArray([1.0, 2.0], backend="numpy")).to_list()  # needs NumPy
    [1.0, 2.0]
    """
    xp = default_backend()
    return leaf(xp, convert.from_dlpack(xp, x, device, copy), requires_grad)
