"""What counts as a number, and as which float."""

from __future__ import annotations

from typing import Any, Final

from smolml_value.node import Node


def is_number(x: object) -> bool:
    """Whether x is one real number: a float, int, bool, Fraction, Decimal, NumPy scalar, ..."""
    if isinstance(x, (float, int)):  # a union would be made anew each time
        return True
    return (
        hasattr(type(x), "__float__")  # of its type: the class `float` itself is no number
        and not isinstance(x, Node | complex)
        and getattr(x, "shape", ()) == ()
        and getattr(getattr(x, "dtype", None), "kind", "f") in "fiub"  # no complex, no strings
    )


def as_float(x: object, who: str) -> float:
    """x as a float.

    Raises:
        TypeError: x is not a real number; `who` says where it was given.
        OverflowError: a whole number beyond the largest float.
    """
    if type(x) is float:
        return x
    if is_number(x):
        try:
            return float(x)  # type: ignore[arg-type]  # is_number has seen __float__
        except OverflowError:
            raise OverflowError(
                f"{who}: {type(x).__name__} too large for a float (the largest is about 1.8e308)"
            ) from None
    if isinstance(x, Node):
        raise TypeError(
            f"{who}: expected a number, got a {type(x).__name__}; use it as it is, or its `.data` "
            f"for a number without a graph"
        )
    shown = repr(x)
    if len(shown) > 60:
        shown = shown[:57] + "..."
    raise TypeError(
        f"{who}: expected a number (int, float, Fraction, Decimal, NumPy scalar), "
        f"got {type(x).__name__} {shown}{_ADVICE.get(type(x), '')}"
    )


_ADVICE: Final[dict[type, str]] = {str: "; float(text) makes one", list: "; an MLArray has several"}


def refused(x: object) -> Any:
    """NotImplemented, for a class that may know better; no text and no list ever will.

    Raises:
        TypeError: x is one of these, of which Python would say that they cannot be joined.
    """
    return as_float(x, "Value") if type(x) in _ADVICE else NotImplemented
