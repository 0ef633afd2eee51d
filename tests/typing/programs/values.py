"""A user's program with Values: every result has the type that a reader expects."""

from typing import assert_type

import smolml_value
from smolml_value import Value, no_grad, ops

a = Value(2.0)
b = Value(3)

assert_type(a + 1.0, Value)
assert_type(1.0 + a, Value)
assert_type(a + 1, Value)
assert_type(1 - a, Value)
assert_type(a * b, Value)
assert_type(a / b, Value)
assert_type(2.0 / a, Value)
assert_type(a**2, Value)
assert_type(a**b, Value)
assert_type(2.0**a, Value)
assert_type(-a, Value)
assert_type(abs(a), Value)
assert_type(a < b, bool)

assert_type(a.tanh(), Value)
assert_type(a.exp(), Value)
assert_type(a.relu(), Value)

assert_type(a.data, float)
assert_type(a.grad, float)

assert_type(ops.tanh(0.5), float)
assert_type(ops.tanh(Value(0.5)), Value)
assert_type(smolml_value.ops.tanh(0.5), float)
assert_type(sum([a, b], Value(0.0)), Value)


def neuron(weights: list[Value], inputs: list[float], bias: Value) -> Value:
    """A user's function passes strict checks without a cast."""
    total = bias
    for w, x in zip(weights, inputs, strict=True):
        total = total + w * x
    return total.tanh()


y = neuron([a, b], [0.5, -1.0], Value(0.1))
y.backward()
with no_grad():
    assert_type(a * 2.0, Value)
