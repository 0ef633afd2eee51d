"""NumPy's ufuncs on MLArrays: np.tanh(x), ndarray * x and the like stay in the graph."""

from __future__ import annotations

from typing import Any, Final

from smolml_array import _rules
from smolml_array._applying import Applying
from smolml_value.table import TABLE

# NumPy's older names of ops in the table
_ALIASES: Final = {
    "absolute": "abs",
    "fabs": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "float_power": "pow",
    "power": "pow",
    "rint": "round",
    "true_divide": "divide",
}
_MIRRORED: Final = {
    "less": "greater",
    "less_equal": "greater_equal",
    "greater": "less",
    "greater_equal": "less_equal",
}
_SYMMETRIC: Final = {"equal", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor"}
_COMPARISONS: Final = {*_MIRRORED, *_SYMMETRIC, "logical_and", "logical_or", "logical_xor"}
_TESTS: Final = frozenset({"isfinite", "isinf", "isnan", "logical_not", "signbit"})


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `ufunc(*inputs)` is for MLArrays; NotImplemented (a TypeError) if we have no such op."""
    name = _ALIASES.get(ufunc.__name__, ufunc.__name__)
    if method != "__call__" or kwargs:
        return NotImplemented
    array = next(x for x in inputs if isinstance(x, Applying))
    if name in TABLE:
        return array._element_wise_operation(TABLE[name], inputs)
    if name == "matmul":
        return array._rule(_rules.MATMUL, *inputs)
    if name in _COMPARISONS:
        if inputs[0] is array:
            return array._compare(name, inputs[1])
        return array._compare(_MIRRORED.get(name, name), inputs[0])
    if name in _TESTS:
        node = array._fetch()
        return array._constant(node.backend, getattr(node.backend, name)(node.raw))
    return NotImplemented
