"""Other libraries' arrays in ops and beside Values, and NumPy's functions of Values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from smolml_value import scalar
from smolml_value._ops.number import is_number
from smolml_value.node import BUILT_IN, OperandBase


class Foreign(Protocol):
    """Another library's array."""

    def __array__(self) -> Any: ...


_takers: Final[list[Callable[[Any], OperandBase]]] = []

# NumPy's names where they are not ours; the inverse functions have "arc" for our "a"
_ALIASES: Final = {
    "absolute": "abs",
    "fabs": "abs",
    "float_power": "pow",
    "power": "pow",
    "rint": "round",
}
_ARITHMETIC: Final = ("add", "subtract", "multiply", "divide")
_COMPARISONS: Final = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
# Python's operators, which Values have, too
_OPERATORS: Final = {name: getattr(scalar, name) for name in (*_ARITHMETIC, *_COMPARISONS)}
_TESTS: Final = ("isfinite", "isinf", "isnan", "signbit")  # their answers have no gradient


def register_arrays(take: Callable[[Any], OperandBase]) -> None:
    """Have `take` make operands of other libraries' arrays where they meet ops and Values."""
    _takers[:] = [take]


def is_foreign(x: object) -> bool:
    """Whether x is another library's array, and no single number or object."""
    return (
        hasattr(x, "__array__")
        and not isinstance(x, OperandBase)
        and getattr(x, "shape", None) != ()
    )


def taken_in(who: str, x: Any) -> Any:
    """An operand with the numbers of another library's array; anything else as it is.

    Raises:
        TypeError: nobody takes arrays in; `who` was given one.
    """
    if not is_foreign(x):
        return x
    if not _takers:
        kind = type(x).__name__
        raise TypeError(f"{who}: got a {kind}, with which MLArrays compute; import smolml_array")
    return _takers[0](x)


def on_values(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """What a ufunc of NumPy gives for Values and numbers: a Value, in the graph.

    Beside an ndarray it gives what takes these in; beside one of objects, one of objects.

    Raises:
        TypeError: there is no such function of Values.
    """
    name = ufunc.__name__
    f = _OPERATORS.get(name)
    if f is not None and inputs[-1] is self and isinstance(inputs[0], float) and not kwargs:
        return f(float(inputs[0]), self)  # float64 * v, as loops over data have it
    if any(isinstance(x, OperandBase) and x._rank > self._rank for x in inputs):
        return NotImplemented  # it knows better
    if any(map(is_foreign, inputs)):
        made: list[Any] = [taken_in(f"np.{name}", x) for x in inputs if not _has_objects(x)]
        if len(made) < len(inputs):  # NumPy goes through its elements, and those of [v]
            made = [[x] if isinstance(x, OperandBase) else x for x in inputs]
        return getattr(ufunc, method)(*made, **kwargs)
    f = f or BUILT_IN.get(_ALIASES.get(name, name.replace("arc", "a")))
    f = ufunc if name in _TESTS else f
    if f is None or method != "__call__" or kwargs:
        raise TypeError(
            f"np.{name}: there is no such function of Values; float(v) is the number of v "
            f"without a graph"
        )
    if f is ufunc:
        return ufunc(*map(float, inputs))
    return f(*[float(x) if is_number(x) else x.item() if hasattr(x, "item") else x for x in inputs])


def _has_objects(x: Any) -> bool:
    return getattr(getattr(x, "dtype", None), "kind", "") == "O"
