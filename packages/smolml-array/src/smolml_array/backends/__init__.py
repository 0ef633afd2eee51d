"""The array backends, by name: `get_backend("numpy")`, `get_backend("pure")`."""

from __future__ import annotations

from functools import cache
from typing import cast

from smolml_array.backends.protocol import Backend, Raw

__all__ = ["BACKENDS", "Backend", "Raw", "get_backend"]

BACKENDS = ("numpy", "pure")


@cache
def get_backend(name: str) -> Backend:
    """The backend of this name, always the same object; NumPy is imported only when asked for.

    Raises:
        ValueError: no such backend.
        ImportError: NumPy is not installed, or older than 2.

    >>> get_backend("pure").name
    'pure'
    """
    if name == "numpy":
        from smolml_array.backends.numpy import BACKEND as NUMPY

        return cast(Backend, NUMPY)
    if name == "pure":
        from smolml_array.backends.pure import BACKEND as PURE

        return cast(Backend, PURE)
    expected = ", ".join(map(repr, BACKENDS))
    raise ValueError(f"unknown backend {name!r}: expected one of {expected}")
