"""N-d arrays in which every element is a Value: MLArray, its backends and its functions."""

from typing import TYPE_CHECKING, Final

from smolml_array._anomaly import answers as answers
from smolml_array._derivatives import arguments as arguments
from smolml_array._derivatives import nodes as nodes  # arrays answer to the transforms
from smolml_array._derivatives.vmap import vmap
from smolml_array._namespaces import protocols as protocols
from smolml_array._replay.replay import replay
from smolml_array._shapes.axes import AxisError, ShapeError
from smolml_array._showing import draw as draw
from smolml_array._showing import explain as explain
from smolml_array._showing import html as html
from smolml_array.array import MLArray
from smolml_array.backends.derived.linalg import LinAlgError
from smolml_array.config import use_backend
from smolml_array.functions.affine import affine
from smolml_array.functions.creation import arange, eye, from_dlpack, full, linspace, ones, zeros
from smolml_array.functions.einsum import einsum
from smolml_array.functions.equations import cholesky, det, inv, matrix_power, slogdet, solve
from smolml_array.functions.joining import (
    clip,
    concat,
    matmul,
    maximum,
    minimum,
    outer,
    stack,
    where,
)
from smolml_array.functions.numerics import (
    average,
    convolve,
    cross,
    diag,
    interp,
    kron,
    median,
    trapezoid,
)
from smolml_array.functions.random import Generator, rand, randn, seed
from smolml_value.extending import missing

# The methods serve as functions, too, which take lists and numbers and give MLArrays.
argsort: Final = MLArray.argsort
cumulative_prod: Final = MLArray.cumulative_prod
cumulative_sum: Final = MLArray.cumulative_sum
diagonal: Final = MLArray.diagonal
diff: Final = MLArray.diff
flip: Final = MLArray.flip
index_add: Final = MLArray.index_add
logcumsumexp: Final = MLArray.logcumsumexp
matrix_norm: Final = MLArray.matrix_norm
norm: Final = MLArray.norm
pad: Final = MLArray.pad
repeat: Final = MLArray.repeat
roll: Final = MLArray.roll
sliding_windows: Final = MLArray.sliding_windows
sort: Final = MLArray.sort
split: Final = MLArray.split
take: Final = MLArray.take
take_along_axis: Final = MLArray.take_along_axis
tile: Final = MLArray.tile
trace: Final = MLArray.trace
tril: Final = MLArray.tril
triu: Final = MLArray.triu
vector_norm: Final = MLArray.vector_norm

__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker would take any misspelt name for granted

    def __getattr__(name: str) -> object:
        raise missing("smolml_array", name, __all__, MLArray)


__all__ = ["AxisError", "LinAlgError", "MLArray", "ShapeError", "use_backend"]
__all__ += ["arange", "eye", "from_dlpack", "full", "linspace", "ones", "zeros"]  # of numbers
__all__ += ["Generator", "rand", "randn", "seed"]  # random ones
__all__ += ["clip", "maximum", "minimum", "where"]
__all__ += ["average", "cumulative_prod", "cumulative_sum", "diff", "logcumsumexp", "median"]
__all__ += ["concat", "flip", "pad", "repeat", "roll", "sliding_windows", "split", "stack", "tile"]
__all__ += ["argsort", "index_add", "sort", "take", "take_along_axis"]
__all__ += ["affine", "convolve", "cross", "einsum", "kron", "matmul", "outer"]  # products
__all__ += ["diag", "diagonal", "trace", "tril", "triu"]
__all__ += ["cholesky", "det", "inv", "matrix_power", "slogdet", "solve"]
__all__ += ["matrix_norm", "norm", "vector_norm"]
__all__ += ["interp", "replay", "trapezoid", "vmap"]
