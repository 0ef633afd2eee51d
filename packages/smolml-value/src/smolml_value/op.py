"""What an element-wise op is: a name, a forward and its partials, callable on any operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from smolml_value._ops.definition import (
    VARIADIC,
    Interval,
    Partial,
    Rule,
    checked_domain,
    checked_partials,
    help_signature,
    signature,
)
from smolml_value._ops.foreign import Foreign, is_foreign, taken_in
from smolml_value._ops.ieee import evaluate, evaluate_all
from smolml_value._ops.number import as_float
from smolml_value.errors import OpError
from smolml_value.node import Node, OperandBase
from smolml_value.traced import TracedNamespace

if TYPE_CHECKING:
    import inspect  # slow to load, and needed for help only

T = TypeVar("T", bound="OperandBase")


class _HelpSignature:
    """What help() and editors show of an Op; a `__getattr__` would slow down every attribute."""

    def __get__(self, op: Op | None, owner: type) -> inspect.Signature:
        if op is None:  # the class itself has none but that of its __init__
            raise AttributeError("__signature__")
        named = op._base or op  # what is bound has the operands that its author named
        return help_signature(named.forward, op.arity, op.params)


class Op:
    """An element-wise op: frozen data with a name, callable on numbers, Values and MLArrays.

    `elementwise` makes one. Its rules are written against an array-API-shaped namespace `xp`, so
    that one definition serves floats, every array backend and, run on traced operands,
    derivatives of every order.

    Attributes:
        name: what it is registered as.
        symbol: what `Value._op` shows ("+", "*", "tanh").
        arity: how many operands it takes; -1 for any number.
        forward: `forward(xp, *args, **params)`, the result.
        partials: one per operand: `partial(xp, out, *args, **params)`, or a plain number, or
            None for an operand that has no derivative; None altogether for a composite, which is
            differentiated through its forward.
        vjp: `vjp(xp, g, out, *args, **params)`, one cotangent per operand, in place of partials.
        params: keyword parameters and their values, not differentiated.
        domain: one interval per operand, from which checks take their samples.

    >>> from smolml_value import Value, ops
    >>> ops.tanh(0.0), ops.tanh(Value(0.0))
    (0.0, Value(data=0.0, grad=0.0))
    """

    name: str
    symbol: str
    arity: int
    forward: Rule
    partials: tuple[Partial, ...] | None
    vjp: Rule | None
    params: Mapping[str, Any]
    domain: tuple[Interval, ...]
    __name__: str
    __qualname__: str
    _base: Op | None  # the op that this one was bound from
    _bound: dict[tuple[tuple[str, Any], ...], Op]
    _derived: dict[object, Any]  # what others have made of its rules; it lives as long as the op

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields, _derived={})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self.name}: an Op is frozen; cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self.name}: an Op is frozen; cannot delete {name!r}")

    @property
    def is_composite(self) -> bool:
        """Whether it has no rule of its own and is differentiated through its forward."""
        return self.partials is None and self.vjp is None

    @overload
    def __call__(self, x: T, /, *args: T | float, **params: Any) -> T: ...
    @overload
    def __call__(self, x: float, y: T, /, *args: T | float, **params: Any) -> T: ...
    @overload
    def __call__(self, x: float, y: float, z: T, /, *args: T | float, **params: Any) -> T: ...
    @overload
    def __call__(self, x: float, /, *args: float, **params: Any) -> float: ...
    @overload
    def __call__(self, x: Foreign, /, *args: Any, **params: Any) -> Any: ...
    def __call__(self, /, *args: Any, **params: Any) -> Any:
        """Apply it to numbers (a float comes back), Values, MLArrays or a mixture of them."""
        if len(args) == 1 and not params and self.arity == 1 and isinstance(args[0], OperandBase):
            return args[0]._apply(self, args)
        if params or len(args) != self.arity:
            return self._with_params(args, params)
        kind: type[OperandBase] | None = None
        foreign = False
        for arg in args:
            if isinstance(arg, OperandBase):
                if kind is None or type(arg)._rank > kind._rank:
                    kind = type(arg)
            elif arg.__class__ is not float and is_foreign(arg):
                foreign = True
        if foreign and (kind is None or not kind._takes_arrays):
            return self(*(taken_in(self.name, arg) for arg in args))
        if kind is not None:
            return kind._apply(self, args)
        return self.on_floats([as_float(arg, self.name) for arg in args])

    def on_floats(self, numbers: Sequence[float]) -> float:
        """The result on plain floats, with IEEE answers."""
        try:
            return evaluate(self.forward, *numbers)
        except TypeError as error:
            raise self._no_number("forward", error) from error

    def _with_params(self, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if self.arity == VARIADIC and args:
            return self.bind(**params)._with(arity=len(args))(*args)
        operands, more = args[: self.arity], args[self.arity :]
        if not args or len(operands) < self.arity or len(more) > len(self.params):
            wanted = f"{abs(self.arity)} argument{'s' if self.arity > 1 else ''}"  # of -1 at least
            known = f" and {', '.join(self.params)}" if self.params else ""
            raise OpError(f"{self.name}: expected {wanted}{known}, got {len(args)}")
        for name, value in zip(self.params, more, strict=False):
            if name in params:
                raise OpError(f"{self.name}: got {name!r} twice: by position and by name")
            params[name] = value
        return self.bind(**params)(*operands)

    def bind(self, **params: Any) -> Op:
        """The same op with its keyword parameters set.

        Raises:
            OpError: a parameter that the op does not have, or a Value as a parameter.
        """
        if not params:
            return self
        unknown = sorted(set(params) - set(self.params))
        if unknown:
            known = ", ".join(self.params) or "none"
            raise OpError(f"{self.name}: unknown parameter {unknown[0]!r}; its parameters: {known}")
        for name, value in params.items():
            if isinstance(value, Node):  # its gradient would be lost in silence
                raise OpError(
                    f"{self.name}: the parameter {name!r} is not differentiated; expected a plain "
                    f"number, got a {type(value).__name__}"
                )
            if type(self.params[name]) is float and isinstance(value, str | bytes):
                raise OpError(f"{self.name}: the parameter {name!r} is a number, got {value!r:.60}")
        merged = {**self.params, **params}
        try:
            key = tuple(merged.items())
            found = self._bound.get(key)
        except TypeError:  # a value that cannot be hashed
            return self._rebound(merged)
        if found is None:
            if len(self._bound) >= 128:  # a parameter that changes at every call
                self._bound.clear()
            found = self._bound[key] = self._rebound(merged)
        return found

    def _rebound(self, params: dict[str, Any]) -> Op:
        base = self._base or self

        def fixed(rule: Partial) -> Partial:
            return partial(rule, **params) if callable(rule) else rule

        return base._with(
            forward=fixed(base.forward),
            vjp=fixed(base.vjp),
            partials=base.partials and tuple(fixed(p) for p in base.partials),
            params=MappingProxyType(params),
        )

    def _with(self, **changes: Any) -> Op:
        """An op made of this one, with other fields."""
        return Op(**{**self.__dict__, "_base": self._base or self, "_bound": {}, **changes})

    def on(self, xp: Any, *args: Any) -> Any:
        """Apply it inside another op's rule, whatever the namespace of that rule is.

        >>> from smolml_value import elementwise, ops
        >>> gelu = elementwise("gelu", lambda xp, x: x * 0.5 * (1 + ops.erf.on(xp, x / 2**0.5)))
        >>> round(gelu(1.0), 6)
        0.841345
        """
        return self(*args) if isinstance(xp, TracedNamespace) else self.forward(xp, *args)

    def scalar_partial(self, i: int, out: float, args: Sequence[float]) -> float:
        """The partial to operand `i` at these floats, as a float."""
        assert self.partials is not None
        rule = self.partials[i]
        if callable(rule):
            try:
                return evaluate(rule, out, *args)
            except TypeError as error:
                raise self._no_number(f"partial {i}", error) from error
        return 0.0 if rule is None else float(rule)

    def scalar_vjp(self, g: float, out: float, args: Sequence[float]) -> tuple[float, ...]:
        """The cotangents of all operands at these floats, for an op with a vjp."""
        assert self.vjp is not None
        cotangents = evaluate_all(self.vjp, g, out, *args)
        if not isinstance(cotangents, tuple | list) or len(cotangents) != len(args):
            raise OpError(
                f"{self.name}: its vjp returned {cotangents!r}; expected a tuple of {len(args)}, "
                f"one cotangent per operand"
            )
        try:
            return tuple(0.0 if c is None else float(c) for c in cotangents)
        except (TypeError, ValueError) as error:
            raise self._no_number("vjp", error) from error

    def _no_number(self, rule: str, error: Exception) -> OpError:
        return OpError(f"{self.name}: its {rule} must give a number for numbers, but: {error}")

    def __repr__(self) -> str:
        params = "".join(f", {k}={v!r}" for k, v in self.params.items())
        operands = "*args" if self.arity == VARIADIC else ", ".join("xyzuvw"[: self.arity])
        return f"<op {self.name}({operands}{params})>"

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: object) -> Op:
        return self

    __signature__: _HelpSignature = _HelpSignature()


def elementwise(
    name: str,
    forward: Rule,
    partials: Sequence[Partial] | None = None,
    *,
    vjp: Rule | None = None,
    arity: int | None = None,
    domain: Sequence[Interval] | None = None,
    symbol: str | None = None,
    doc: str | None = None,
) -> Op:
    """Make an element-wise op from its forward and its partials.

    Args:
        name: an identifier; the op is found under it once registered.
        forward: `forward(xp, *args)`; keyword-only arguments with defaults become parameters.
        partials: per operand `partial(xp, out, *args)`, d out / d operand; a plain number where
            it is constant; None where there is none. Leave the whole out for a composite.
        vjp: `vjp(xp, g, out, *args)` in place of partials, where cotangent x partial loses.
        arity: the number of operands, if it cannot be read from `forward`.
        domain: per operand the interval from which checks sample; default (-2, 2).
        symbol: what `Value._op` shows; default the name.
        doc: a docstring.

    Raises:
        OpError: a name that is no identifier, a forward whose operands cannot be counted, not
            one partial or not one interval for each operand.

    >>> from smolml_value import Value
    >>> cube = elementwise("cube", lambda xp, x: x * x * x, [lambda xp, out, x: 3 * x * x])
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise OpError(f"elementwise: the name {name!r} is not an identifier")
    if partials is not None and vjp is not None:
        raise OpError(f"{name}: give partials or a vjp, not both")
    arity, params = signature(name, forward, arity)
    return Op(
        name=name,
        symbol=symbol or name,
        arity=arity,
        forward=forward,
        partials=None if partials is None else checked_partials(name, partials, arity),
        vjp=vjp,
        params=MappingProxyType(params),
        domain=checked_domain(name, domain, arity),
        __doc__=doc or forward.__doc__ or f"{name}, element by element.",
        __name__=name,
        __qualname__=name,
        __module__=getattr(forward, "__module__", None),
        _base=None,
        _bound={},
    )
