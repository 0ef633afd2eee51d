"""NumPy's functions as anybody may call them: no warnings, and no scalars in place of arrays.

NumPy's warnings (divide, invalid, overflow) are a setting of the current context (contextvars).
A call in a context where they are off costs some 70 ns, `np.errstate` around it 900.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from smolml_array._shapes.axes import _broadcast_shapes
from smolml_array._shapes.sizes import in_words
from smolml_array.backends.signatures import Raw

ndarray = np.ndarray
SILENT = contextvars.Context()
SILENT.run(np.seterr, all="ignore")

_silence = SILENT.copy


def guarded(name: str, f: Callable[..., Any]) -> Any:
    """f under the name that the protocol has for it; a ufunc's errors of shapes in our words."""
    if isinstance(f, np.ufunc):
        call: Any = _binary(name, f) if f.nin == 2 else _unary(f)
        call.__doc__ = f"`numpy.{name}` without warnings, always an array."
    else:
        call = functools.update_wrapper(_function(f), f)
    call.__name__ = call.__qualname__ = name
    return call


def _unary(f: Any) -> Any:
    def call(x: Raw, /) -> Raw:
        out = _silence().run(f, x)
        return out if out.__class__ is ndarray else np.asarray(out)

    return call


def _binary(name: str, f: Any) -> Any:
    def call(x1: Raw, x2: Raw, /) -> Raw:
        try:
            out = _silence().run(f, x1, x2)
        except ValueError:
            check_broadcast(name, x1, x2)
            raise
        except MemoryError as error:
            raise in_words(name, error) from None
        return out if out.__class__ is ndarray else np.asarray(out)

    return call


def _function(f: Callable[..., Any]) -> Any:
    def call(*args: Any, **params: Any) -> Any:
        out = _silence().run(f, *args, **params)
        return out if out.__class__ is ndarray or isinstance(out, tuple) else np.asarray(out)

    return call


def check_broadcast(who: str, *operands: Raw) -> None:
    """Raise our ShapeError if the operands do not broadcast."""
    _broadcast_shapes(*map(np.shape, operands), who=who)
