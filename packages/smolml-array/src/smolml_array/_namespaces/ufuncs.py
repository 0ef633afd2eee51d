"""NumPy's ufuncs on MLArrays: np.tanh(x), ndarray * x, np.add.reduce(x) and the like.

They stay in the graph. What cannot be, or would write into an ndarray, raises and says what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from smolml_array._graph.apply import Applying
from smolml_array._namespaces import elementwise, functions
from smolml_array.array import MLArray
from smolml_value import Value, table

_OURS: Final = elementwise.FUNCTIONS
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{getattr(np, name).__name__: f for name, f in _OURS.items()},  # np.acos is called arccos
    "conjugate": functions.conj,
    **dict.fromkeys(("deg2rad", "radians"), lambda x: x * (math.pi / 180.0)),
    **dict.fromkeys(("rad2deg", "degrees"), lambda x: x * (180.0 / math.pi)),
    "divmod": lambda x, y: (_OURS["floor_divide"](x, y), _OURS["remainder"](x, y)),
    "exp2": lambda x: table.pow(2.0, x),
    "fabs": _OURS["abs"],
    "float_power": _OURS["pow"],
    "rint": _OURS["round"],
}
_REDUCTIONS: Final = {
    "add": "sum",
    "logical_and": "all",
    "logical_or": "any",
    "maximum": "max",
    "minimum": "min",
    "multiply": "prod",
}


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a ufunc, or a method of one, gives for MLArrays.

    NotImplemented if another library's array among the inputs may know better.

    Raises:
        TypeError: there is no such function of MLArrays, or it has no such keyword.
    """
    name = ufunc.__name__
    asked = f"np.{name}" + ("" if method == "__call__" else f".{method}")
    if kwargs.get("out") is not None:
        raise TypeError(
            f"{asked}: an MLArray cannot be written into an ndarray (out=, or a += x), since its "
            f"graph would be lost; write a = a + x, or give np.asarray(x)"
        )
    if any(map(_is_foreign, inputs)):
        return NotImplemented
    kwargs = {k: v for k, v in kwargs.items() if not _says_nothing(k, v)}
    if method == "__call__" and name in ("matmul", "vecdot"):
        return _product(name, asked, inputs, kwargs)
    known = name in _FUNCTIONS
    if method == "reduce" and name in _REDUCTIONS:
        return _reduced(_REDUCTIONS[name], asked, *inputs, **kwargs)
    if method == "outer" and known and ufunc.nin == 2 and not kwargs:
        x, y = (_as_array(v, inputs) for v in inputs)
        return _FUNCTIONS[name](x.reshape(x.shape + (1,) * y.ndim), y)
    if method != "__call__" or not known:
        raise TypeError(
            f"{asked}: there is no such function of MLArrays; np.asarray(x) gives the numbers "
            f"without a graph"
        )
    _refuse_keywords(asked, kwargs)
    return _FUNCTIONS[name](*inputs)


def _says_nothing(keyword: str, value: object) -> bool:
    return value is True if keyword == "where" else value is None and keyword != "axis"


def _is_foreign(operand: object) -> bool:
    """Whether it is an array of another library that overrides ufuncs."""
    if isinstance(operand, Applying | Value | float | int | list | tuple):
        return False
    own = getattr(type(operand), "__array_ufunc__", None)
    return own is not None and own is not np.ndarray.__array_ufunc__


def _refuse_keywords(asked: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise TypeError(
            f"{asked}: of MLArrays it takes no {', '.join(kwargs)}=; where(condition, x, y) and "
            f"x.astype(dtype) are functions of MLArrays"
        )


def _as_array(x: Any, others: tuple[Any, ...]) -> MLArray:
    """An operand as an MLArray on the backend of the others."""
    if isinstance(x, MLArray):
        return x
    array = next(o for o in others if isinstance(o, MLArray))
    return array.__array_namespace__().asarray(x)  # type: ignore[no-any-return]


def _product(name: str, asked: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    how = {"axis": kwargs.pop("axis")} if name == "vecdot" and "axis" in kwargs else {}
    _refuse_keywords(asked, kwargs)
    return functions.FUNCTIONS[name](*(_as_array(v, inputs) for v in inputs), **how)


def _reduced(name: str, asked: str, x: MLArray, axis: Any = 0, **kwargs: Any) -> Any:
    """ufunc.reduce: over the first axis, unless it says otherwise."""
    keepdims = bool(kwargs.pop("keepdims", False))
    _refuse_keywords(asked, kwargs)
    return getattr(x, name)(axis, keepdims)
