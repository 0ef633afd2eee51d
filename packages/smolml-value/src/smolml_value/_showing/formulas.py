"""Formulas of partials, found by running an op's rule on symbols: plugin ops have them, too.

A rule is written against a namespace `xp`, so it does not notice that its operands are texts. A
symbol also has a number where it is known: of a where() only the branch that was taken is shown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from smolml_value import scalar
from smolml_value._showing.numerals import numeral
from smolml_value.node import OperandBase
from smolml_value.op import Op
from smolml_value.traced import TracedNamespace

_CHOICE, _LOGIC, _COMPARISON, _SUM, _PRODUCT, _POWER, _ATOM = range(7)  # how tightly it holds
_LONG: Final = 72  # characters above which a formula explains nothing
_SUPERSCRIPTS: Final = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")


class Symbol(OperandBase):
    """A text that is computed with; `number` is what it stands for, None if that is not known.

    It has Python's operators; they are given to it below, from the tables. An op inside of a rule
    (`op.on(xp, x)`) is written as a call.
    """

    __slots__ = ("level", "number", "opposite", "text")
    __hash__ = None  # type: ignore[assignment]  # == gives a symbol

    def __init__(self, text: str, level: int = _ATOM, number: Any = None) -> None:
        self.text = text
        self.level = level
        self.number = number
        self.opposite: Symbol | None = None  # what this is minus

    @classmethod
    def _apply(cls, op: Any, args: Sequence[object]) -> Symbol:
        symbols = [_symbol(x) for x in args]
        numbers = [x.number for x in symbols]
        return _call(op.name, symbols, None if None in numbers else op.on_floats(numbers))

    def at(self, level: int) -> str:
        """The text, in brackets if it does not hold together as tightly as this."""
        return self.text if self.level >= level else f"({self.text})"

    def __bool__(self) -> bool:
        if self.number is None:
            raise TypeError("a symbol without a number is neither true nor false")
        return bool(self.number)

    def __neg__(self) -> Symbol:
        return _negative(self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return Symbol(f"|{self.text}|", _ATOM, _number(scalar.abs, self))


def _symbol(x: Any) -> Symbol:
    if isinstance(x, Symbol):
        return x
    number = float(x)
    return Symbol(numeral(number), _PRODUCT if number < 0 else _ATOM, number)


def _is(x: Symbol, number: float) -> bool:
    """Whether x is written as this number."""
    return x.number == number and x.text == numeral(number)


def _is_written_out(x: Symbol) -> bool:
    return x.number is not None and x.text == numeral(x.number)


def _number(f: Callable[..., Any] | None, *args: Symbol) -> Any:
    """What f gives for the numbers of symbols; None if one of them is not known, or f is not."""
    numbers = [x.number for x in args]
    if f is None or any(x is None for x in numbers):
        return None
    try:
        return f(*numbers)
    except (ArithmeticError, TypeError, ValueError):
        return None


# Arithmetic ------------------------------------------------------------------------------------


def _operate(name: str, x: Any, y: Any) -> Symbol:
    """An operation of the table below: numbers are computed with, all else is written."""
    left, right = _symbol(x), _symbol(y)
    number = _number(getattr(scalar, name), left, right)
    if number is not None and _is_written_out(left) and _is_written_out(right):
        is_short = name != "divide" or len(numeral(number)) < 6  # 1 / 3 says more than 0.3333
        if is_short:
            return _symbol(number)
    return _ARITHMETIC[name][1](left, right, number)


def _add(x: Symbol, y: Symbol, number: Any) -> Symbol:
    if _is(x, 0.0):
        return y
    if _is(y, 0.0):
        return x
    if y.opposite is not None:
        return _operate("subtract", x, y.opposite)
    return Symbol(f"{x.at(_SUM)} + {y.at(_PRODUCT)}", _SUM, number)


def _subtract(x: Symbol, y: Symbol, number: Any) -> Symbol:
    if _is(y, 0.0):
        return x
    if _is(x, 0.0):
        return _negative(y)
    return Symbol(f"{x.at(_SUM)} − {y.at(_POWER if y.opposite else _PRODUCT)}", _SUM, number)


def _multiply(x: Symbol, y: Symbol, number: Any) -> Symbol:
    if _is(x, 1.0):
        return y
    if _is(y, 1.0):
        return x
    if _is(x, -1.0):
        return _negative(y)
    if x.text == y.text:
        return _operate("pow", x, 2.0)
    if x.opposite is not None and x.opposite.text == y.text:
        return _negative(_operate("pow", y, 2.0))
    return Symbol(f"{x.at(_PRODUCT)} · {y.at(_POWER)}", _PRODUCT, number)


def _divide(x: Symbol, y: Symbol, number: Any) -> Symbol:
    if _is(y, 1.0):
        return x
    return Symbol(f"{x.at(_PRODUCT)} / {y.at(_POWER)}", _PRODUCT, number)


def _pow(x: Symbol, y: Symbol, number: Any) -> Symbol:
    if _is(y, 1.0):
        return x
    if _is(y, 0.0):
        return _symbol(1.0)
    if _is_written_out(y) and y.number == int(y.number) and abs(y.number) < 100:
        power = str(int(y.number)).translate(_SUPERSCRIPTS)
        return Symbol(f"{x.at(_ATOM)}{power}", _POWER, number)
    return Symbol(f"{x.at(_ATOM)}^{y.at(_ATOM)}", _POWER, number)


def _negative(x: Symbol) -> Symbol:
    if _is_written_out(x):
        return _symbol(-x.number)
    if x.opposite is not None:
        return x.opposite
    made = Symbol(f"−{x.at(_PRODUCT)}", _PRODUCT, None if x.number is None else -x.number)
    made.opposite = x
    return made


_ARITHMETIC: Final[dict[str, tuple[str, Callable[[Symbol, Symbol, Any], Symbol]]]] = {
    "add": ("add", _add),
    "subtract": ("sub", _subtract),
    "multiply": ("mul", _multiply),
    "divide": ("truediv", _divide),
    "pow": ("pow", _pow),
}
"""Per function of `xp` the operator of Python, and how it is written."""

for _name, (_operator, _) in _ARITHMETIC.items():
    setattr(Symbol, f"__{_operator}__", lambda x, y, name=_name: _operate(name, x, y))
    setattr(Symbol, f"__r{_operator}__", lambda x, y, name=_name: _operate(name, y, x))

# Comparisons and choices -----------------------------------------------------------------------

_COMPARISONS: Final[dict[str, tuple[str, Callable[[Any, Any], Any], int]]] = {
    "eq": ("=", operator.eq, _COMPARISON),
    "ne": ("≠", operator.ne, _COMPARISON),
    "lt": ("<", operator.lt, _COMPARISON),
    "le": ("≤", operator.le, _COMPARISON),
    "gt": (">", operator.gt, _COMPARISON),
    "ge": ("≥", operator.ge, _COMPARISON),
    "and": ("and", lambda x, y: bool(x) and bool(y), _LOGIC),
    "or": ("or", lambda x, y: bool(x) or bool(y), _LOGIC),
}
"""Per operator of Python how it is written, what it computes and how tightly it holds."""
_DECIDES: Final = {"and": False, "or": True}


def _compare(name: str, x: Symbol, other: Any) -> Symbol:
    sign, compare, level = _COMPARISONS[name]
    y = _symbol(other)
    number: bool | None = None
    if x.number is not None and y.number is not None:
        number = bool(compare(x.number, y.number))
    elif (decides := _DECIDES.get(name)) is not None:  # whatever the other is
        number = decides if decides in (x.number, y.number) else None
    return Symbol(f"{x.at(level + 1)} {sign} {y.at(level + 1)}", level, number)


for _name in _COMPARISONS:
    setattr(Symbol, f"__{_name}__", lambda x, y, name=_name: _compare(name, x, y))


def _where(condition: Any, x: Any, y: Any) -> Symbol:
    if_so, c, if_not = _symbol(x), _symbol(condition), _symbol(y)
    if c.number is not None:
        return if_so if c.number else if_not
    return Symbol(f"{if_so.at(_LOGIC)} if {c.at(_LOGIC)} else {if_not.text}", _CHOICE)


# The namespace ---------------------------------------------------------------------------------


class _Names:
    """The `xp` of symbols."""

    negative = staticmethod(lambda x: -_symbol(x))
    square = staticmethod(lambda x: _operate("pow", x, 2.0))
    abs = staticmethod(lambda x: abs(_symbol(x)))
    where = staticmethod(_where)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _ARITHMETIC:
            return partial(_operate, name)
        f: Any = getattr(scalar, name, None)
        if isinstance(f, float):  # a constant, such as pi
            return f

        def call(*args: Any, **kwargs: Any) -> Symbol:
            symbols = [_symbol(x) for x in args if x is not None]
            return _call(name, symbols, _number(None if kwargs else f, *symbols))

        return call

    @staticmethod
    def map_scalar(f: Callable[..., float], *args: Any) -> Symbol:
        symbols = [_symbol(x) for x in args]
        name = getattr(getattr(f, "__wrapped__", f), "__name__", "")
        if not name.isidentifier():  # a lambda, which tells nothing
            raise TypeError("a function without a name")
        return _call(name, symbols, _number(f, *symbols))


def _call(name: str, args: Sequence[Symbol], number: Any) -> Symbol:
    return Symbol(f"{name}({', '.join(x.text for x in args)})", _ATOM, number)


_XP: Final = TracedNamespace(partial(getattr, _Names()))


def partial_formula(
    op: Op, i: int, names: Sequence[str], out: str, numbers: Sequence[float | None]
) -> tuple[str, float | None]:
    """The partial of an op to operand i in terms of names, and its number if that is known.

    The text is "" where there is no readable one. `numbers` are those of the operands and of the
    result, as far as they are known; an operand that is a constant has its number for a name.

    >>> from smolml_value import ops
    >>> partial_formula(ops.tanh, 0, ["x"], "y", [0.0, 0.0])
    ('(1 / cosh(x))²', 1.0)
    """
    if op.partials is None:
        return "", None
    rule = op.partials[i]
    if not callable(rule):
        number = 0.0 if rule is None else float(rule)
        return numeral(number), number
    symbols = [
        Symbol(name, _PRODUCT if name.startswith("−") else _ATOM, x)
        for name, x in zip((*names, out), numbers, strict=True)
    ]
    try:
        made = _symbol(rule(_XP, symbols[-1], *symbols[:-1]))
        if made.level in (_COMPARISON, _LOGIC):  # true counts as 1
            made = _where(made, 1.0, 0.0)
    except Exception:  # a plugin's rule may do what it likes; then without formula
        return "", None
    return made.text if len(made.text) <= _LONG else "", made.number
