"""The pure backend: our own N-d array, a flat list and a shape, without any dependency."""

from __future__ import annotations

from smolml_array.backends.namespace import Namespace
from smolml_array.backends.pure import (
    binary,
    creation,
    dtypes,
    indexing,
    linalg,
    manipulation,
    reductions,
    sorting,
    unary,
)
from smolml_array.backends.pure.ndarray import give_operators

_MODULES = [binary, creation, dtypes, indexing, linalg, manipulation, reductions, sorting, unary]

BACKEND = Namespace("pure", _MODULES)
give_operators(BACKEND)
