"""N-d arrays in which every element is a Value: MLArray, its backends and its functions."""

from smolml_array import _derivatives as _derivatives  # arrays answer to the transforms
from smolml_array import _explaining as _explaining
from smolml_array import _showing as _showing
from smolml_array import _transforming as _transforming
from smolml_array._default import use_backend
from smolml_array._replay import replay
from smolml_array._shape import AxisError, ShapeError
from smolml_array.array import MLArray
from smolml_array.creation import arange, eye, from_dlpack, full, linspace, ones, zeros
from smolml_array.functions import clip, concat, matmul, maximum, minimum, stack, where
from smolml_array.operations import (
    diagonal,
    flip,
    pad,
    repeat,
    roll,
    sliding_windows,
    split,
    tile,
    trace,
    tril,
    triu,
)
from smolml_array.products import (
    affine,
    cumulative_prod,
    cumulative_sum,
    einsum,
    matrix_norm,
    norm,
    outer,
    vector_norm,
)
from smolml_array.random import Generator, rand, randn, seed
from smolml_array.selection import argsort, sort, take, take_along_axis

__version__ = "0.1.0"

__all__ = [
    "AxisError",
    "Generator",
    "MLArray",
    "ShapeError",
    "affine",
    "arange",
    "argsort",
    "clip",
    "concat",
    "cumulative_prod",
    "cumulative_sum",
    "diagonal",
    "einsum",
    "eye",
    "flip",
    "from_dlpack",
    "full",
    "linspace",
    "matmul",
    "matrix_norm",
    "maximum",
    "minimum",
    "norm",
    "ones",
    "outer",
    "pad",
    "rand",
    "randn",
    "repeat",
    "replay",
    "roll",
    "seed",
    "sliding_windows",
    "sort",
    "split",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "trace",
    "tril",
    "triu",
    "use_backend",
    "vector_norm",
    "where",
    "zeros",
]
