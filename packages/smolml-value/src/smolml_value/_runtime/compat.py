"""What the compiler must be told and the interpreter can do without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mypy_extensions import i32 as i32
    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    i32 = int
    try:
        from mypy_extensions import mypyc_attr
    except ImportError:  # it is no dependency: without it nothing is compiled either

        def mypyc_attr(*args: Any, **kwargs: Any) -> Any:
            """Leave the class as it is."""
            return lambda cls: cls


# Arguments declared as float or str are converted by compiled code, which then answers a wrong
# one with an error of its own. Those of the types below arrive as they were given.


class Real(Protocol):
    """One real number: a float, int, Fraction, Decimal, ...; neither an array nor a Value."""

    def __float__(self) -> float: ...

    def conjugate(self) -> Any: ...


class Text(Protocol):
    """A str."""

    def casefold(self) -> str: ...
