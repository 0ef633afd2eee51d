"""Ops from plain functions of floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from smolml_value._ops.definition import Interval
from smolml_value._ops.ieee import or_nan
from smolml_value.errors import NoDerivativeError
from smolml_value.op import Op, elementwise
from smolml_value.traced import TracedNamespace


def scalar_elementwise(
    name: str,
    f: Callable[..., float],
    df: Callable[..., Any] | Sequence[Callable[..., Any]],
    *,
    arity: int | None = None,
    domain: Sequence[Interval] | None = None,
    symbol: str | None = None,
    doc: str | None = None,
) -> Op:
    """Make an op from plain float functions; they are mapped over arrays, element by element.

    NumPy's universal functions, which scipy.special's are too, run on a whole NumPy array at once.

    Args:
        name: an identifier.
        f: the function, of floats; where it raises ValueError or OverflowError, nan results.
        df: its derivative, of the same floats, or one for each operand. Give Ops for
            derivatives of higher order, which a plain function does not have.
        arity: the number of operands; default: as many as there are derivatives.
        domain: as for `elementwise`.
        symbol: as for `elementwise`.
        doc: as for `elementwise`.

    >>> import math
    >>> from smolml_value import Value
    >>> erfc = scalar_elementwise(
    ...     "erfc", math.erfc, lambda x: -2 / math.sqrt(math.pi) * math.exp(-x * x)
    ... )
    >>> x = Value(0.0)
    >>> erfc(x).backward()
    >>> round(x.grad, 12)
    -1.128379167096
    """
    derivatives = (df,) if callable(df) else tuple(df)
    return elementwise(
        name,
        partial(_map_forward, or_nan(f)),
        tuple(partial(_map_partial, name, d) for d in derivatives),
        arity=len(derivatives) if arity is None else arity,
        domain=domain,
        symbol=symbol,
        doc=doc or f.__doc__ or f"{name}, element by element.",
    )


def _map_forward(f: Callable[..., float], xp: Any, *args: Any) -> Any:
    return xp.map_scalar(f, *args)


def _map_partial(name: str, df: Callable[..., Any], xp: Any, out: Any, *args: Any) -> Any:
    if isinstance(df, Op):
        return df.on(xp, *args)
    if isinstance(xp, TracedNamespace):
        raise NoDerivativeError(
            f"{name}: its derivative is a plain float function, which has no derivative itself; "
            f"for higher orders give df as an Op"
        )
    return xp.map_scalar(or_nan(df), *args)
