"""Values and arrays that are given with a dtype stay in the graph, if it is one of floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smolml_array import MLArray, full, linspace
from smolml_array.backends import get_backend
from smolml_value import Value, no_grad

FORMS: dict[str, Callable[[Value, MLArray], Any]] = {
    "a Value": lambda v, x: v,
    "a list of Values": lambda v, x: [v, v * 2.0],
    "Values beside numbers": lambda v, x: [[v, 1.0], [0.0, v]],
    "an array": lambda v, x: x,
    "a result": lambda v, x: x * v,
    "elements": lambda v, x: x.data,
    "a list of arrays": lambda v, x: [x, x * v],
    "a list of 0-d arrays": lambda v, x: [x[0], x[1] * x[0]],
}
KINDS = [("pure", "float64"), ("numpy", "float64"), ("numpy", "float32")]


def _gradients(make: Callable[[Any], MLArray], form: str, backend: str) -> tuple[Any, Any]:
    v, x = Value(1.5), MLArray([2.0, -3.0], backend=backend)
    y = make(FORMS[form](v, x))
    (y * y).sum().backward()
    return v.grad, x.grad().to_list()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("backend", "dtype"), KINDS)
def test_gradients_flow_as_without_a_dtype(form: str, backend: str, dtype: str) -> None:
    if backend == "numpy":
        pytest.importorskip("numpy")
    wanted = _gradients(lambda data: MLArray(data, backend=backend), form, backend)
    assert wanted != (0.0, [0.0, 0.0])
    xp: Any = MLArray([1.0], backend=backend).__array_namespace__()

    def made(data: Any) -> MLArray:
        y = MLArray(data, dtype=dtype, backend=backend)
        assert y.dtype == getattr(get_backend(backend), dtype)
        return y

    assert _gradients(made, form, backend) == wanted
    assert _gradients(lambda data: xp.asarray(data, dtype=dtype), form, backend) == wanted


def test_of_the_dtype_that_it_has_an_array_is_a_window(backend: str) -> None:
    x = MLArray([1.0, 2.0], backend=backend)
    y = MLArray(x, dtype="float64")
    assert y.data[0] is x.data[0]
    v = Value(1.0)
    assert MLArray([v], dtype="float64", backend=backend).data[0] is v


@pytest.mark.parametrize("form", FORMS)
def test_constants_are_asked_for(form: str, backend: str) -> None:
    v, x = Value(1.5), MLArray([2.0, -3.0], backend=backend)
    data = FORMS[form](v, x)
    assert not MLArray(data, False, dtype="float64", backend=backend).requires_grad
    assert not MLArray(data, dtype="int64", backend=backend).requires_grad
    with no_grad():
        leaf = MLArray(data, dtype="float64", backend=backend)
    leaf.sum().backward()
    assert (v.grad, x.grad().to_list()) == (0.0, [0.0, 0.0])


def test_constants_become_leaves(backend: str) -> None:
    x = MLArray(MLArray([1.0, 2.0], False, backend=backend), dtype="float64")
    x.sum().backward()
    assert x.grad().to_list() == [1.0, 1.0]


@pytest.mark.parametrize("number", [Value(2.0), MLArray(2.0)])
def test_a_number_that_fills_an_array_must_be_plain(number: Any) -> None:
    xp: Any = MLArray([1.0]).__array_namespace__()
    calls: list[Callable[[], object]] = [
        lambda: full(2, number),
        lambda: xp.full(2, number),
        lambda: xp.full_like(MLArray([1.0]), number),
        lambda: linspace(number, 1.0, 3),
        lambda: xp.linspace(number, 1.0, 3),
        lambda: xp.linspace(0.0, number, 3),
        lambda: xp.arange(number),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="expected a number"):
            call()
