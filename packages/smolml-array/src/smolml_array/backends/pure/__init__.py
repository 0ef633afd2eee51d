"""The pure backend: our own N-d array, a flat list and a shape, without any dependency."""

from __future__ import annotations

from functools import partial

from smolml_array.backends.namespace import Namespace
from smolml_array.backends.operators import give_operators
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
from smolml_array.backends.pure.ndarray import NDArray

_MODULES = [binary, creation, dtypes, indexing, linalg, manipulation, reductions, sorting, unary]

BACKEND = Namespace("pure", _MODULES)
NDArray._xp = BACKEND
give_operators(NDArray, partial(getattr, BACKEND), (NDArray, float, int))
