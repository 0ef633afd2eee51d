"""Calling NumPy so that it neither warns nor returns a scalar where an array is expected.

NumPy's warnings (divide, invalid, overflow) are a setting of the current context (contextvars).
A call inside a context of our own, in which they are off, costs about 30 ns; `np.errstate` around
it costs 900. A context can be entered by one call at a time: when another thread is inside, the
call is repeated under `np.errstate`.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from smolml_array._shapes.axes import _broadcast_shapes
from smolml_array.backends.protocol import Binary, Raw, Unary

_silence = contextvars.Context()
_silence.run(np.seterr, all="ignore")

# NumPy's variable and its value for silence: quicker to set than by NumPy's function
_SETTINGS = list(_silence.items())
_VARIABLE, _SILENT = _SETTINGS[0]

run: Callable[..., Any] = _silence.copy().run  # for one NumPy call
run_rule: Callable[..., Any] = _silence.copy().run  # for a whole function, which calls `run`

_F = TypeVar("_F", bound=Callable[..., Any])

ndarray = array_type = np.ndarray
_KINDS = {np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int64), np.dtype(np.bool)}
_FLOATS = {np.dtype(np.float64), np.dtype(np.float32)}
F64 = np.dtype(np.float64)
F32 = np.dtype(np.float32)
I64 = np.dtype(np.int64)
BOOL = np.dtype(np.bool)

# Elements up to which BLAS works on a vector by itself. Beyond, it wakes its threads, and waits
# for them long where other processes keep the cores busy.
ONE_THREAD = 8192


def is_quiet() -> bool:
    """Whether the running code was called by one of the functions here."""
    return _VARIABLE.get(None) is _SILENT


def quiet() -> np.errstate:
    """Within it raw operators (`1 / x`) do not warn either; the functions never do."""
    return np.errstate(all="ignore")


def quietly(f: Callable[..., Any], /, *args: Any) -> Any:
    """f(*args) as under `quiet()`, for less. f must not read context variables."""
    try:
        return run_rule(f, *args)
    except RuntimeError as error:
        if not _is_busy(error):
            raise
    return f(*args) if is_quiet() else quietly_here(f, *args)


def quietly_here(f: Callable[..., Any], /, *args: Any) -> Any:
    """f(*args) as under `quiet()`, in a copy of the caller's context: what it sets is undone."""
    return contextvars.copy_context().run(_silently, f, *args)


def _silently(f: Callable[..., Any], /, *args: Any) -> Any:
    for variable, value in _SETTINGS:
        variable.set(value)
    return f(*args)


def _is_busy(error: RuntimeError) -> bool:
    return str(error).startswith("cannot enter context")


def run_shared(error: RuntimeError, f: Callable[..., Any], *args: Any) -> Any:
    """f(*args) after `run` failed: again under errstate if another thread was in the context."""
    if not _is_busy(error):
        raise error
    with quiet():
        return f(*args)


def call(f: Callable[..., Any], /, *args: Any) -> Any:
    """f(*args) without warnings; a NumPy scalar becomes a 0-d array."""
    try:
        out = run(f, *args)
    except RuntimeError as error:
        out = run_shared(error, f, *args)
    return out if type(out) is ndarray else np.asarray(out)


def unary(name: str) -> Unary:
    """A ufunc of one array, as it is."""
    f = getattr(np, name)

    def quiet_unary(x: Raw, /) -> Raw:
        try:
            out = run(f, x)
        except RuntimeError as error:
            out = run_shared(error, f, x)
        return out if type(out) is ndarray else np.asarray(out)

    return _named(quiet_unary, name)


def float_unary(name: str) -> Unary:
    """A ufunc of one array that answers in floats: float64 for int64 and bool."""
    f = getattr(np, name)

    def quiet_float_unary(x: Raw, /) -> Raw:
        try:
            out = run(f, x)
        except RuntimeError as error:
            out = run_shared(error, f, x)
        if out.dtype is not F64 and out.dtype not in _FLOATS:  # float16 of bool, int of int
            out = call(f, np.asarray(x, dtype=F64))
        return out if type(out) is ndarray else np.asarray(out)

    return _named(quiet_float_unary, name)


def rounding(name: str, f: Any) -> Unary:
    """A ufunc that leaves whole numbers as they are."""

    def quiet_rounding(x: Raw, /) -> Raw:
        x = np.asarray(x)
        return call(f, x) if x.dtype.kind == "f" else x

    return _named(quiet_rounding, name)


def binary(name: str) -> Binary:
    """A ufunc of two arrays, as it is; shapes that do not broadcast raise in our words."""
    f = getattr(np, name)

    def quiet_binary(x1: Raw, x2: Raw, /) -> Raw:
        try:
            out = run(f, x1, x2)
        except RuntimeError as error:
            out = run_shared(error, f, x1, x2)
        except ValueError:
            check_broadcast(name, x1, x2)
            raise
        return out if type(out) is ndarray else np.asarray(out)

    return _named(quiet_binary, name)


def wide_binary(name: str) -> Binary:
    """A ufunc of two arrays; bools, which would give a small type, count as int64 or float64."""
    exact = binary(name)

    def quiet_wide_binary(x1: Raw, x2: Raw, /) -> Raw:
        out = exact(x1, x2)
        if out.dtype is F64 or out.dtype in _KINDS:
            return out
        wide = F64 if out.dtype.kind == "f" else I64
        return exact(np.asarray(x1, dtype=wide), np.asarray(x2, dtype=wide))

    return _named(quiet_wide_binary, name)


def check_broadcast(who: str, *operands: Raw) -> None:
    """Raise our ShapeError if the operands do not broadcast."""
    _broadcast_shapes(*map(np.shape, operands), who=who)


def _named(f: _F, name: str) -> _F:
    f.__name__ = f.__qualname__ = name
    f.ufunc = getattr(np, name)  # type: ignore[attr-defined]  # for who wants to say where to
    f.__doc__ = f"`numpy.{name}` without warnings, always an array."
    return f
