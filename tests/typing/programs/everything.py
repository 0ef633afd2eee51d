"""A user's program that takes everything from `smolml`: the types survive the re-export."""

from typing import assert_type

import smolml
from smolml import MLArray, Value

assert_type(smolml.Value(1.0) + 1.0, Value)
assert_type(smolml.MLArray([1.0]) @ MLArray([2.0]), MLArray)
assert_type(smolml.ops.tanh(0.5), float)
assert_type(smolml.ops.tanh(MLArray([0.5])), MLArray)
assert_type(smolml.__version__, str)

with smolml.detect_anomaly():
    assert_type(Value(1.0).exp(), Value)

for i in (run := smolml.track(3)):
    assert_type(i, int)
    run.report(loss=Value(0.5), accuracy=0.9, error=MLArray(0.5))
for word in smolml.track(["a"], description="words"):
    assert_type(word, str)
assert_type(run.history, dict[str, list[float]])
