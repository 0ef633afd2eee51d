"""A user's program that takes everything from `smolml`: the types survive the re-export."""

from typing import assert_type

import smolml
from smolml import MLArray, Value

assert_type(smolml.Value(1.0) + 1.0, Value)
assert_type(smolml.MLArray([1.0]) @ MLArray([2.0]), MLArray)
assert_type(smolml.ops.tanh(0.5), float)
assert_type(smolml.ops.tanh(MLArray([0.5])), MLArray)
assert_type(smolml.__version__, str)
