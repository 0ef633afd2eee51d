"""A user's program that imports everything by a star, as lessons do."""

from typing import assert_type

from smolml import *

assert_type(Value(1.0) + 1.0, Value)
assert_type(MLArray([1.0]) @ MLArray([2.0]), MLArray)
assert_type(relu(MLArray([1.0])), MLArray)
assert_type(Adam().learning_rate, float)
for i in track(3):
    assert_type(i, int)
