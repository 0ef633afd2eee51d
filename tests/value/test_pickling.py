"""What a worker needs is pickled small: functions that transforms made, ops, Values."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from smolml_value import (
    Value,
    checkpoint,
    custom_vjp,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    ops,
    value_and_grad,
)

Transform = Callable[[Callable[..., Any]], Any]


def cube(x: Any) -> Any:
    return x**3


def product(p: Any) -> Any:
    return p[0] ** 2 * p[1]


@grad
def slope(x: Any) -> Any:
    """Doubled."""
    return x * x


@checkpoint
@grad
def twice_made(x: Any) -> Any:
    return x**3


@custom_vjp
def clipped(x: Any) -> Any:
    return x


clipped.defvjp(lambda x: (x, None), lambda kept, g: (g * 0.5,))


class Model:
    """A class with a method that a transform has made."""

    factor = 3.0

    @checkpoint
    def forward(self, x: Any) -> Any:
        return self.factor * x * x

    @partial(grad, argnums=1)
    def slope(self, x: Any) -> Any:
        return self.factor * x * x


class Renamed:
    """A class that holds what a transform has made of a function outside."""

    of_cube = staticmethod(grad(cube))
    bound = grad(cube)


MADE: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "grad": (grad(cube), (2.0,)),
    "value_and_grad": (value_and_grad(cube), (2.0,)),
    "elementwise_grad": (elementwise_grad(cube), (2.0,)),
    "jacobian": (jacobian(cube), (2.0,)),
    "hessian": (hessian(product), ([3.0, 4.0],)),
    "hvp": (hvp(product), ([3.0, 4.0], [1.0, 0.0])),
    "checkpoint": (checkpoint(cube), (2.0,)),
    "one of another": (grad(checkpoint(grad(cube))), (2.0,)),
    "of an op": (grad(ops.tanh), (0.5,)),
    "of a method": (grad(Value.exp), (0.5,)),
    "custom_vjp": (grad(clipped), (2.0,)),
    "decorated": (slope, (2.0,)),
    "decorated twice": (twice_made, (2.0,)),
    "of one that is decorated": (grad(twice_made), (2.0,)),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_functions_that_transforms_made(name: str, protocol: int) -> None:
    f, args = MADE[name]
    sent = pickle.dumps(f, protocol)
    assert len(sent) < 350
    again = pickle.loads(sent)
    assert again(*args) == f(*args)
    assert getattr(again, "__name__", "") == getattr(f, "__name__", "")
    assert copy.deepcopy(f)(*args) == f(*args)


def test_options_are_kept() -> None:
    f = pickle.loads(pickle.dumps(value_and_grad(with_aux, argnums=(0, 1), has_aux=True)))
    assert f(2.0, 3.0) == ((6.0, "aux"), (3.0, 2.0))


def with_aux(x: Any, y: Any) -> Any:
    return x * y, "aux"


def test_a_decorated_function_is_the_global_of_its_name() -> None:
    for f in (slope, twice_made, clipped):
        assert pickle.loads(pickle.dumps(f)) is f
    assert slope.__doc__ != "Doubled."
    assert (slope.__module__, repr(slope)) == (__name__, "<function grad(slope)>")


def test_what_has_no_name_is_not_pickled() -> None:
    def local(x: Any) -> Any:
        return x

    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(grad(local))


def test_methods_stay_methods() -> None:
    model = Model()
    assert model.forward(2.0) == 12.0
    assert grad(model.forward)(2.0) == 12.0
    assert Model.forward(model, 2.0) == 12.0
    assert repr(Model.forward) == "<function checkpoint(forward)>"


def test_bound_methods_are_sent_with_their_object() -> None:
    model = Model()
    model.factor = 5.0
    for f in (model.forward, model.slope, Model.slope.__get__(model)):
        assert pickle.loads(pickle.dumps(f))(2.0) == f(2.0) == 20.0


@pytest.mark.parametrize("f", [None, 3.0, Value(1.0)])
@pytest.mark.parametrize("transform", [grad, hvp, checkpoint])
def test_only_of_functions(transform: Transform, f: Any) -> None:
    with pytest.raises(TypeError, match=f"{transform.__name__}: expected a function, got a"):
        transform(f)


def test_the_registry_is_that_of_the_process() -> None:
    assert pickle.loads(pickle.dumps(ops)) is ops
    assert copy.copy(ops) is copy.deepcopy(ops) is ops
    with pytest.raises(pickle.PicklingError, match="not the same object"):
        pickle.dumps(type(ops)())


def test_values_and_ops_are_small() -> None:
    v = Value(2.0, label="v")
    y = v
    for _ in range(1000):
        y = y * v
    y.backward()
    again = pickle.loads(pickle.dumps(v))
    assert (again.data, again.grad, again.label) == (2.0, v.grad, "v")
    assert len(pickle.dumps(y)) < 120  # the number, not the graph
    for op in (ops.tanh, ops.leaky_relu.bind(alpha=0.2)):
        assert len(pickle.dumps(op)) < 200


def test_the_result_of_a_function_with_a_rule_is_copied_as_any_value_is() -> None:
    y: Any = clipped(Value(2.0))
    y.label = "y"
    (y * 3.0).backward()
    for again in (copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert type(again) is Value
        assert (again.data, again.grad, again.label) == (2.0, 3.0, "y")
        assert again._prev == set()


def test_what_another_name_holds_is_pickled_as_the_call_that_made_it() -> None:
    again = pickle.loads(pickle.dumps(Renamed.of_cube))
    assert again(2.0) == Renamed.of_cube(2.0) == 12.0
    assert Renamed.of_cube.__name__ == "grad(cube)"
