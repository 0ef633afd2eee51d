"""THE TABLE OF ARRAY FUNCTIONS: every function is one entry, and all else is a binding of it.

An entry is a function of arrays with its types, its docs and its checks. What it does is a `Rule`
(a primitive) or a body that calls other entries (a composite, whose derivatives follow). Bindings
are the method (`f = f` in the class of its family, of which MLArray is one), `smolml_array.f`, the
array API's namespace and NumPy's dispatch, which differ in the parameters alone, and the namespace
that rules are run on to be differentiated again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from types import FunctionType
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, Protocol, TypeVar, overload

from smolml_array._graph.apply import Applying
from smolml_array._graph.arithmetic import ArrayLike
from smolml_array._graph.rule import OUT, Rule, Vjp
from smolml_array.convert import in_graph
from smolml_value import Value
from smolml_value.extending import TracedNamespace, answering

Array = Applying  # what functions build on: MLArray adds the methods

P = ParamSpec("P")
A = TypeVar("A", bound=Array)
F = TypeVar("F", bound=Callable[..., Any])
Tangents = Sequence[Any]  # of the operands of a rule: None for zero


class Entry(NamedTuple):
    """A function, and what its bindings need to know.

    Attributes:
        function: what is bound.
        standard: the parameters of the array API's function of that name, as in a `def`; "" if it
            has none.
        numpy: those of NumPy's, behind its name if that is another: "cumsum(a, axis=None)".
        flattens: whether NumPy's axis=None means all elements in C order.
    """

    function: Callable[..., Any]
    standard: str = ""
    numpy: str = ""
    flattens: bool = False


FUNCTIONS: Final[dict[str, Entry]] = {}
"""The entries by the array API's name, or the function's own."""


class Method(Protocol[P]):
    """A function of an array that gives an array of the same class, bound or not."""

    @overload
    def __call__(self, x: A, /, *args: P.args, **kwargs: P.kwargs) -> A: ...
    @overload
    def __call__(self, x: ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __get__(self, x: None, owner: type[A], /) -> Callable[Concatenate[ArrayLike, P], A]: ...
    @overload
    def __get__(self, x: A, owner: Any, /) -> Callable[P, A]: ...


def entry(
    standard: str = "", *, numpy: str = "", flattens: bool = False, name: str = ""
) -> Callable[[F], F]:
    """Put a function in the table; the arguments are those of `Entry`."""

    def register(f: F) -> F:
        if "axis" in f.__annotations__ and "foreign" not in f.__annotations__:
            f = answering(f)  # others call it dim; what is in every gradient asks by itself
        FUNCTIONS[name or f.__name__] = Entry(f, standard, numpy, flattens)
        return f

    return register


def array_function(
    standard: str = "", *, numpy: str = "", flattens: bool = False, name: str = ""
) -> Callable[[Callable[Concatenate[Any, P], Array]], Method[P]]:
    """`entry` for a function whose first argument and whose result are arrays: a method, too."""
    put: Any = entry(standard, numpy=numpy, flattens=flattens, name=name)
    return put  # type: ignore[no-any-return]


def linear(
    name: str,
    adjoint: Vjp,
    *,
    forward: Callable[..., Any] | None = None,
    into: Callable[..., Any] | None = None,
    formula: str = "",
) -> Rule:
    """The rule of a function of one array that is linear in it, the backend's of that name.

    Its adjoint is its vjp; of x and of the result it needs to know no more than shape and dtype.
    """
    return Rule(
        name, forward or name, adjoint, jvp="linear", into=into, not_saved=(0, OUT), formula=formula
    )


def on_numbers(xp: Any) -> bool:
    """Whether a rule runs on plain arrays: not to be differentiated again, nor for many examples.

    Only then may it look at numbers to choose a quicker way.
    """
    return not isinstance(xp, TracedNamespace) and not hasattr(xp, "depth")


def added(terms: Iterable[Any]) -> Any:
    """The sum of the terms that are there; None if there is none."""
    known = [term for term in terms if term is not None]
    return reduce(operator.add, known) if known else None


def multilinear(f: Callable[..., Any], tangents: Tangents, operands: Sequence[Any]) -> Any:
    """The tangent of an f that is linear in each operand: f with a tangent in the place of each."""
    known = [(i, t) for i, t in enumerate(tangents) if t is not None]
    return added(f(*operands[:i], t, *operands[i + 1 :]) for i, t in known)


FOR_RULES: Final[dict[str, Callable[..., Any]]] = {}
"""What rules that are differentiated again call in place of an entry, or where there is none."""


def for_rules(f: F) -> F:
    """Register a function that rules call by its name, with parameters that need no check."""
    FOR_RULES[f.__name__.lstrip("_")] = f
    return f


_kind: type[Any] = Array


def results_are(kind: type[Any]) -> None:
    """Say which class arrays have that are made of lists and numbers."""
    global _kind
    _kind = kind
    for family in kind.__mro__[1:]:  # Python's errors name methods, and no class inside
        for name, f in vars(family).items():
            if isinstance(f, FunctionType) and f.__qualname__ == f"{family.__name__}.{name}":
                f.__qualname__ = name


def as_array(x: ArrayLike, *others: ArrayLike) -> Array:
    """x as an array on the backend of the others; numbers are constants, Values are not."""
    if isinstance(x, Array):
        return x
    backend = next((o._node.backend.name for o in others if isinstance(o, Array)), None)
    made: Array = _kind(x, requires_grad=isinstance(x, Value) or in_graph(x), backend=backend)
    return made
