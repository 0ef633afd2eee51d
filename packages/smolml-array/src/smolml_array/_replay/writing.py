"""Calls that were recorded, and functions that make them again, told where to write.

Each makes the very bits of the original.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from smolml_array.backends.derived.products import zero_ruled_matmul
from smolml_array.backends.numpy.cotangents import ONE_THREAD, SMALL, ndarray, row_of_ones
from smolml_array.backends.numpy.dtypes import BOOL
from smolml_value.extending.derivatives import leaves

Args = Sequence[Any]
Params = Mapping[str, Any]


def arrays_in(x: Any) -> list[Any]:
    """All arrays in nested tuples, lists and dicts."""
    return [leaf for leaf in leaves(x) if isinstance(leaf, ndarray)]


class Note(NamedTuple):
    """One call as it was recorded, to be made each time: out = f(*args, **params).

    Attributes:
        out: an array, or a tuple of arrays with None for what looks into an argument.
        kind: "make" for a call that has made `out`; "change" where it is the first argument;
            "expect" for an array and the truth that it must have each time; "shapes" where what
            is made must each time have the shapes in `out`.
    """

    name: str
    f: Callable[..., Any]
    args: Args
    params: Params
    out: Any
    kind: str = "make"

    @property
    def makes(self) -> list[Any]:
        """The arrays that it allocates."""
        return arrays_in(self.out) if self.kind == "make" else []

    @property
    def in_place(self) -> bool:
        """Whether its result may lie where an operand of the same shape does."""
        return self.kind == "make" and elementwise(self.f, self.args, self.params) is not None


class DiffersError(Exception):
    """Something that a program takes for settled has come out differently this time."""


def elementwise(f: Callable[..., Any], args: Args, params: Params) -> Any:
    """The ufunc that does what f does to these arguments, element by element; None if none does."""
    if params:
        return None
    if isinstance(f, np.ufunc):
        return f if f.signature is None and f.nout == 1 else None
    floats = all(x.dtype.kind == "f" for x in args if isinstance(x, ndarray))
    return getattr(f, "ufunc", None) if floats else None


def direct(name: str, f: Callable[..., Any], args: Args, params: Params) -> Callable[[], Any]:
    """f(*args, **params) as a call without arguments, and without what the shapes settle."""
    if name == "matmul" and _by_dot(*args):
        return partial(args[0].dot, args[1])
    made = _column_sums(*args) if name == "sum_to_shape" else None
    return made or partial(f, *args, **params)


def into(
    name: str, f: Callable[..., Any], args: Args, params: Params, out: Any
) -> Callable[[], Any]:
    """The same call, its result going into `out`: an array, or a tuple with None for views."""
    if type(out) is ndarray:
        ufunc = elementwise(f, args, params)
        if ufunc is not None:
            return ufunc_into(ufunc, args, out)
        special = _SPECIAL.get(name)
        made = None if special is None else special(args, params, out)
        if made is not None:
            return made
    return partial(_copied, out, partial(f, *args, **params))


def _copied(out: Any, again: Callable[[], Any]) -> None:
    """Any function: its results, copied.

    Raises:
        DiffersError: one has another shape, which must depend on numbers (those of a mask).
    """
    made = again()
    if type(out) is ndarray:
        out, made = (out,), (made,)
    for buffer, part in zip(out, made, strict=True):
        if buffer is not None:
            if np.shape(part) != buffer.shape:
                raise DiffersError
            buffer[...] = part


def ufunc_into(ufunc: Any, args: Args, out: Any) -> Callable[[], Any]:
    """With arguments in the form that costs NumPy least: of one shape, or of no dimension."""
    dtypes = {x.dtype for x in args if isinstance(x, ndarray)}
    ready = []
    for x in args:
        if isinstance(x, ndarray):
            ready.append(x if x.shape in ((), out.shape) else np.broadcast_to(x, out.shape))
        elif type(x) in (float, int) and len(dtypes) == 1 and min(dtypes).kind == "f":
            ready.append(np.array(x, *dtypes))  # what a Python number becomes beside floats
        else:
            ready.append(x)
    return partial(ufunc, *ready, out=out)


def _matmul(args: Args, params: Params, out: Any) -> Callable[[], Any]:
    x1, x2 = args
    return partial(x1.dot, x2, out) if _by_dot(x1, x2) else partial(np.matmul, x1, x2, out)


def _cotangent_matmul(args: Args, params: Params, out: Any) -> Callable[[], Any]:
    multiply = _matmul(args, params, out)

    def product() -> None:
        multiply()
        if not np.isfinite(out).all():
            out[...] = zero_ruled_matmul(np, *args)

    return product


def _by_dot(x1: Any, x2: Any) -> bool:
    """Whether the backend's `matmul` calls `dot`, which may round otherwise; see there."""
    return x1.ndim * x2.ndim == 4  # type: ignore[no-any-return]


def _sum_to_shape(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    columns = _column_sums(*args)
    return None if columns is None else partial(columns, out)


def _cotangent_product(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    g, p = args
    if not isinstance(p, ndarray) or not p.ndim or g.shape != out.shape:
        return None
    if p.dtype is BOOL and g.size <= SMALL:

        def choose() -> None:
            out.fill(0.0)
            np.copyto(out, g, where=p)

        return choose
    multiply = ufunc_into(np.multiply, args, out)
    flat = out.ravel(order="K")  # in the order in which it lies in memory
    total: Callable[[], Any] = partial(flat.dot, flat)
    if out.size > ONE_THREAD:
        total = partial(np.add.reduce, out, None)
    elif not np.may_share_memory(flat, out):
        total = partial(np.vdot, out, out)

    def product() -> None:
        multiply()
        if not math.isfinite(total()):
            zero = np.logical_or(np.equal(g, 0), np.equal(p, 0))
            np.copyto(out, 0.0, where=zero)

    return product


Special = Callable[[Args, Params, Any], Callable[..., Any] | None]

_SPECIAL: dict[str, Special] = {
    "cotangent_matmul": _cotangent_matmul,
    "cotangent_product": _cotangent_product,
    "matmul": _matmul,
    "sum_to_shape": _sum_to_shape,
}


def _column_sums(g: Any, shape: Any) -> Callable[..., Any] | None:
    """What is called for `sum_to_shape` of a small matrix; see there."""
    short = g.ndim == 2 and g.shape[1:] == shape and g.shape[0] > 1 and g.size <= ONE_THREAD
    if short and g.dtype.kind == "f":
        return partial(row_of_ones(g.shape[0], g.dtype).dot, g)
    return None
