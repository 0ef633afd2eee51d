"""N-d arrays in which every element is a Value: MLArray, its backends and its functions."""

from smolml_array._anomaly import answers as answers
from smolml_array._derivatives import arguments as arguments
from smolml_array._derivatives import nodes as nodes  # arrays answer to the transforms
from smolml_array._namespaces import protocols as protocols
from smolml_array._replay.replay import replay
from smolml_array._shapes.axes import AxisError, ShapeError
from smolml_array._showing import draw as draw
from smolml_array._showing import explain as explain
from smolml_array._showing import html as html
from smolml_array.array import MLArray
from smolml_array.config import use_backend
from smolml_array.functions.affine import affine
from smolml_array.functions.creation import arange, eye, from_dlpack, full, linspace, ones, zeros
from smolml_array.functions.einsum import einsum
from smolml_array.functions.joining import clip, concat, maximum, minimum, stack, where
from smolml_array.functions.random import Generator, rand, randn, seed

# The methods serve as functions, too, which take lists and numbers and give MLArrays.
argsort = MLArray.argsort
cumulative_prod = MLArray.cumulative_prod
cumulative_sum = MLArray.cumulative_sum
diagonal = MLArray.diagonal
diff = MLArray.diff
flip = MLArray.flip
logcumsumexp = MLArray.logcumsumexp
matmul = MLArray.matmul
matrix_norm = MLArray.matrix_norm
norm = MLArray.norm
outer = MLArray.outer
pad = MLArray.pad
repeat = MLArray.repeat
roll = MLArray.roll
sliding_windows = MLArray.sliding_windows
sort = MLArray.sort
split = MLArray.split
take = MLArray.take
take_along_axis = MLArray.take_along_axis
tile = MLArray.tile
trace = MLArray.trace
tril = MLArray.tril
triu = MLArray.triu
vector_norm = MLArray.vector_norm

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
    "diff",
    "einsum",
    "eye",
    "flip",
    "from_dlpack",
    "full",
    "linspace",
    "logcumsumexp",
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
