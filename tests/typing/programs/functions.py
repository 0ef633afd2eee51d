"""A user's program with transforms: what they make of a function takes the function's arguments."""

from collections.abc import Callable
from inspect import signature
from typing import Any, assert_type

import numpy as np

from smolml import (
    AxisError,
    MLArray,
    NoDerivativeError,
    ShapeError,
    SmolMLError,
    Value,
    checkpoint,
    custom_vjp,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    ops,
    value_and_grad,
    vjp,
)


def energy(x: float, k: float = 1.0, *, shift: float = 0.0) -> float:
    return k * (x - shift) ** 2


def loss(w: MLArray, x: MLArray) -> MLArray:
    return ((x @ w) ** 2).sum()


w, x = MLArray([1.0, 2.0]), MLArray([[1.0, 0.0], [2.0, 1.0]])

slope = grad(energy)
number: float = slope(3.0, k=2.0, shift=1.0)
assert_type(value_and_grad(energy)(3.0, 2.0), tuple[float, Any])
value, gradient = value_and_grad(loss)(w, x)
assert_type(value, MLArray)
assert_type(value.item(), float)
new: MLArray = w - 0.1 * gradient
assert_type(checkpoint(loss)(w, x), MLArray)
same: Callable[[MLArray, MLArray], Any] = grad(loss)
table: MLArray = jacobian(loss)(w, x)
square: MLArray = hessian(loss)(w, x)
product: MLArray = hvp(loss)(w, w, x)
twice: float = grad(grad(lambda x: x * x))(3.0)
each: float = elementwise_grad(energy)(3.0)
result, pullback = vjp(loss, w, x)
result, tangent = jvp(energy, (3.0,), (1.0,))


@custom_vjp
def doubled(x: Any) -> Any:
    return 2.0 * x


for derived in (grad(energy), value_and_grad(energy), jacobian(energy), checkpoint(energy)):
    assert list(signature(derived).parameters) == ["x", "k", "shift"]
assert str(signature(doubled)) == "(x: Any) -> Any"
assert list(signature(Value).parameters) == ["data", "children", "op", "label"]

assert_type(Value(1.0), Value)
assert_type(Value(1.0, label="x"), Value)
assert_type(Value(1.0, "x"), Value)
assert_type(Value(1.0, (Value(2.0),), "half").data, float)


a = np.array([1.0, 2.0])
v = Value(2.0)
rows: MLArray = v * a
columns: MLArray = a * v
e: Value = np.exp(v)  # pyright: ignore[reportArgumentType, reportCallIssue]  # finds no method
flat: MLArray = ops.tanh(a)
assert np.asarray(grad(lambda x: (x * a).sum())(a)).tolist() == [1.0, 2.0]


def refused() -> SmolMLError | None:
    try:
        w.reshape(3)
    except ShapeError as error:
        return error
    return None


assert isinstance(refused(), ValueError)
assert issubclass(AxisError, SmolMLError)
assert issubclass(NoDerivativeError, SmolMLError)
