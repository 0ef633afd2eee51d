"""The namespaces that the suite is asked about, as it can import them."""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from smolml_array import MLArray
from smolml_array.backends import get_backend

BACKENDS: Final = ("pure", "numpy")
NAMES: Final = (*BACKENDS, *(f"arrays-{backend}" for backend in BACKENDS))
"""The backends themselves, which rules are written against, and the namespaces of MLArrays."""

ABSENT: Final = ("complex64", "complex128", "uint16", "uint32", "uint64", "int8", "int16")
"""Dtypes that no namespace has, and that the suite asks for nowhere by name."""

STAND_INS: Final = {"uint8": "int64", "int32": "int64"}
"""What the suite gets where it asks by name for an integer dtype that no namespace has: it means
any integers there."""


class Float32:
    """What the suite gets for float32 where there is none: of no array, but its eps is asked."""

    eps = 2.0**-23


class Asked:
    """A namespace under the name of its own that reports show; what it has, and the stand-ins."""

    def __init__(self, name: str) -> None:
        kind, _, backend = name.rpartition("-")
        self.__name__ = name
        self._namespace: Any = (
            MLArray(0.0, backend=backend).__array_namespace__() if kind else get_backend(backend)
        )

        if not hasattr(self._namespace, "float32"):
            self.float32, finfo = Float32, self._namespace.finfo
            self.finfo = wraps(finfo)(lambda type, /: type if type is Float32 else finfo(type))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._namespace, STAND_INS.get(name, name))

    @property
    def skipped(self) -> list[str]:
        """The dtypes of which the suite must make no arrays."""
        names = *ABSENT, *STAND_INS, "float32"
        return [name for name in names if not hasattr(self._namespace, name)]
