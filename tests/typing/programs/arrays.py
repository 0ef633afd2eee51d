"""A user's program with MLArrays: every result has the type that a reader expects."""

from typing import assert_type

from smolml_array import MLArray, einsum, outer, split, tril, use_backend
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

assert_type(x.cumulative_sum(axis=0), MLArray)
assert_type(x.sort(descending=True), MLArray)
assert_type(x.argsort(), MLArray)
assert_type(x.take([1, 0], axis=0), MLArray)
assert_type(x.pad(((1, 0), (0, 2))), MLArray)
assert_type(x.pad(1, "reflect"), MLArray)
assert_type(x.sliding_windows((2, 1)), MLArray)
assert_type(x.split(2), list[MLArray])
assert_type(x.norm("fro"), MLArray)
assert_type(x.vector_norm(axis=(0, 1), ord=1), MLArray)
assert_type(einsum("ij,jk->ik", x, w), MLArray)
assert_type(einsum("ij,j", x, [1.0, 2.0]), MLArray)
assert_type(outer([1.0, 2.0], Value(1.0)), MLArray)
assert_type(split(x, [1], axis=1), list[MLArray])
assert_type(tril(x, k=-1), MLArray)

loss = (x @ w).tanh().sum()
assert_type(loss, MLArray)
loss.backward()
assert_type(x.grad(), MLArray)
assert_type(loss.item(), float)


def last() -> float:
    return loss.item()


with use_backend("pure"):
    assert_type(MLArray([1.0]).exp(), MLArray)
