"""The array API standard's namespace for MLArrays: what `x.__array_namespace__()` returns."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any, Final

from smolml_array._namespaces import elementwise, functions
from smolml_array._namespaces.creation import Info, creation
from smolml_array.backends import get_backend
from smolml_array.backends.namespace import CONSTANTS
from smolml_array.convert import dtypes_of

VERSIONS: Final = ("2024.12", "2023.12", "2022.12", "2021.12")


class ArrayNamespace:
    """Functions of MLArrays on one backend, under the array API standard's names.

    Arrays that require gradients stay in the graph; what has no derivative says so. New arrays
    are constants, as `asarray([1.0])` is.
    """

    __array_api_version__ = VERSIONS[0]

    def __init__(self, backend: str) -> None:
        xp = get_backend(backend)
        self.__name__ = f"smolml_array.{backend}"
        self._backend = backend
        self._info = Info(xp)
        tables = elementwise.FUNCTIONS, functions.FUNCTIONS, creation(xp)
        for table in (CONSTANTS, dtypes_of(xp), *tables):
            self.__dict__.update(table)
        self.linalg = SimpleNamespace(**functions.LINALG)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the array namespace of the {self._backend} backend has no {name!r}"
            if not name.startswith("_")
            else name
        )

    def __array_namespace_info__(self) -> Info:
        """The capabilities, devices and dtypes, as the standard asks for them."""
        return self._info

    def __repr__(self) -> str:
        return f"<array namespace of MLArrays, {self._backend} backend>"

    def __reduce__(self) -> tuple[Any, ...]:
        return array_namespace, (self._backend,)


@cache
def _namespace(backend: str) -> ArrayNamespace:
    return ArrayNamespace(backend)


def array_namespace(backend: str, api_version: str | None = None) -> ArrayNamespace:
    """The namespace for a backend, always the same object.

    Raises:
        ValueError: a version of the standard that is not offered.
    """
    if api_version is not None and api_version not in VERSIONS:
        raise ValueError(
            f"__array_namespace__: unknown version {api_version!r} of the array API: expected one "
            f"of {', '.join(VERSIONS)}"
        )
    return _namespace(backend)
