"""A user's program with MLArrays: every result has the type that a reader expects."""

from typing import assert_type

from smolml_array import MLArray, use_backend
from smolml_value import Value, ops

x = MLArray([[1.0, 2.0], [3.0, 4.0]])
w = MLArray([[0.5], [-0.5]])

assert_type(x @ w, MLArray)
assert_type(x + 1.0, MLArray)
assert_type(1.0 + x, MLArray)
assert_type(2 * x, MLArray)
assert_type(x + [1.0, 2.0], MLArray)
assert_type(x - x, MLArray)
assert_type(x / 2.0, MLArray)
assert_type(1.0 / x, MLArray)
assert_type(x**2, MLArray)
assert_type(-x, MLArray)
assert_type(x + Value(1.0), MLArray)
assert_type(Value(1.0) + x, MLArray)

assert_type(x.tanh(), MLArray)
assert_type(ops.tanh(x), MLArray)

assert_type(x.shape, tuple[int, ...])
assert_type(x.ndim, int)
assert_type(x.size(), int)
assert_type(x.T, MLArray)
assert_type(x.reshape(4), MLArray)
assert_type(x.sum(), MLArray)
assert_type(x.mean(axis=0, keepdims=True), MLArray)
assert_type(x.max(axis=(0, 1)), MLArray)
assert_type(x[0], MLArray)
assert_type(x[0, 1:], MLArray)

loss = (x @ w).tanh().sum()
assert_type(loss, MLArray)
loss.backward()
assert_type(x.grad(), MLArray)
number: float = loss.item()

with use_backend("pure"):
    assert_type(MLArray([1.0]).exp(), MLArray)
