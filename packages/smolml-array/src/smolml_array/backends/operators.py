"""Python's operators for raw arrays, from the functions of a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_OF_ONE = "neg:negative pos:positive abs:abs invert:bitwise_invert"
_OF_TWO = (
    "eq:equal ne:not_equal lt:less le:less_equal gt:greater ge:greater_equal "
    "add:add sub:subtract mul:multiply truediv:divide floordiv:floor_divide mod:remainder pow:pow "
    "and:bitwise_and or:bitwise_or xor:bitwise_xor matmul:matmul"
)


def give_operators(
    kind: type, find: Callable[[str], Callable[..., Any]], takes: Any = object
) -> None:
    """From here on arrays of a kind have operators: `x + y` is `find("add")(x, y)`.

    `takes` is what may be the other operand; what is not is left to it.
    """
    for name, _, function in (entry.partition(":") for entry in _OF_ONE.split()):
        f = find(function)
        setattr(kind, f"__{name}__", lambda self, f=f: f(self))
    for name, _, function in (entry.partition(":") for entry in _OF_TWO.split()):
        f, other = find(function), kind if name == "matmul" and takes is not object else takes
        setattr(kind, f"__{name}__", _operator(f, other))
        # a comparison has no such method, and nobody looks for it
        setattr(kind, f"__r{name}__", _operator(lambda x, y, f=f: f(y, x), other))


def _operator(f: Callable[..., Any], takes: Any) -> Any:
    """f as a method that leaves what it does not take to the other operand."""
    return lambda self, other: f(self, other) if isinstance(other, takes) else NotImplemented
