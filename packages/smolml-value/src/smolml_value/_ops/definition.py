"""What the author of an op gives, checked: signature of the forward, partials, domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smolml_value.errors import OpError

if TYPE_CHECKING:
    from inspect import Signature

# A rule gets floats, raw arrays of any backend or traced operands: no one type names them.
Rule = Callable[..., Any]
Partial = Rule | float | None  # a formula, a constant, or None: not differentiable there
Interval = tuple[float, float]

VARIADIC = -1  # the arity of an op of any number of arguments
_HAS_VARARGS = 0x04  # the flag of a code object with *args


def signature(name: str, forward: Rule, arity: int | None) -> tuple[int, dict[str, Any]]:
    """How many operands `forward(xp, ...)` takes, and its keyword-only parameters."""
    params = dict(getattr(forward, "__kwdefaults__", None) or {})
    if arity is not None:
        if arity != VARIADIC and arity < 1:
            raise OpError(f"{name}: expected an arity of 1 or more (-1: any number), got {arity}")
        return arity, params
    code = getattr(forward, "__code__", None)
    if code is None:
        raise OpError(f"{name}: cannot read the arguments of its forward {forward!r}; pass arity=")
    if forward.__defaults__ or code.co_kwonlyargcount > len(params):
        raise OpError(
            f"{name}: operands have no defaults and parameters need one; write the parameters of "
            f"its forward after a star: lambda xp, x, *, alpha=0.1: ..."
        )
    if code.co_flags & _HAS_VARARGS:
        return VARIADIC, params
    is_method = getattr(forward, "__self__", None) is not None
    operands = code.co_argcount - 1 - is_method
    if operands < 1:
        raise OpError(f"{name}: its forward takes xp and at least one operand: lambda xp, x: ...")
    return operands, params


def checked_partials(name: str, partials: Sequence[Partial], arity: int) -> tuple[Partial, ...]:
    """The partials as a tuple, one per operand."""
    if isinstance(partials, str) or not isinstance(partials, Sequence):
        raise OpError(
            f"{name}: partials must be a sequence, one per operand, got a "
            f"{type(partials).__name__}; is a comma missing, as in (partial,)?"
        )
    if arity == VARIADIC:
        raise OpError(
            f"{name}: an op of any number of operands cannot list its partials; give a vjp, or "
            f"nothing for a composite"
        )
    if len(partials) != arity:
        raise OpError(f"{name}: expected {arity} partials, one per operand, got {len(partials)}")
    for i, partial in enumerate(partials):
        if not (partial is None or callable(partial) or isinstance(partial, float | int)):
            raise OpError(
                f"{name}: partial {i} is {partial!r}; expected a formula "
                f"(lambda xp, out, x: ...), a number or None"
            )
    return tuple(partials)


def checked_domain(
    name: str, domain: Sequence[Interval] | None, arity: int
) -> tuple[Interval, ...]:
    """One interval per operand; (-2, 2) for each where none is given."""
    count = 1 if arity == VARIADIC else arity
    if domain is None:
        return ((-2.0, 2.0),) * count
    if len(domain) != count:
        raise OpError(f"{name}: expected {count} intervals in domain, got {len(domain)}")
    for interval in domain:
        if not (isinstance(interval, Sequence) and len(interval) == 2):
            raise OpError(f"{name}: expected intervals (low, high) in domain, got {interval!r}")
        if not interval[0] < interval[1]:
            raise OpError(f"{name}: the interval {interval!r} in domain is empty")
    return tuple(domain)


def help_signature(forward: Rule, arity: int, params: Mapping[str, Any]) -> Signature:
    """The signature that help() shows: operands by position, then the parameters."""
    from inspect import Parameter, Signature  # slow to import: only help needs it

    code = getattr(forward, "__code__", None)
    names = list(code.co_varnames[1 : code.co_argcount]) if code is not None else []
    if arity == VARIADIC:
        operands = [Parameter("args", Parameter.VAR_POSITIONAL)]
    else:
        if len(names) != arity:
            names = list("xyzuvw"[:arity]) if arity <= 6 else [f"x{i}" for i in range(arity)]
        operands = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    return Signature(
        [*operands, *(Parameter(k, Parameter.KEYWORD_ONLY, default=v) for k, v in params.items())]
    )
