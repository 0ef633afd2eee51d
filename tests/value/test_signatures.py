"""What editors and help() show: the arguments that a user may give."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import pytest

from smolml_value import (
    NoDerivativeError,
    SmolMLError,
    Value,
    check_grads,
    checkpoint,
    custom_vjp,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    value_and_grad,
)


def area(width: float, height: float = 2.0, *, scale: float = 1.0) -> float:
    return width * height * scale


@pytest.mark.parametrize(
    "transform",
    [grad, value_and_grad, elementwise_grad, jacobian, hessian, checkpoint, custom_vjp],
)
def test_what_is_made_of_a_function_shows_its_arguments(transform: Callable[..., Any]) -> None:
    assert signature(transform(area)) == signature(area)
    assert transform(area).__wrapped__ is area or transform is hessian
    assert signature(grad(transform(area))).parameters.keys() == {"width", "height", "scale"}


def test_names_and_defaults_are_those_of_the_function() -> None:
    assert grad(area)(3.0, scale=2.0) == 4.0
    assert value_and_grad(area, argnums=(0, 1))(3.0, 5.0) == (15.0, (5.0, 3.0))
    text = pydoc.plain(pydoc.render_doc(grad(area)))
    assert "grad(area)(width: 'float', height: 'float' = 2.0, *, scale" in text


def test_a_product_with_the_hessian_takes_a_direction_as_well() -> None:
    assert list(signature(hvp(area)).parameters) == ["x", "v", "others", "kwargs"]
    assert hvp(lambda x, k: k * x**3)(2.0, 1.0, 5.0) == 60.0


def test_what_has_no_signature_is_differentiated_all_the_same() -> None:
    class Cube:
        def __call__(self, x: Any) -> Any:
            return x**3

    assert grad(Cube())(2.0) == 12.0
    assert list(signature(grad(Cube())).parameters) == ["x"]
    assert grad(max)(3.0, 2.0) == 1.0
    check_grads(checkpoint(Cube()), 2.0)


def test_a_value_shows_what_may_be_given() -> None:
    shown = signature(Value).parameters
    assert list(shown) == ["data", "children", "op", "label"]
    assert {p.kind for p in shown.values()} == {Parameter.POSITIONAL_OR_KEYWORD}
    shown_by_help = pydoc.plain(pydoc.render_doc(Value))
    private = ("_lhs", "_rhs", "_dl", "_dr", "_made_by", "_out")
    assert not [name for name in private if re.search(rf"{name}[:=]", shown_by_help)]
    with pytest.raises(TypeError):
        Value(1.0, _dl=2.0)  # type: ignore[call-arg]


def test_a_function_without_a_derivative_has_a_public_error() -> None:
    def by_hand(x: Any) -> Any:
        out = Value(x.data**2, (x,), "own")
        out._backward = lambda: None
        return out

    assert issubclass(NoDerivativeError, SmolMLError)
    with pytest.raises(NoDerivativeError, match="no second derivative"):
        grad(grad(by_hand))(Value(2.0))
