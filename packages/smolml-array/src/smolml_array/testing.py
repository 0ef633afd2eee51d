"""check_backend: a backend of arrays held to the protocol, and to the pure one.

For authors of backends. The whole test of a backend is one line:

    def test_my_backend():
        check_backend("mine")
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any, NamedTuple

import smolml_array
from smolml_array._checking.samples import Call, Dtype, Sample, calls
from smolml_array._derivatives.kinds import Kind
from smolml_array.array import MLArray
from smolml_array.backends import get_backend
from smolml_array.backends.namespace import CONSTANTS
from smolml_array.backends.protocol import Backend, protocol_names
from smolml_array.config import use_backend
from smolml_value.extending import TABLE
from smolml_value.extending.derivatives import leaves
from smolml_value.testing import CheckError, Findings, Planned, Report, check_op, close, run_checks

__all__ = ["CheckError", "Report", "check_backend"]

_COMPARED = 50  # calls of one function that are answered
_SHOWN = 3  # failures of one function
_NO_CONTENT = ("empty", "placeholder")  # what numbers these give is nobody's business
_BASIS = ("from_flat", "to_flat", "is_array")  # without these nothing can be checked
_OF_ARRAYS = {"x", "x1", "self", "arrays", "condition", "subscripts"}  # first parameters


def check_backend(name: str, *, raise_on_failure: bool = True) -> Report:
    """Check a backend: that it offers the whole protocol, and answers as the pure backend does.

    Every function of the protocol is called with arrays of every dtype and rank, 0-d and empty
    ones, zeros, infinities and nan among them, and with what its other parameters may be: its
    results must have the same numbers but for rounding, dtype and shape, what `pure` refuses it
    must refuse, and it must leave its arguments as they are and not warn. Then every op is checked
    on its arrays (see `smolml_value.testing.check_op`), and every function and method of arrays
    that is no op, with its gradients.

    Args:
        name: which backend, as `get_backend` finds it.
        raise_on_failure: whether a failure raises, as in a test, or is only reported.

    Raises:
        CheckError: a check failed; the message says which, of what, and both answers.
        ValueError: no such backend.

    >>> report = check_backend("pure")
    >>> report.ok, [check.name for check in report.checks[:4]]
    (True, ['constants', 'from_flat', 'to_flat', 'is_array'])
    """
    __tracebackhide__ = True  # pytest then shows the report and the caller, not this
    xp = get_backend(name)
    report = Report(f"<backend {name!r}>", f"backend {name!r}", run_checks(_plan(xp), _explained))
    if raise_on_failure and not report.ok:
        raise CheckError(report)
    return report


def _explained(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _plan(xp: Backend) -> Iterator[Planned]:
    """Every check: what ops and arrays are built on goes first, so that a fault is told once."""
    pure = get_backend("pure")
    functions = [name for name in protocol_names() if inspect.isroutine(getattr(pure, name))]
    functions = [*_BASIS, *(name for name in functions if name not in _BASIS)]
    yield Planned("constants", partial(_check_constants, xp))
    for name in functions:
        both = (_Raws(xp), getattr(xp, name, None)), (_Raws(pure), getattr(pure, name))
        yield Planned(name, partial(_walk, name, *both), () if name in _BASIS else _BASIS)
    for op in TABLE.values():
        yield Planned(f"op {op.name}", partial(_check_op, xp, op), tuple(functions))
    for owner, names in ((smolml_array, smolml_array.__all__), (MLArray, protocol_names())):
        for name in names:
            f = getattr(owner, name, None)
            takes = list(inspect.signature(f).parameters) if inspect.isfunction(f) else []
            if name not in TABLE and not _OF_ARRAYS.isdisjoint(takes[:1]):
                check = partial(_walk, name, (_Arrays(xp), f), (_Arrays(pure), f))
                yield Planned(f"{owner.__name__}.{name}", check, tuple(functions))


class _Array(NamedTuple):
    """What there is to see of an array."""

    dtype: str
    shape: tuple[int, ...]
    sizes: tuple[int, int]
    numbers: list[Any]

    def __repr__(self) -> str:
        odd = self.sizes != (len(self.shape), math.prod(self.shape))
        return f"{self.dtype}{list(self.shape)}{f', ndim and size {self.sizes}' if odd else ''}"


class _Raws:
    """Calls with raw arrays of a backend."""

    def __init__(self, xp: Backend) -> None:
        self.xp = xp

    def outcome(self, f: Callable[..., Any], call: Call) -> tuple[Any, Any]:
        """What f gives, and what its arguments are then."""
        args, kwargs = map(self.given, call)
        return self.seen(f(*args, **kwargs)), self.seen([args, [*kwargs.values()]])

    def array(self, x: Sample) -> Any:
        return self.xp.from_flat(list(x.numbers), x.shape, getattr(self.xp, x.dtype))

    def given(self, x: Any) -> Any:
        """Arguments of this backend in place of samples."""
        if isinstance(x, Sample):
            return self.array(x)
        if isinstance(x, dict):
            return {key: self.given(value) for key, value in x.items()}
        if isinstance(x, list | tuple):
            return type(x)(map(self.given, x))
        if isinstance(x, Random):
            return Random(0)
        return getattr(self.xp, x) if isinstance(x, Dtype) else x

    def seen(self, x: Any) -> Any:
        """A result or an argument, without the backend that it is on."""
        x = x._current_node().raw if isinstance(x, MLArray) else x
        if self.xp.is_array(x):
            return _Array(self._name(x.dtype), tuple(x.shape), (x.ndim, x.size), self.xp.to_flat(x))
        if isinstance(x, list | tuple):
            return [*map(self.seen, x)]
        if isinstance(x, Random):
            return "a generator"  # its repr tells where it lies in memory
        if hasattr(x, "bits"):  # of finfo and iinfo
            return [float(getattr(x, key, 0)) for key in ("bits", "eps", "max", "min")]
        return x if isinstance(x, int | float | str | None) else self._name(x)

    def _name(self, dtype: Any) -> str:
        names = ("float64", "int64", "bool")
        return next((name for name in names if dtype == getattr(self.xp, name)), str(dtype))


class _Arrays(_Raws):
    """Calls with MLArrays on a backend; what they give are results and gradients."""

    def outcome(self, f: Callable[..., Any], call: Call) -> tuple[Any, Any]:
        args, kwargs = map(self.given, call)
        with use_backend(self.xp.name):  # where no argument is an array
            out = f(*args, **kwargs)
        for x in _tracked(out):
            weights = Sample(x.shape, "int64", tuple(range(1, math.prod(x.shape) + 1)))
            (x * self.array(weights)).sum().backward()
        given = [args, [*kwargs.values()]]
        return self.seen([out, [x.grad() for x in _tracked(given)]]), self.seen(given)

    def array(self, x: Sample) -> Any:
        return MLArray(super().array(x), x.dtype == "float64", dtype=x.dtype, backend=self.xp.name)


def _tracked(tree: Any) -> list[MLArray]:
    """The arrays in lists and tuples that have gradients."""
    return [x for x in leaves(tree) if isinstance(x, MLArray) and x.requires_grad]


def _check_constants(xp: Backend, found: Findings) -> None:
    for name, value in CONSTANTS.items():
        got = getattr(xp, name)
        found.expect(repr(got) == repr(value), f"{name} is {got!r}; expected {value!r}")


def _check_op(xp: Backend, op: Any, found: Findings) -> None:
    report = check_op(op, kinds=[Kind(xp.name, "float64")], raise_on_failure=False)
    for check in report.failures:
        for message in check.messages[:_SHOWN]:
            found.fail(f"{check.name}: {message}")


def _walk(name: str, mine: tuple[_Raws, Any], pure: tuple[_Raws, Any], found: Findings) -> None:
    """Call a function on a backend and on the pure one, and compare."""
    (side, f), (reference, oracle) = mine, pure
    compared = 0
    for call in calls(name, inspect.signature(oracle)):
        refused = False
        wanted = given = None
        try:
            wanted, given = reference.outcome(oracle, call)
        except (ValueError, IndexError):
            refused = True
        except Exception:  # not a call of which the protocol says anything
            continue
        shown = ", ".join([*map(repr, call[0]), *(f"{k}={v!r}" for k, v in call[1].items())])
        try:
            got, left = side.outcome(f, call)
        except Exception as error:
            as_pure = refused and isinstance(error, ValueError | IndexError)
            found.expect(as_pure, f"{name}({shown}) raises {_explained(error)}")
        else:
            wrong = "not refused" if refused else _difference(wanted, got, name in _NO_CONTENT)
            found.expect(not wrong, f"{name}({shown}): {wrong}")
            unchanged = refused or name.endswith("_into") or not _difference(given, left)
            found.expect(unchanged, f"{name}({shown}) changes its arguments")
            compared += not refused
        if compared == _COMPARED or len(found.failures) >= _SHOWN:
            break
    found.note(f"{compared} calls compared")


def _difference(wanted: Any, got: Any, no_content: bool = False) -> str:
    """What differs in what was seen; "" if nothing does."""
    if isinstance(wanted, _Array) and isinstance(got, _Array):
        if wanted[:3] == got[:3]:
            scale = max((abs(n) for n in wanted.numbers if math.isfinite(n)), default=0.0)
            for k, (x, y) in enumerate(zip(wanted.numbers, got.numbers, strict=True)):
                right = type(x) is type(y) and close(x, y, 1e-10, 1e-10 * scale)
                if not (right or no_content):
                    return f"element {k} is {y!r} in place of {x!r}"
            return ""
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return next(filter(None, map(_difference, wanted, got)), "")
    same = type(wanted) is type(got) and repr(wanted) == repr(got)
    return "" if same else f"{got!r:.60} in place of {wanted!r:.60}"
