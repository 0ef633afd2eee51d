"""PyTorch tensors as a backend of SmolML's arrays, on the device that SMOLML_TORCH_DEVICE names.

>>> from smolml_array import MLArray
>>> MLArray([1.0, 2.0], backend="torch").exp().backend
'torch'
"""

from __future__ import annotations

from smolml_array.extending import Namespace
from smolml_torch import arrays, elementwise, functions

__all__ = ["BACKEND"]
__version__ = "0.1.0"

BACKEND = Namespace("torch", [elementwise, functions, arrays], extra=["float32"])
arrays.Array.xp = BACKEND  # from here on arrays have operators
