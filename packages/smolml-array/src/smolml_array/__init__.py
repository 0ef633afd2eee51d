"""N-d arrays in which every element is a Value: MLArray, its backends and its functions."""

from smolml_array import _derivatives as _derivatives  # arrays answer to the transforms
from smolml_array import _showing as _showing
from smolml_array import _transforming as _transforming
from smolml_array._default import use_backend
from smolml_array._shape import AxisError, ShapeError
from smolml_array.array import MLArray
from smolml_array.creation import arange, eye, full, linspace, ones, zeros
from smolml_array.functions import clip, concat, matmul, maximum, minimum, stack, where
from smolml_array.random import Generator, rand, randn, seed

__version__ = "0.1.0"

__all__ = [
    "AxisError",
    "Generator",
    "MLArray",
    "ShapeError",
    "arange",
    "clip",
    "concat",
    "eye",
    "full",
    "linspace",
    "matmul",
    "maximum",
    "minimum",
    "ones",
    "rand",
    "randn",
    "seed",
    "stack",
    "use_backend",
    "where",
    "zeros",
]
