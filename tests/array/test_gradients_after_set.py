"""Derivatives after data was set: those of the numbers that were recorded, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray
from smolml_value import (
    GraphError,
    Value,
    fused,
    grad,
    gradients,
    jacobian,
    no_grad,
    vjp,
)
from tests.array.helpers import assert_close, flat

# leaf, what is set, and the output
Made = tuple[Any, Any, Any]


def tanh() -> Made:
    x = MLArray([2.0])
    y = x.tanh()
    return x, y, (y * 3.0).sum()


def product() -> Made:
    x, w = MLArray([2.0]), MLArray([3.0])
    return x, w, (x * w).sum()


def matmul() -> Made:
    x, w = MLArray([2.0]), MLArray([[3.0]])
    return x, w, (x @ w).sum()


def window_product() -> Made:
    x, w = MLArray([2.0]), MLArray([[3.0], [4.0]])
    return x, w, (x * w[0]).sum()


def constant() -> Made:
    x, c = MLArray([2.0]), MLArray([3.0], requires_grad=False)
    return x, c, (x * c).sum()


def own_leaf() -> Made:
    x = MLArray([2.0])
    return x, x, (x.tanh() * x).sum()


def window_of_a_scalar() -> Made:
    x = MLArray(2.0)
    y = x.tanh()
    return x, y.reshape(()), y * 3.0


def used_element() -> Made:
    x = MLArray(2.0)
    y = x.tanh()
    return x, y.data, y.data + y


def of_two(f: Callable[[Any], Any]) -> Callable[[], Made]:
    def make() -> Made:
        x = MLArray([2.0, 1.0])
        y = f(x)
        return x, y, (y * y).sum()

    return make


def through_a_window() -> Made:
    x = MLArray([2.0, 1.0])
    y = x.exp()
    z = y[0:1]
    return x, y, (z * z).sum()


def through_elements() -> Made:
    x = MLArray([2.0, 1.0])
    y = x.exp()
    return x, y, y.data[0] * y.data[1]


def elements_of_a_leaf() -> Made:
    x = MLArray([2.0, 1.0])
    return x, x, x.data[0] * x.data[1]


def array_of_values() -> Made:
    values = [Value(2.0), Value(3.0)]
    x = MLArray(values)
    return values[0], x, (x * x).sum()


def array_of_values_beside_its_exp() -> Made:
    values = [Value(2.0), Value(3.0)]
    x = MLArray(values)
    return values[0], x, (x.exp() * x).sum()


def array_of_results() -> Made:
    v, w = Value(2.0), Value(3.0)
    x = MLArray([v * w, w])
    return v, x, (x * x).sum()


def value(f: Callable[[Any, Any], tuple[Any, Any]]) -> Callable[[], Made]:
    """f(v, w) gives what is set and the output."""

    def make() -> Made:
        v, w = Value(0.5), Value(0.25)
        held, out = f(v, w)
        return v, held, out

    return make


def with_result(y: Value) -> tuple[Value, Value]:
    return y, y * 3.0


CASES: dict[str, Callable[[], Made]] = {
    "result of tanh": tanh,
    "other leaf": product,
    "other leaf of a matmul": matmul,
    "other leaf behind a window": window_product,
    "constant": constant,
    "own leaf": own_leaf,
    "window of a 0-d result": window_of_a_scalar,
    "element that was used": used_element,
    "exp": of_two(lambda x: x.exp()),
    "sort": of_two(lambda x: x.sort()),
    "max": of_two(lambda x: x.max()),
    "prod": of_two(lambda x: x.prod()),
    "std": of_two(lambda x: x.std()),
    "norm": of_two(lambda x: x.norm()),
    "cumulative_prod": of_two(lambda x: x.cumulative_prod()),
    "logcumsumexp": of_two(lambda x: x.logcumsumexp()),
    "a window of exp": through_a_window,
    "elements of exp": through_elements,
    "elements of a leaf": elements_of_a_leaf,
    "array of Values": array_of_values,
    "array of Values and its exp": array_of_values_beside_its_exp,
    "array of results": array_of_results,
    "logsumexp of one twice": value(lambda v, w: (v, fused.logsumexp([v, v]))),
    "logsumexp": value(lambda v, w: (w, fused.logsumexp([v, w]))),
    "softmax": value(lambda v, w: (w, fused.softmax([v, w])[0] * 2.0)),
    "softmax of one twice": value(lambda v, w: (v, fused.softmax([v, v])[0] * 2.0)),
    "dot": value(lambda v, w: (w, fused.dot([v, v], [w, v]))),
    "mean": value(lambda v, w: (w, fused.mean([v, w]) ** 2)),
    "product of Values": value(lambda v, w: (w, v * w)),
    "square": value(lambda v, w: with_result(v * v)),
    "tanh of a Value": value(lambda v, w: with_result(v.tanh())),
    "exp of a Value": value(lambda v, w: (v, v.exp() * 1.0)),
    "hypot": value(lambda v, w: (w, v.hypot(w))),
}


def by_data(held: Any) -> None:
    if isinstance(held, Value):
        held.data += 5.0
    else:
        with no_grad():
            held.data = (held + 5.0).to_list()


def by_elements(held: Any) -> None:
    for element in [held] if isinstance(held, Value) else flat(held.data):
        element.data += 5.0


def by_update_values(held: Any) -> None:
    if isinstance(held, Value):
        held.data *= 3.0
    else:
        held.update_values((held * 3.0).to_list())


def in_place(held: Any) -> None:
    if isinstance(held, Value):
        held.data -= 0.5
    else:
        with no_grad():
            held -= 0.5


def through_window(held: Any) -> None:
    if isinstance(held, Value):
        held.data = 0.0
    else:
        with no_grad():
            held.reshape(-1)[...] = 0.0


SETTERS = [by_data, by_elements, by_update_values, in_place, through_window]


@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_backward(name: str, setter: Any, backend: str) -> None:
    untouched, _, out = CASES[name]()
    out.backward()
    want = _floats(untouched.grad if isinstance(untouched, Value) else untouched.grad())
    leaf, held, out = CASES[name]()
    setter(held)
    try:
        (got,) = gradients(out, [leaf])
    except GraphError:
        with pytest.raises(GraphError, match="was set after"):
            gradients(out, [leaf])
    else:
        assert_close(_floats(got), want, 1e-12)
    out.backward()
    assert_close(_floats(leaf.grad if isinstance(leaf, Value) else leaf.grad()), want, 1e-12)


def _floats(x: Any) -> list[float]:
    return [float(n) for n in flat(x.to_list() if isinstance(x, MLArray) else x)]


@pytest.mark.parametrize("setter", SETTERS)
def test_second_derivatives_are_at_the_numbers_of_then(setter: Any, backend: str) -> None:
    """d/dx of d/dx of x**2 w is 2 w, and d/dw of it 2 x."""
    x, w = MLArray([2.0]), MLArray([3.0])
    (first,) = gradients((x * x * w).sum(), [x])
    setter(w)
    second = gradients(first.sum(), [x, w])
    assert [g.to_list() for g in second] == [[6.0], [4.0]]


@pytest.mark.parametrize("setter", SETTERS)
def test_what_transforms_keep(setter: Any, backend: str) -> None:
    """A pullback, and gradients whose own graph is made when somebody asks for it."""
    w = MLArray([3.0])

    def f(x: Any) -> Any:
        return (x * x * w).sum()

    x = MLArray([2.0])
    _, pullback = vjp(f, x)
    lazy, rows = grad(f)(x), jacobian(lambda x: x * x * w)(x)
    for held in (w, x):
        setter(held)
    assert pullback(1.0)[0].to_list() == [12.0]
    assert gradients(lazy.sum(), [x, w])[0].to_list() == [6.0]
    rows.sum().backward()
    assert (x.grad().to_list(), w.grad().to_list()) == ([6.0], [4.0])
