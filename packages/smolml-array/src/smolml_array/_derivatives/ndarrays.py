"""How transforms see ndarrays: as MLArrays inside, and what comes back are ndarrays again."""

from __future__ import annotations

from typing import Any

from smolml_array._derivatives.arguments import ArrayRules
from smolml_array.array import MLArray
from smolml_value.extending.derivatives import OperandRules, register, shape_of


class NDArrayRules(OperandRules):
    """The answers for NumPy's arrays and scalars, which need not be installed."""

    is_plain = True

    def plain(self, x: Any, y: Any) -> Any:
        """Floats for single results; for x an array of its dtype, or a scalar as x is one."""
        if x is None and shape_of(y) == ():
            return float(y)
        import numpy as np  # who gives an ndarray has it

        made = np.array(y, None if x is None else x.dtype)
        return made[()] if isinstance(x, np.generic) else made

    def new_leaf(self, x: Any) -> MLArray:
        if x.dtype.kind != "f":
            raise TypeError(f"an ndarray of {x.dtype} has no derivative; use x.astype('float64')")
        return ArrayRules().new_leaf(MLArray(x))

    alias = new_leaf


for _name in ("ndarray", "float16", "float32", "longdouble"):  # a float64 is a float
    register(f"numpy.{_name}", NDArrayRules())
