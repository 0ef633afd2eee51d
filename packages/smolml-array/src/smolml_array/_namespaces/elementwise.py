"""Element-wise functions of the array API on MLArrays: ops of the table, or the backend's own."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Final

from smolml_array._graph.apply import Applying
from smolml_array._namespaces.binding import Function, passing
from smolml_array.backends.protocol import Backend
from smolml_value import Value, grad_enabled
from smolml_value.extending import TABLE, NoDerivativeError

# They answer in booleans, or take none but whole numbers: no gradient is lost.
_CONSTANT: Final = {
    *("bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift"),
    *("bitwise_xor", "equal", "greater"),
    *("greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "logical_and"),
    *("logical_not", "logical_or", "logical_xor", "not_equal", "signbit"),
}
_SHAPED: Final = {"matmul", "matrix_transpose", "outer"}  # of arrays, but not element by element


def names(kind: str) -> list[str]:
    """The element-wise functions that the backends declare as "Unary" or as "Binary"."""
    hints = inspect.get_annotations(Backend)
    return sorted(name for name, hint in hints.items() if hint == kind and name not in _SHAPED)


def first_array(who: str, operands: tuple[Any, ...]) -> Applying:
    """The first MLArray among the operands.

    Raises:
        TypeError: there is none.
    """
    for operand in operands:
        if isinstance(operand, Applying):
            return operand
    given = ", ".join(type(operand).__name__ for operand in operands)
    raise TypeError(f"{who}: expected an MLArray among the operands, got {given}")


def constant(name: str, *operands: Any, **how: Any) -> Any:
    """The backend's function of the numbers, as a constant or several."""
    array = first_array(name, operands)
    xp, _, _, numbers = array._operands(name, operands)
    out = getattr(xp, name)(*numbers, **how)
    if isinstance(out, tuple):
        return tuple(array._constant(xp, raw) for raw in out)
    return array._constant(xp, out)


def is_tracked(operand: object) -> bool:
    """Whether a gradient would flow to it from a result."""
    if isinstance(operand, Applying):
        return grad_enabled() and operand._current_node().tracked
    return grad_enabled() and isinstance(operand, Value)


def no_derivative(name: str) -> NoDerivativeError:
    """The error for a function through which no gradient can go."""
    return NoDerivativeError(
        f"{name}: it has no derivative here, and an operand requires gradients; use x.detach() "
        f"for the numbers alone"
    )


def apply(name: str, *operands: Any) -> Any:
    """The element-wise function of this name; stays in the graph where gradients flow.

    Raises:
        NoDerivativeError: gradients flow to an operand, and the function has no derivative.
        TypeError: there is no MLArray among the operands, or a dtype does not fit.
    """
    if name in _CONSTANT or not any(map(is_tracked, operands)):
        return constant(name, *operands)
    op = TABLE.get(name)
    if op is None:
        raise no_derivative(name)
    return first_array(name, operands)._apply(op, operands)


FUNCTIONS: Final[dict[str, Function]] = {
    **{n: passing(n, "x, /", partial(apply, n), f"{n} of each element.") for n in names("Unary")},
    **{
        n: passing(n, "x1, x2, /", partial(apply, n), f"{n} of each pair, which broadcast.")
        for n in names("Binary")
    },
}
"""Every element-wise function of the standard that the backends have, by name."""
