"""A program: NumPy calls on buffers that stay, to be made again and again on other numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from smolml_array.backends.numpy.quiet import BOOL, ONE_THREAD, ndarray
from smolml_array.backends.numpy.unguarded import SMALL, row_of_ones

Args = Sequence[Any]
Params = Mapping[str, Any]


class DiffersError(Exception):
    """Something that the program takes for settled has come out differently this time."""


class _Call(NamedTuple):
    """One call: what does it, where its result is, and the same call with a result of its own."""

    do: Callable[[], Any]
    out: Any
    args: Args
    again: Callable[[], Any] | None


class Program:
    """The calls, in order. Each writes its result into a buffer, which later ones read."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._do: list[Callable[[], Any]] = []
        self._results: list[Callable[[], Any]] = []

    def add(self, name: str, f: Callable[..., Any], args: Args, params: Params, out: Any) -> None:
        """f(*args, **params), which has just made `out`, is to be called each time.

        `out` is an array, or a tuple of arrays with None for those that look into an argument.
        """
        again = _DIRECT[name](args, params, out) if name in _DIRECT else None
        if again is None:
            again = partial(f, *args, **params)
        do = _into(name, f, args, params, out) or partial(_copied, out, again)
        self._calls.append(_Call(do, out, args, again))

    def add_in_place(self, total: Any, x: Any) -> None:
        """total += x is to be done each time."""
        self._calls.append(_Call(_ufunc_into(np.add, (total, x), total), total, (total, x), None))

    def expect(self, condition: Any, truth: bool) -> None:
        """A 0-d array must each time be as true as it is now."""
        do = partial(_same_truth, condition, truth)
        self._calls.append(_Call(do, None, (condition,), None))

    def finish(self, results: Sequence[Any]) -> None:
        """Nothing is added any more; `run` is to return copies of these buffers.

        What nobody reads but the caller is not copied: the call gives it away.
        """
        calls = self._calls
        given_away = set()
        for out in results:
            i, again = _maker(calls, out)
            if again is not None and i not in given_away:
                given_away.add(i)
                self._results.append(again)
            else:
                self._results.append(out.copy)
        self._do = [call.do for i, call in enumerate(calls) if i not in given_away]

    def run(self) -> list[Any]:
        """Make all calls; the results, in arrays of their own.

        Raises:
            DiffersError: a condition is not as true as it was.
        """
        for call in self._do:
            call()
        return [result() for result in self._results]


def _maker(calls: Sequence[_Call], out: Any) -> tuple[int, Callable[[], Any] | None]:
    """The number of the call that makes `out`, if it can be the last and nobody reads `out`."""
    for i, call in enumerate(calls):
        if call.out is out and call.again is not None:
            for later in calls[i + 1 :]:
                if any(np.may_share_memory(x, out) for x in _arrays(later.args)):
                    return i, None
                if later.again is None and any(
                    np.may_share_memory(x, later.out) for x in _arrays(call.args)
                ):
                    return i, None  # what it reads is changed in place
            return i, call.again if type(call.again()) is ndarray else None
    return -1, None


def _arrays(args: Any) -> Iterator[Any]:
    """All arrays among nested arguments."""
    for x in args:
        if isinstance(x, ndarray):
            yield x
        elif isinstance(x, tuple | list):
            yield from _arrays(x)


def _same_truth(condition: Any, truth: bool) -> None:
    if bool(condition) is not truth:
        raise DiffersError


def _copied(out: Any, again: Callable[[], Any]) -> None:
    """Any function: its results, copied into the buffers."""
    made = again()
    if type(out) is ndarray:
        out[...] = made
        return
    for buffer, part in zip(out, made, strict=True):
        if buffer is not None:
            buffer[...] = part


# Functions that can be told where to write. Each makes the very bits of the original -----------


def _into(
    name: str, f: Callable[..., Any], args: Args, params: Params, out: Any
) -> Callable[[], Any] | None:
    """The call that writes into `out` at once; None if there is none for this function."""
    if type(out) is not ndarray:
        return None
    if isinstance(f, np.ufunc):
        return None if params else _ufunc_into(f, args, out)
    if hasattr(f, "ufunc"):
        floats = all(x.dtype.kind == "f" for x in args if isinstance(x, ndarray))
        return _ufunc_into(f.ufunc, args, out) if floats and not params else None
    special = _SPECIAL.get(name)
    return None if special is None else special(args, params, out)


def _ufunc_into(ufunc: Any, args: Args, out: Any) -> Callable[[], Any]:
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
    if x1.ndim == x2.ndim == 2:
        return partial(x1.dot, x2, out)
    return partial(np.matmul, x1, x2, out)


def _sum_to_shape(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    columns = _column_sums(args, params, out)
    return None if columns is None else partial(columns, out)


def _mean(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    (x,) = args
    if x.dtype != out.dtype or not out.size:
        return None
    add: Any = np.add.reduce
    axis, keepdims = params.get("axis"), params.get("keepdims", False)
    count = np.array(x.size // out.size, x.dtype)

    def mean() -> None:
        add(x, axis, None, out, keepdims)
        np.divide(out, count, out)

    return mean


def _cotangent_product(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    g, p = args
    if not isinstance(p, ndarray) or g.shape != out.shape:
        return None
    if p.dtype is BOOL and g.size <= SMALL:

        def choose() -> None:
            out.fill(0.0)
            np.copyto(out, g, where=p)

        return choose
    multiply = _ufunc_into(np.multiply, args, out)
    flat = out.reshape(-1)
    total: Callable[[], Any] = partial(flat.dot, flat)
    if out.size > ONE_THREAD:
        total = partial(np.add.reduce, flat)

    def product() -> None:
        multiply()
        if not math.isfinite(total()):
            zero = np.logical_or(np.equal(g, 0), np.equal(p, 0))
            np.copyto(out, 0.0, where=zero)

    return product


Special = Callable[[Args, Params, Any], Callable[..., Any] | None]

_SPECIAL: dict[str, Special] = {
    "cotangent_product": _cotangent_product,
    "matmul": _matmul,
    "mean": _mean,
    "sum_to_shape": _sum_to_shape,
}

# Functions without what they decide each time: the shapes are settled -------------------------


def _product(args: Args, params: Params, out: Any) -> Callable[[], Any] | None:
    x1, x2 = args
    return partial(x1.dot, x2) if x1.ndim == x2.ndim == 2 else None


def _column_sums(args: Args, params: Params, out: Any) -> Callable[..., Any] | None:
    """What is called for `sum_to_shape` of a small matrix; see there."""
    g, shape = args
    short = g.ndim == 2 and g.shape[1:] == shape and g.shape[0] > 1 and g.size <= ONE_THREAD
    if short and g.dtype.kind == "f":
        return partial(row_of_ones(g.shape[0], g.dtype).dot, g)
    return None


_DIRECT: dict[str, Special] = {"matmul": _product, "sum_to_shape": _column_sums}
